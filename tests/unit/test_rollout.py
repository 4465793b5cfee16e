"""Unit (in this process, no cluster): waiting until a change serves, against objects that follow one another."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from airunway.live import rollout
from airunway.live.api_server.connection import Connection, ForbiddenError, UnreachableError
from airunway.live.rollout import STEADY, RolloutError, until_served
from airunway.live.status import observe
from airunway.provider.observation import Update
from airunway.text.problems import InputError, Problem
from providers import PROVIDERS

AWAY = UnreachableError([Problem("context x", "does not answer")])


def graph(state: str, generation: int = 2, observed: int = 2) -> dict[str, Any]:
    return {
        "apiVersion": "nvidia.com/v1alpha1",
        "kind": "DynamoGraphDeployment",
        "metadata": {"name": "chat", "namespace": "models", "generation": generation},
        "spec": {"services": {}},
        "status": {"state": state, "observedGeneration": observed},
    }


class Looks:
    """A connection whose object is the next of ``answers`` at each look, and the last one from then on."""

    def __init__(self, answers: Sequence[dict[str, Any] | Exception | None]) -> None:
        self.answers, self.looks = answers, 0

    async def object(self, *_: str) -> dict[str, Any] | None:
        answer = self.answers[min(self.looks, len(self.answers) - 1)]
        self.looks += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "INTERVAL", 0.0)


def wait(
    *answers: dict[str, Any] | Exception | None, timeout: float = 60, provider: str = "dynamo"
) -> tuple[int, list[str]]:
    """How many looks it took, and what was reported."""
    connection, reported = Looks(answers), list[str]()
    observer = PROVIDERS.require(provider).observe
    asyncio.run(until_served(cast(Connection, connection), graph("successful"), observer, timeout, reported.append))
    return connection.looks, reported


def test_a_change_that_serves_is_believed_after_some_looks_in_a_row() -> None:
    assert wait(graph("successful"))[0] == STEADY


def test_a_status_of_the_generation_before_is_not_that_of_the_change() -> None:
    looks, reported = wait(graph("successful", observed=1), graph("successful", observed=1), graph("successful"))
    assert looks == 2 + STEADY
    assert reported == ["Deploying: its operator has not processed the last change yet", "Running"]


def test_a_moment_in_which_the_operator_has_seen_the_change_but_not_acted_is_not_the_end() -> None:
    looks, reported = wait(graph("successful"), graph("pending"), graph("pending"), graph("successful"))
    assert looks == 3 + STEADY
    assert reported == ["Running", "Pending", "Running"]


def test_a_change_that_stays_failed_ends_the_wait_with_what_was_last_seen() -> None:
    with pytest.raises(RolloutError, match=r"^Failed$"):
        wait(graph("failed"))


def test_a_failure_that_heals_is_no_failure() -> None:
    assert wait(*[graph("failed")] * (STEADY - 1), graph("successful"))[0] == STEADY - 1 + STEADY


def test_a_change_that_never_serves_ends_at_the_timeout() -> None:
    with pytest.raises(RolloutError, match=r"^Pending$"):
        wait(graph("pending"), timeout=0.2)


def test_a_change_that_serves_when_the_time_is_over_is_no_failure() -> None:
    assert wait(graph("successful"), timeout=0) == (1, [])


def test_an_api_server_that_is_away_is_waited_for() -> None:
    looks, reported = wait(AWAY, graph("successful"))
    assert looks == 1 + STEADY
    assert reported == ["context x: does not answer", "Running"]


def test_an_api_server_that_stays_away_ends_at_the_timeout() -> None:
    with pytest.raises(RolloutError, match="does not answer"):
        wait(AWAY, timeout=0.2)


def test_an_object_that_is_gone_does_not_serve() -> None:
    with pytest.raises(RolloutError, match="not in the cluster"):
        wait(None, timeout=0.2)


def test_a_message_of_several_lines_is_told_in_one() -> None:
    conditions = [{"type": "Ready", "status": "False", "message": "Traceback:\n  line 1"}]
    failed = graph("failed")
    with pytest.raises(RolloutError, match=r"^Failed: Traceback: line 1$"):
        wait(failed | {"status": failed["status"] | {"conditions": conditions}})


def test_a_condition_that_is_false_and_well_is_not_told_of_what_runs() -> None:
    ready = {"type": "Ready", "status": "True"}
    upgrade = {"type": "UpgradeInProgress", "status": "False", "message": "no pending Ray cluster"}
    status = {"observedGeneration": 2, "conditions": [ready, upgrade]}
    assert wait(SERVICE | {"status": status}, provider="kuberay")[1] == ["Running"]


def test_an_object_that_may_not_be_read_is_said_at_once() -> None:
    with pytest.raises(InputError, match="may not be read: no"):
        wait(ForbiddenError("no"))


def stateful_set(**changes: Any) -> dict[str, Any]:
    """A StatefulSet as KAITO 0.12.0 and Kubernetes 1.36 leave it when the second change of a preset serves."""
    status = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1} | changes
    metadata = {"name": "chat", "generation": 2, "annotations": {REVISION: status.pop("revision", "2")}}
    return {"metadata": metadata, "spec": {"replicas": 1}, "status": status}


REVISION = "workspace.kaito.io/revision"
ENDING = {"updatedReplicas": 0}
"""The old pod ends, which may take minutes, and is ready until it has."""


def wait_for_preset(*answers: dict[str, Any] | Exception | None, timeout: float = 60) -> tuple[int, list[str]]:
    """How many looks at a preset's StatefulSet it took while its Workspace says that the change is ready."""
    conditions = [{"type": "InferenceReady", "status": "True", "observedGeneration": 2}]
    metadata = {"name": "chat", "namespace": "models", "generation": 2, "annotations": {REVISION: "2"}}
    workspace = WORKSPACE | {"metadata": metadata, "status": {"state": "Ready", "conditions": conditions}}
    looks, reported, provider = Looks(answers), list[str](), PROVIDERS.require("kaito")

    class Cluster:
        async def object(self, version: str, kind: str, *_: str) -> dict[str, Any] | None:
            return workspace if kind == "Workspace" else await looks.object()

    connection = cast(Connection, Cluster())
    asyncio.run(
        until_served(connection, workspace, provider.observe, timeout, reported.append, provider.WORKLOAD),
    )
    return looks.looks, reported


def test_a_preset_s_change_serves_when_its_pods_have_it() -> None:
    assert wait_for_preset(stateful_set()) == (STEADY, ["Running"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"revision": "1"}, "its operator has not changed its StatefulSet yet"),
        ({"observedGeneration": 1}, "rolling out: 0 of 1 pods are updated, 1 ready"),
        (ENDING, "rolling out: 0 of 1 pods are updated, 1 ready"),
        ({"readyReplicas": 0}, "rolling out: 1 of 1 pods are updated, 0 ready"),
    ],
)
def test_a_preset_s_change_is_waited_for_while_the_old_pod_serves(changes: dict[str, Any], message: str) -> None:
    before = [stateful_set(**changes)] * (STEADY + 2)
    looks, reported = wait_for_preset(*before, stateful_set())
    assert looks == len(before) + STEADY
    assert reported == [f"Running: {message}", "Running"]


def test_a_preset_s_change_that_never_reaches_a_pod_is_no_success() -> None:
    with pytest.raises(RolloutError, match="0 of 1 pods are updated"):
        wait_for_preset(stateful_set(**ENDING), timeout=0.2)


def test_a_workload_of_another_shape_is_told() -> None:
    with pytest.raises(RolloutError, match=r"its StatefulSet can't be read: spec: "):
        wait_for_preset(stateful_set() | {"spec": 1}, timeout=0.2)


@pytest.mark.parametrize("answer", [ForbiddenError("no"), None])
def test_a_workload_that_may_not_be_read_or_is_none_is_left_out(answer: Exception | None) -> None:
    assert wait_for_preset(answer) == (STEADY, ["Running"])


WORKSPACE = {"apiVersion": "kaito.sh/v1beta1", "kind": "Workspace", "metadata": {"name": "chat", "generation": 2}}
SERVICE = {"apiVersion": "ray.io/v1", "kind": "RayService", "metadata": {"name": "chat", "generation": 2}}
READY = {"type": "InferenceReady", "status": "True"}
PENDING = {"rayClusterName": "chat-next"}
UPGRADE = {"conditions": [{"type": "Ready", "status": "True"}, {"type": "UpgradeInProgress", "status": "True"}]}


def pending(application: dict[str, str]) -> dict[str, Any]:
    return UPGRADE | {"pendingServiceStatus": PENDING | {"applicationStatuses": {"llm": application}}}


def active(status: str) -> dict[str, Any]:
    return {"activeServiceStatus": {"applicationStatuses": {"llm": {"status": status}}}}


def rolling(phase: str) -> dict[str, Any]:
    return {"state": "successful", "rollingUpdate": {"phase": phase}}


@pytest.mark.parametrize(
    ("obj", "status", "expected"),
    [
        (WORKSPACE, {"conditions": [READY | {"observedGeneration": 1}]}, Update("has not processed the last change")),
        (WORKSPACE, {"conditions": [READY | {"observedGeneration": 2}]}, None),
        (WORKSPACE, {"conditions": [READY]}, None),
        (SERVICE, UPGRADE, Update("a new cluster starts beside the active one")),
        (SERVICE, pending({"status": "DEPLOYING"}), Update("a new cluster starts")),
        (SERVICE, pending({"status": "DEPLOY_FAILED", "message": "no image"}), Update("no image", failed=True)),
        (SERVICE, active("DEPLOYING"), Update("application llm is DEPLOYING")),
        (SERVICE, active("RUNNING"), None),
        (graph("successful"), rolling("InProgress"), Update("InProgress")),
        (graph("successful"), rolling("Completed"), None),
        (graph("successful"), rolling("Failed"), Update("Failed", failed=True)),
    ],
)  # fmt: skip
def test_each_kind_says_whether_its_last_change_serves(
    obj: dict[str, Any], status: dict[str, Any], expected: Update | None
) -> None:
    update = observe(obj | {"status": status}).update
    assert (update is None) == (expected is None)
    if update and expected:
        assert update.failed == expected.failed
        assert expected.message in update.message
