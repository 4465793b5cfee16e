"""Unit (pure): the contract of a provider: its members, the length of its names, what it waits for, and what its
operator would write back.
"""

import inspect
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airunway.live.status import observe
from airunway.planning import controller_delivery as delivery
from airunway.provider.contract import Provider
from airunway.provider.observation import Phase, ReadyCondition, ReadyState
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError
from providers import PROVIDERS
from tests.unit.smallest_deployments import BASES, planned


# The tuple PROVIDERS is typed, so mypy fails where a module lacks a member or has another signature; this says the same
# without mypy.
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.NAME)
def test_a_provider_fulfils_the_contract(provider: Provider) -> None:
    methods = {
        name: member
        for name, member in vars(Provider).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    assert set(methods) == {"name_limit", "endpoint", "render", "observe", "pods", "read_fields"}
    for name, method in methods.items():
        expected = [p.name for p in inspect.signature(method).parameters.values()][1:]
        assert list(inspect.signature(getattr(provider, name)).parameters) == expected
    for name in Provider.__annotations__:
        assert hasattr(provider, name), name


def test_a_name_and_a_kind_with_its_labels_are_one_provider_s() -> None:
    assert len({p.NAME for p in PROVIDERS}) == len(PROVIDERS)
    for one, other in itertools.permutations(PROVIDERS, 2):
        assert one.KIND != other.KIND or not one.SELECTOR.items() <= other.SELECTOR.items()


def labels(kind: str) -> dict[str, str]:
    """The labels by which an object of ``kind`` is a provider's."""
    return {k: v for p in PROVIDERS if kind == p.KIND for k, v in p.SELECTOR.items()}


def live(kind: str) -> Iterator[dict[str, Any]]:
    """The live objects of the status cases, acted on by their operators and not being deleted."""
    cases = yaml.safe_load((Path(__file__).parent / "status_cases.yaml").read_text())[kind]
    for case in cases.values():
        if "status" in case and "deletionTimestamp" not in case.get("metadata", {}):
            status = {k: v for k, v in case["status"].items() if k != "observedGeneration"}
            yield cases["base"] | {
                "kind": kind,
                "metadata": {"name": "demo", "namespace": "ml", "labels": labels(kind)},
                "status": status,
            }


@pytest.mark.parametrize("provider", [*PROVIDERS, delivery], ids=lambda p: p.KIND)
def test_status_says_running_where_an_update_stops_waiting(provider: Any) -> None:
    objects = list(live(provider.KIND))
    assert any(provider.READY.is_ready(obj) for obj in objects)
    for obj in objects:
        ready, phase = provider.READY.is_ready(obj), observe(obj).phase
        # What served and has failed since is Failed.
        assert (phase is Phase.RUNNING) == (ready and phase is not Phase.FAILED), obj


@given(
    state=st.sampled_from(["Ready", "Succeeded", "NotReady", "Running", "successful", "", "x"]),
    kind=st.sampled_from([p.KIND for p in PROVIDERS]),
)
def test_no_state_is_running_that_is_not_waited_for(state: str, kind: str) -> None:
    provider = next(p for p in PROVIDERS if kind == p.KIND)
    obj = {
        "kind": kind,
        "metadata": {"name": "demo", "labels": labels(kind)},
        "status": {"state": state, "conditions": [{"type": "WorkspaceSucceeded", "status": "True"}]},
    }
    assert (observe(obj).phase is Phase.RUNNING) == provider.READY.is_ready(obj)


def test_readiness_is_waited_for_in_pulumi_s_grammar() -> None:
    state = ReadyState("state", {"on": Phase.RUNNING, "off": Phase.PENDING})
    assert (state.wait_for({}), state.is_ready({"status": {"state": "on"}}), state.is_ready({})) == (
        "jsonpath={.status.state}=on",
        True,
        False,
    )
    condition = ReadyCondition("Ready")
    assert (condition.wait_for({}), condition.is_ready({})) == ("condition=Ready", False)
    for phases in ({"off": Phase.PENDING}, {"on": Phase.RUNNING, "up": Phase.RUNNING}):
        with pytest.raises(ValueError, match="one state is Running"):
            ReadyState("state", phases)


@pytest.mark.parametrize(
    ("base", "most"),
    [
        ("kaito-llamacpp-aggregated-cpu", 52),
        ("kuberay-vllm-aggregated", 47),
        ("dynamo-vllm-aggregated", 35),
        ("dynamo-vllm-disaggregated", 28),
    ],
)
@pytest.mark.parametrize("how", ["direct", "airunway.ai"])
def test_a_name_that_is_longer_than_the_upstream_object_s_may_be_is_refused(base: str, most: int, how: str) -> None:
    longest = most if how == "direct" else most - len("-md")
    planned(BASES[base] | {"name": "x" * longest}, how)
    with pytest.raises(InputError, match=f"name: makes a .* at most {most} characters"):
        planned(BASES[base] | {"name": "x" * (longest + 1)}, how)


def elements(value: Any, path: list[str]) -> Iterator[Any]:
    head, *rest = path
    inner = value.get(head.removesuffix("[]"), {})
    for one in inner if head.endswith("[]") else [inner]:
        if rest:
            yield from elements(one, rest)
        else:
            yield head in value


@pytest.mark.parametrize("base", BASES)
def test_what_the_operator_would_write_back_is_rendered_whatever_is_overridden(base: str) -> None:
    provider = next(p for p in PROVIDERS if BASES[base]["provider"]["name"] == p.NAME)
    lists = (
        {"inference": {"template": {"spec": {"containers": [{"name": "mine", "image": "example.com/mine:1"}]}}}}
        if base.startswith("kaito-llamacpp")
        else {}
    )
    for overrides in ({}, lists):
        resource = planned(merge_patch(BASES[base], {"provider": {"overrides": overrides}})).rendered.resource
        for path in provider.OPERATOR_DEFAULTS:
            assert all(elements(resource, path.split("."))), (path, resource)
