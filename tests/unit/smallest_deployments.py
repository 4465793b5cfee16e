"""A smallest deployment for each provider, engine and mode, and the ways in which it can be delivered."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_deployment
from airunway.planning.settings import StackSettings
from airunway.spec.checks import parse_spec
from airunway.spec.entry import DeploymentEntry
from airunway.spec.model import Mode
from airunway.text.problems import InputError
from providers import PROVIDERS
from tests.unit.samples import builtin

DELIVERIES: dict[str, dict[str, Any]] = {
    "direct": {},
    "airunway.ai": {"delivery": "modeldeployment"},
    "kubeairunway.ai": {"delivery": "modeldeployment", "controller": {"apiGroup": "kubeairunway.ai"}},
}


def _bases() -> Iterator[tuple[str, dict[str, Any]]]:
    """A smallest deployment for each provider, engine and mode, on GPU and on CPU where that is possible."""
    capabilities = {c.name: {e.name: e for e in c.spec.capabilities.engines} for c in builtin()}
    for provider in PROVIDERS:
        for engine, modes in provider.SUPPORTED.items():
            for mode in modes:
                base = {
                    "name": "demo",
                    "model": {"id": "org/model"},
                    "provider": {"name": provider.NAME},
                    "engine": {"type": str(engine)},
                    "serving": {"mode": str(mode)},
                }
                name = f"{provider.NAME}-{engine}-{mode}"
                if mode is Mode.DISAGGREGATED:
                    yield name, base | {"scaling": {role: {"gpu": {"count": 1}} for role in ("prefill", "decode")}}
                    continue
                if capabilities[provider.NAME][engine].gpu_support:
                    yield name, base | {"resources": {"gpu": {"count": 1}}}
                if capabilities[provider.NAME][engine].cpu_support:
                    yield f"{name}-cpu", base


BASES = dict(_bases())


def delivers(base: str, how: str) -> bool:
    """Whether the provider is one that the deployment can be given to in this way: not every controller has all of
    them.
    """
    shim = PROVIDERS.shims.get(BASES[base]["provider"]["name"])
    return how == "direct" or (shim is not None and how in shim.get("groups", DELIVERIES))


CASES = [pytest.param(base, how, id=f"{base}-{how}") for base in BASES for how in DELIVERIES if delivers(base, how)]


@cache
def target(how: str) -> PlanContext:
    """What a deployment is planned with that is delivered in this way."""
    return PlanContext(PROVIDERS, builtin(), StackSettings.model_validate(DELIVERIES[how]))


def planned(
    entry: dict[str, Any], how: str = "direct", model: type[DeploymentEntry] = DeploymentEntry
) -> PlannedDeployment:
    """The plan of one deployment. Raises ``InputError``."""
    spec, problems = parse_spec(entry, model)
    if spec is None:
        raise InputError(problems)
    return plan_deployment(spec, target(how))
