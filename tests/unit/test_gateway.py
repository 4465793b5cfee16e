"""Unit (pure): a document without gateway routes is what is made anyway; other settings of the gateway are refused by
name where no controller makes routes.
"""

from typing import Any

import pytest

from airunway.planning.deployment import PlanContext, plan_entry
from airunway.planning.settings import StackSettings
from airunway.text.problems import InputError
from providers import PROVIDERS
from tests.unit.samples import builtin, spec

BASE = {"name": "demo", "model": {"id": "org/m"}, "resources": {"gpu": {"count": 1}}}


def rendered(gateway: Any, **settings: Any) -> dict[str, Any]:
    context = PlanContext(PROVIDERS, builtin(), StackSettings.model_validate(settings))
    entry = BASE if gateway is None else BASE | {"gateway": gateway}
    resource: dict[str, Any] = plan_entry(entry, context).rendered.resource
    return resource


@pytest.mark.parametrize("provider", [provider.NAME for provider in PROVIDERS])
@pytest.mark.parametrize("gateway", [{"enabled": False}, {}])
def test_no_routes_are_what_every_provider_makes(provider: str, gateway: Any) -> None:
    context = PlanContext(PROVIDERS, builtin(), StackSettings())
    chosen = BASE | {"provider": {"name": provider}}
    with_gateway = plan_entry(chosen | {"gateway": gateway}, context)
    assert with_gateway.rendered == plan_entry(chosen, context).rendered


@pytest.mark.parametrize(
    ("gateway", "field"),
    [
        ({"enabled": True}, "gateway.enabled"),
        ({"enabled": False, "modelName": "chat"}, "gateway.modelName"),
        ({"httpRouteRef": "mine"}, "gateway.httpRouteRef"),
    ],
)
def test_routes_are_refused_by_name(gateway: Any, field: str) -> None:
    for settings in ({}, {"delivery": "modeldeployment", "controller": {"apiGroup": "kubeairunway.ai"}}):
        with pytest.raises(InputError) as raised:
            rendered(gateway, **settings)
        assert [problem.field for problem in raised.value.problems] == [field]


@pytest.mark.parametrize("gateway", [{"enabled": False}, {"enabled": True, "modelName": "chat"}])
def test_a_controller_that_makes_routes_is_told(gateway: Any) -> None:
    assert rendered(gateway, delivery="modeldeployment")["spec"]["gateway"] == gateway
    assert "gateway" not in rendered(None, delivery="modeldeployment")["spec"]


def test_rules_see_a_gateway_only_where_it_is_given() -> None:
    assert "gateway" not in spec().rule_input()
    assert spec(gateway={}).rule_input()["gateway"] == {"enabled": False}
