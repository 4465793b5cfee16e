"""Graph (an API server that answers as told): what is last seen of an object that failed, and when a Helm release is
taken over.
"""

import asyncio
import base64
import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from airunway.live.api_server.connection import Connection, connect
from airunway.live.last_status import last_status
from airunway.live.release_record import take_over
from airunway.planning.settings import Cluster
from airunway.text.problems import InputError
from tests.graph.api_server import Answer, ApiServer

WORKSPACE = {"apiVersion": "kaito.sh/v1beta1", "kind": "Workspace", "metadata": {"namespace": "ml", "name": "w"}}
JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": "ml", "name": "j"}}
WORKSPACE_PATH = "/apis/kaito.sh/v1beta1/namespaces/ml/workspaces/w"
PODS, SECRETS = "/api/v1/namespaces/ml/pods", "/api/v1/namespaces/ml/secrets"
BATCH = {"/apis/batch/v1": Answer({"resources": [{"name": "jobs", "kind": "Job", "namespaced": True}]})}


def on(server: ApiServer, act: Callable[[Connection], Awaitable[Any]]) -> Any:
    """What ``act`` gives on a connection to the server."""
    config = {
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "contexts": [{"name": "x", "context": {"cluster": "c"}}],
    }

    async def run() -> Any:
        async with connect(Cluster(context="x", kubeconfig=json.dumps(config))) as connection:
            return await act(connection)

    return asyncio.run(run())


def observed(server: ApiServer, manifest: Any, live: Any = None) -> str:
    if live is not None:
        path = WORKSPACE_PATH if manifest is WORKSPACE else "/apis/batch/v1/namespaces/ml/jobs/j"
        server.rules[path] = live if isinstance(live, Answer) else Answer(live)
    return str(on(server, lambda connection: last_status(connection, manifest)))


def with_conditions(manifest: Any, *conditions: tuple[str, str, str]) -> dict[str, Any]:
    status = {"conditions": [{"type": t, "status": s, "message": m, "reason": "R"} for t, s, m in conditions]}
    return {**manifest, "status": status}


def test_an_object_that_is_gone_is_said_to_be(server: ApiServer) -> None:
    assert observed(server, WORKSPACE) == "not in the cluster"


def test_of_a_provider_s_object_phase_and_message_are_told(server: ApiServer) -> None:
    output = observed(server, WORKSPACE, with_conditions(WORKSPACE, ("ResourceReady", "False", "no node has a GPU")))
    assert output.split(": ")[0] in ("Pending", "Deploying", "Failed")
    assert output.endswith("no node has a GPU")
    assert observed(server, WORKSPACE, WORKSPACE) == "Pending: no status yet: is its operator running?"


def pod(code: int | None, message: str | None, finished: str) -> dict[str, Any]:
    state = (
        {"running": {}}
        if code is None
        else {"terminated": {"exitCode": code, "message": message, "finishedAt": finished}}
    )
    return {
        "metadata": {"namespace": "ml", "name": f"p{finished}"},
        "spec": {"containers": []},
        "status": {"containerStatuses": [{"state": state}]},
    }


@pytest.mark.parametrize(
    ("pods", "output"),
    [
        ([], "Job has reached the specified backoff limit"),
        ([pod(0, "fine", "1")], "Job has reached the specified backoff limit"),
        (
            [pod(1, "first", "2026-01-01T00:00:01Z"), pod(2, "second\n  line", "2026-01-01T00:00:02Z")],
            "exit code 2: second line",
        ),
        ([pod(137, None, "2026-01-01T00:00:01Z"), pod(None, None, "")], "exit code 137: no message"),
        (
            [{"metadata": {"namespace": "ml", "name": "p"}, "spec": {"containers": []}}],
            "Job has reached the specified backoff limit",
        ),
    ],
)
def test_of_a_job_the_last_pod_that_failed_is_told_else_its_condition(
    pods: list[Any], output: str, server: ApiServer
) -> None:
    server.rules |= BATCH
    server.rules[PODS] = Answer({"kind": "PodList", "metadata": {}, "items": pods})
    assert (
        observed(server, JOB, with_conditions(JOB, ("Failed", "True", "Job has reached the specified backoff limit")))
        == output
    )


def waiting_pod(name: str, reason: str, message: str, **metadata: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return {
        "metadata": {"namespace": "ml", "name": name} | metadata,
        "spec": {"containers": []},
        "status": {"containerStatuses": [{"name": "model", "state": state}]},
    }


PULL = waiting_pod("w-0", "ImagePullBackOff", "Back-off pulling\n image x", creationTimestamp="2026-01-02T00:00:00Z")
EARLIER = waiting_pod("e-0", "CrashLoopBackOff", "back-off", creationTimestamp="2026-01-01T00:00:00Z")
SERVING: dict[str, Any] = {"metadata": {"namespace": "ml", "name": "old"}, "spec": {"containers": []}, "status": {}}
UNPLACED = SERVING | {
    "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "Insufficient nvidia.com/gpu"}]}
}


@pytest.mark.parametrize(
    ("pods", "message", "output"),
    [
        ([SERVING, PULL], "starts", "starts; container model of pod w-0: ImagePullBackOff: Back-off pulling image x"),
        ([UNPLACED], "starts", "starts; pod old has no node: Insufficient nvidia.com/gpu"),
        ([EARLIER, PULL], "starts", "starts; container model of pod w-0: ImagePullBackOff: Back-off pulling image x"),
        ([waiting_pod("w-0", "ContainerCreating", "")], "starts", "starts"),
        ([PULL | {"metadata": PULL["metadata"] | {"deletionTimestamp": "2026-01-01T00:00:00Z"}}], "starts", "starts"),
        ([PULL], "image pull failed (ImagePullBackOff)", "image pull failed (ImagePullBackOff)"),
        ([UNPLACED], "unschedulable: Insufficient nvidia.com/gpu", "unschedulable: Insufficient nvidia.com/gpu"),
        (Answer({"message": "no"}, 403), "starts", "starts"),
        (Answer({"message": "boom"}, 400), "starts", "starts"),
        ([SERVING | {"spec": 1}], "starts", "starts"),
    ],
)
def test_why_pods_do_not_start_is_told_where_the_object_does_not_say_it(
    pods: Any, message: str, output: str, server: ApiServer
) -> None:
    listed = pods if isinstance(pods, Answer) else Answer({"kind": "PodList", "metadata": {}, "items": pods})
    selector = "airunway.ai/deployment=w"
    server.rules[PODS] = lambda query: listed if query.get("labelSelector") == selector else None
    live = with_conditions(WORKSPACE, ("ResourceReady", "False", message))
    assert observed(server, WORKSPACE, live) == f"Pending: {output}"


@pytest.mark.parametrize(
    "answer",
    [
        Answer({"message": "no"}, 403),
        Answer([]),
        Answer(b"<html>"),
        Answer({"metadata": {}}),
        Answer({"message": "boom"}, 400),
    ],
)
def test_what_can_not_be_read_is_passed_over(answer: Answer, server: ApiServer) -> None:
    assert observed(server, WORKSPACE, answer) == ""


RELEASE = {"namespace": "ml", "name": "op", "chart": "op", "version": "1.0", "values": {"a": 1}}
IN_USE, BUSY = (
    "cannot re-use a name that is still in use",
    "another operation (install/upgrade/rollback) is in progress",
)


def record(revision: int, status: str = "deployed", **more: Any) -> dict[str, Any]:
    release = {
        "version": revision,
        "info": {"status": status},
        "config": {"a": 1},
        "chart": {"metadata": {"name": "op", "version": "1.0"}},
    } | more
    data = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    return {"metadata": {"namespace": "ml", "name": f"r{revision}"}, "data": {"release": data}}


class Taken:
    """What taking over did: whether another try is worth it, what was said, and what was deleted."""

    def __init__(self, server: ApiServer, error: str, secrets: Answer | list[Any]) -> None:
        self.warned: list[str] = []
        self.reported: list[str] = []
        server.rules[SECRETS] = (
            secrets if isinstance(secrets, Answer) else Answer({"kind": "SecretList", "metadata": {}, "items": secrets})
        )
        for number in range(9):
            server.rules[f"{SECRETS}/r{number}"] = Answer({"kind": "Status", "status": "Success"})
        self.again = on(
            server, lambda connection: take_over(connection, RELEASE, error, self.warned.append, self.reported.append)
        )
        self.deleted = [path.rpartition("/")[2] for path in server.asked if path.startswith(f"{SECRETS}/")]


def test_a_release_that_says_what_the_stack_installs_makes_way(server: ApiServer) -> None:
    taken = Taken(server, IN_USE, [record(2), record(1, "superseded")])
    assert (taken.again, taken.deleted, taken.reported) == (True, ["r1", "r2"], [])
    assert taken.warned == ["Helm release ml/op already exists (deployed) and matches this stack; it is taken over"]


def test_of_one_that_is_being_changed_only_what_is_pending_goes(server: ApiServer) -> None:
    taken = Taken(server, BUSY, [record(1), record(2, "superseded"), record(3, "pending-upgrade")])
    assert (taken.again, taken.deleted) == (True, ["r3"])


def test_the_newest_record_counts_by_its_number(server: ApiServer) -> None:
    taken = Taken(server, IN_USE, [record(10, config={"a": 2}), record(9)])
    assert (taken.again, taken.deleted) == (False, [])
    assert "with different values\n" in taken.reported[0]


@pytest.mark.parametrize(
    ("change", "output"),
    [
        ({"config": {"a": 2}}, "different values"),
        ({"config": None}, "different values"),
        ({"chart": {"metadata": {"name": "other", "version": "2.0"}}}, "chart other, not op and version 2.0, not 1.0"),
    ],
)
def test_another_release_is_left_alone_with_the_ways_out(
    change: dict[str, Any], output: str, server: ApiServer
) -> None:
    taken = Taken(server, IN_USE, [record(1, **change)])
    assert (taken.again, taken.deleted, taken.warned) == (False, [], [])
    assert f"with {output}\n" in taken.reported[0]
    assert "kubectl delete secret -n ml -l owner=helm,name=op" in taken.reported[0]
    assert "installation: existing" in taken.reported[0]


def test_one_that_went_meanwhile_is_tried_again(server: ApiServer) -> None:
    taken = Taken(server, IN_USE, [])
    assert (taken.again, taken.reported, taken.warned) == (True, [], [])


@pytest.mark.parametrize(
    "secrets",
    [
        Answer({"message": "not yours"}, 403),
        [{"metadata": {"namespace": "ml", "name": "r1"}, "data": {"release": "%%"}}],
    ],
)
def test_records_that_can_not_be_read_are_not_touched(secrets: Any, server: ApiServer) -> None:
    taken = Taken(server, IN_USE, secrets)
    assert (taken.again, taken.deleted) == (False, [])
    assert "its record can't be read" in taken.reported[0]


def test_another_failure_is_told_with_where_to_look_and_nothing_is_asked(server: ApiServer) -> None:
    taken = Taken(server, "timed out waiting for the condition", [record(1)])
    assert (taken.again, taken.deleted) == (False, [])
    assert taken.reported[0].startswith("Helm release ml/op failed: ")
    assert "helm status -n ml op" in taken.reported[0]
    assert server.asked == []


def test_a_server_that_refuses_is_the_caller_s_to_tell(server: ApiServer) -> None:
    server.rules["*"] = Answer({"message": "who are you"}, 401)
    with pytest.raises(InputError, match="refused the credentials: 401 Unauthorized: who are you"):
        on(server, lambda connection: take_over(connection, RELEASE, IN_USE, print, print))
