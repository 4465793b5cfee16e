"""Unit (pure): what of a stack is put before its reader, and in which order."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.assessment.finding import Concern, Finding, Severity
from airunway.console.attention import Attention, Need, attention
from airunway.live.status import MISSING, DeploymentStatus, OperatorStatus
from airunway.live.survey import Survey
from airunway.provider.observation import Phase, Replicas, Update
from airunway.provider.request import Endpoint

RUNNING = DeploymentStatus(
    name="chat",
    phase=Phase.RUNNING,
    provider="dynamo",
    selected_reason="",
    engine="vllm",
    replicas=Replicas(1, 1, 1),
    endpoint=Endpoint("chat", 8000),
    message="",
    conditions=(),
    resource={"namespace": "ml"},
)
HEALTHY = OperatorStatus("dynamo", "managed", "deployed", True, 1, 1, True, "")
BUDGET = Finding(Concern.POLICY, Severity.MANDATORY, "too many GPUs")


def survey(*deployments: DeploymentStatus, operators: tuple[OperatorStatus, ...] = ()) -> Survey:
    return Survey("dev", deployments, operators)


def status(**fields: Any) -> DeploymentStatus:
    return replace(RUNNING, **fields)


def test_nothing_is_said_of_what_serves_as_planned() -> None:
    assert attention(survey(RUNNING, operators=(HEALTHY,)), ()) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"phase": Phase.FAILED, "message": "no GPU is left"}, (Need.FAILED, "no GPU is left")),
        ({"phase": Phase.DEPLOYING, "message": "1 of 2 pods"}, (Need.NOT_READY, "1 of 2 pods")),
        ({"phase": Phase.PENDING}, (Need.NOT_READY, "Pending")),
        ({"phase": Phase.TERMINATING, "message": "is being deleted"}, (Need.NOT_READY, "is being deleted")),
        (
            {"update": Update("an old pod serves"), "message": "an old pod serves"},
            (Need.NOT_READY, "an old pod serves"),
        ),
        ({"not_as_planned": ("spec.replicas",)}, (Need.CHANGED, "spec.replicas")),
    ],
)
def test_what_a_deployment_needs_is_said_in_its_own_words(fields: dict[str, Any], expected: Any) -> None:
    (item,) = attention(survey(status(**fields)), ())
    assert (item.need, item.message, item.subject, item.deployment) == (*expected, "chat", "chat")


def test_what_was_not_applied_is_told_where_others_were() -> None:
    absent = status(name="new", phase=Phase.PENDING, message=MISSING)
    assert attention(survey(RUNNING, absent), ()) == [Attention(Need.NOT_APPLIED, "new", MISSING, "new")]


def test_a_stack_that_was_never_applied_needs_nothing_but_what_stops_it() -> None:
    absent = status(phase=Phase.PENDING, message=MISSING)
    missing = replace(HEALTHY, healthy=False, release="missing")
    assert attention(survey(absent, operators=(missing,)), ()) == []
    assert attention(survey(absent), [BUDGET]) == [Attention(Need.STOPPED, "the stack", "too many GPUs")]


@pytest.mark.parametrize(
    ("fields", "need", "message"),
    [
        ({"healthy": False, "message": "workspace is not ready"}, Need.FAILED, "workspace is not ready"),
        ({"healthy": False, "release": "missing"}, Need.NOT_APPLIED, "not installed yet"),
        (
            {"healthy": False, "release": "missing", "installation": "existing", "message": "no CRD"},
            Need.FAILED,
            "no CRD",
        ),
    ],
)
def test_an_operator_that_is_not_well_is_told(fields: dict[str, Any], need: Need, message: str) -> None:
    (item,) = attention(survey(RUNNING, operators=(replace(HEALTHY, **fields),)), ())
    assert item == Attention(need, "operator of dynamo", message)


def test_an_operator_of_which_nothing_is_known_needs_nothing() -> None:
    assert attention(survey(RUNNING, operators=(replace(HEALTHY, healthy=None),)), ()) == []


def test_without_a_cluster_only_what_stops_the_update_is_told() -> None:
    advice = Finding(Concern.FIT, Severity.ADVISORY, "about 1 GiB too much", "chat")
    misfit = Finding(Concern.FIT, Severity.MANDATORY, "its weights do not fit", "large")
    assert attention(None, [advice, misfit]) == [Attention(Need.STOPPED, "large", "its weights do not fit", "large")]


@given(
    st.lists(
        st.builds(
            status,
            name=st.text("abc", min_size=1),
            phase=st.sampled_from(list(Phase)),
            message=st.sampled_from(["", "a reason", MISSING]),
            not_as_planned=st.sampled_from([(), ("spec.a",)]),
        ),
        max_size=8,
    ),
    st.lists(st.just(BUDGET), max_size=2),
)
def test_the_most_urgent_comes_first_and_nobody_who_does_not_serve_is_left_out(
    deployments: list[DeploymentStatus], findings: list[Finding]
) -> None:
    items = attention(survey(*deployments), findings)
    assert [item.need for item in items] == sorted((item.need for item in items), key=list(Need).index)
    if any(d.message != MISSING for d in deployments):
        told = {item.deployment for item in items}
        assert all(d.name in told for d in deployments if not d.serves)
