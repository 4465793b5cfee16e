"""Unit (pure): live objects of every kind in every state, and the one status that is made of them."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airunway.live import status as module
from airunway.live.status import deployment_status, observe, operator_status, ready_shims, release_states
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.files import Files
from airunway.planning.plan import PlannedProvider, parse_settings, plan_stack
from airunway.provider.observation import Phase
from providers import PROVIDERS
from tests.unit.samples import builtin, paths

CASES = yaml.safe_load((Path(__file__).parent / "status_cases.yaml").read_text())
ROWS = [(kind, state) for kind, states in CASES.items() for state in states if state != "base"]


def live(kind: str, state: str) -> dict[str, Any]:
    base, case = CASES[kind]["base"], CASES[kind][state]
    labels = {k: v for p in PROVIDERS if kind == p.KIND for k, v in p.SELECTOR.items()}
    metadata = {"name": "demo", "namespace": "ml", "generation": 1, "labels": labels} | case.get("metadata", {})
    result: dict[str, Any] = (
        base | {"kind": kind, "metadata": metadata} | ({"status": case["status"]} if "status" in case else {})
    )
    return result


@pytest.mark.parametrize(("kind", "state"), ROWS, ids=str)
def test_the_status_of(kind: str, state: str) -> None:
    phase, replicas, message = CASES[kind][state]["expected"]
    result = observe(live(kind, state))
    assert (str(result.phase), f"{result.replicas.ready}/{result.replicas.desired}") == (phase, replicas)
    assert message in result.message
    assert bool(message) == bool(result.message)


def test_every_kind_has_every_state_that_matters() -> None:
    for kind, states in CASES.items():
        for state in ("healthy", "progressing", "degraded", "failed", "no status yet", "terminating"):
            assert any(name.startswith(state) for name in states), (kind, state)


def test_an_object_that_is_not_there_is_pending() -> None:
    assert (observe(None).phase, observe(None).message) == (Phase.PENDING, "not in the cluster")


anything = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
    lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("kind", CASES)
@given(
    status=st.dictionaries(st.sampled_from(["state", "phase", "message", "unknown"]), st.text(max_size=5)),
    extra=anything,
)
def test_a_status_of_any_text_has_some_phase(kind: str, status: dict[str, Any], extra: Any) -> None:
    assert observe(live(kind, "no status yet") | {"status": status | {"more": extra}}).phase in list(Phase)


OTHERS: tuple[Any, ...] = (None, True, 1, "text", [], {}, ["text"], [{}], {"a": 1})


@pytest.mark.parametrize(("kind", "state"), ROWS, ids=str)
def test_a_status_of_another_shape_is_told_and_ends_nothing(kind: str, state: str) -> None:
    for path in paths(live(kind, state)):
        for other in OTHERS:
            obj = copy.deepcopy(live(kind, state))
            here = obj
            for part in path[:-1]:
                here = here[part]
            here[path[-1]] = other
            result = observe(obj | {"kind": kind})
            texts = [
                result.message,
                *(part for c in result.conditions for part in (c.type, c.status, c.reason, c.message)),
            ]
            assert result.phase in list(Phase)
            assert all(isinstance(text, str) for text in texts), (path, other)
            assert all(
                isinstance(count, int)
                for count in (result.replicas.desired, result.replicas.ready, result.replicas.available)
            )


def test_what_could_not_be_read_is_said() -> None:
    obj = live("Workspace", "healthy") | {"status": {"conditions": [{"status": "True"}]}}
    assert observe(obj).phase is Phase.PENDING
    assert observe(obj).message == "its status can't be read: status.conditions[0].type: field required"


def test_a_bug_of_ours_is_no_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "observer_of", lambda _: lambda obj: obj["nothing"])
    with pytest.raises(KeyError, match="nothing"):
        observe(live("Workspace", "healthy"))


def planned(**fields: Any) -> PlannedDeployment:
    entry = {"name": "demo", "model": {"id": "org/model"}} | fields
    settings = {"cluster": {"context": "kind"}, "namespace": "ml", "deployments": [entry]}
    return plan_stack(parse_settings(settings), Files(), PROVIDERS).deployments[0]


def test_the_decision_stands_beside_what_is_there() -> None:
    status = deployment_status(planned(), live("Workspace", "healthy"))
    assert (status.provider, status.engine, status.url) == ("kaito", "llamacpp", "http://demo.ml.svc/v1")
    assert status.selected_reason == "rule `!has(spec.resources.gpu) || spec.resources.gpu.count == 0` (priority 100)"
    assert status.resource == {"apiVersion": "kaito.sh/v1beta1", "kind": "Workspace", "namespace": "ml", "name": "demo"}


@pytest.mark.parametrize(
    ("fields", "endpoint"),
    [
        ({}, "http://demo.ml.svc/v1"),
        ({"resources": {"gpu": {"count": 1}}}, "http://demo-frontend.ml.svc:8000/v1"),
        ({"resources": {"gpu": {"count": 1}}, "provider": {"name": "kuberay"}}, "http://demo-serve-svc.ml.svc:8000/v1"),
    ],
)
def test_the_endpoint_is_one_that_the_rendered_object_has(fields: Any, endpoint: str) -> None:
    expected = planned(**fields)
    assert deployment_status(expected, None).url == endpoint
    if fields and "provider" not in fields:
        assert expected.rendered.resource["spec"]["components"][0]["name"] == "Frontend"


def test_a_deployment_that_is_not_there_says_how_many_replicas_it_wants() -> None:
    status = deployment_status(planned(scaling={"replicas": 3}, resources={"gpu": {"count": 1}}), None)
    assert (status.phase, status.replicas.desired, status.replicas.ready) == (Phase.PENDING, 3, 0)


def test_what_the_controller_decided_otherwise_is_shown_and_said() -> None:
    obj = live("ModelDeployment", "healthy")
    obj["status"] |= {
        "engine": {"type": "vllm"},
        "provider": {"name": "kuberay", "selectedReason": "matched capabilities"},
        "endpoint": {"service": "demo-md-serve-svc", "port": 8000},
    }
    status = deployment_status(planned(delivery="modeldeployment", resources={"gpu": {"count": 2}}), obj)
    assert (status.provider, status.selected_reason) == ("kuberay", "matched capabilities")
    assert status.url == "http://demo-md-serve-svc.ml.svc:8000/v1"
    assert status.message == "the controller's decision differs from the plan (vllm on dynamo)"


KAITO = next(c for c in builtin() if c.name == "kaito")
RELEASES = {("kaito-workspace", "kaito-workspace"): "deployed"}


def deployment(ready: int = 1, release: str = "kaito-workspace") -> dict[str, Any]:
    result = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": "kaito-workspace"}
    return {
        "metadata": {"name": "workspace", "namespace": "kaito-workspace", "annotations": result, "generation": 1},
        "spec": {"replicas": 1},
        "status": {"readyReplicas": ready, "observedGeneration": 1},
    }


@pytest.mark.parametrize(
    ("served", "releases", "deployments", "managed", "healthy", "message"),
    [
        (True, RELEASES, [deployment()], True, True, ""),
        (False, RELEASES, [deployment()], True, False, "the CRD is missing"),
        (True, {}, [], True, False, "release kaito-workspace is missing; its release has no Deployment"),
        (
            True,
            {("kaito-workspace", "kaito-workspace"): "failed"},
            [deployment()],
            True,
            False,
            "release kaito-workspace is failed",
        ),
        (True, RELEASES, [deployment(0)], True, False, "workspace is not ready"),
        (True, None, [deployment()], True, None, "unknown: "),
        (True, RELEASES, None, True, None, "unknown: "),
        (True, {}, [], False, None, "unknown: "),
        (True, {}, [deployment()], False, True, ""),
        (False, {}, [], False, False, "the CRD is missing"),
    ],
)
def test_an_operator_is_healthy_where_release_kind_and_deployments_are(
    served: bool, releases: Any, deployments: Any, managed: bool, healthy: bool | None, message: str
) -> None:
    status = operator_status(PlannedProvider(KAITO, managed), served, releases, deployments)
    assert status.healthy is healthy
    assert message in status.message
    assert bool(message) == bool(status.message)


def test_a_deployment_of_another_release_does_not_count() -> None:
    other = deployment(release="other")
    assert operator_status(PlannedProvider(KAITO, True), True, RELEASES, [other]).deployments == 0


def test_a_provider_whose_shim_is_not_ready_is_not_healthy_where_the_controller_delivers() -> None:
    status = operator_status(PlannedProvider(KAITO, True), True, RELEASES, [deployment()], shim=False)
    assert (status.healthy, status.message) == (
        False,
        "its provider shim is not ready, so the controller does not select it",
    )
    configs = [
        {"metadata": {"name": n}, "status": s} for n, s in (("a", {"ready": True}), ("b", {"ready": False}), ("c", {}))
    ]
    odd = [{"metadata": {"name": "d"}}, {"metadata": {"name": "e"}, "status": {"ready": "true"}}]
    assert ready_shims([*configs, *odd]) == {"a"}


def test_the_newest_revision_of_a_release_counts() -> None:
    def secret(version: str, status: str) -> dict[str, Any]:
        labels = {"owner": "helm", "name": "r", "version": version, "status": status}
        return {"metadata": {"name": f"sh.helm.release.v1.r.v{version}", "namespace": "n", "labels": labels}}

    assert release_states([secret("10", "deployed"), secret("9", "superseded"), secret("2", "failed")]) == {
        ("n", "r"): "deployed"
    }
    assert release_states([{"metadata": {"name": "x", "namespace": "n"}}]) == {}
