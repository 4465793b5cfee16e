"""Unit (pure; statuses as kubelet 1.34 writes them): whether a deployment's pods run, and why not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.live.pods import LogSource, PodStatus, pod_status


def pod(**status: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "chat-0"}, "status": status}


def container(**fields: Any) -> dict[str, Any]:
    return {"name": "vllm", "ready": False, "restartCount": 0, "image": "x", "imageID": ""} | fields


WAITING = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x"'}}
KILLED = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "startedAt": None}}
CRASHED = {"waiting": {"reason": "CrashLoopBackOff"}}
COMPLETED = {"terminated": {"reason": "Completed", "exitCode": 0}}
EVICTED = "The node was low on resource: memory."
UNSCHEDULED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available:\n3 Insufficient nvidia.com/gpu.",
}


@pytest.mark.parametrize(
    ("live", "ready", "restarts", "reasons"),
    [
        (pod(phase="Running", containerStatuses=[container(ready=True, state={"running": {}})]), 1, 0, ()),
        (
            pod(phase="Pending", containerStatuses=[container(state=WAITING)]),
            0,
            0,
            ('vllm: ImagePullBackOff: Back-off pulling image "x"',),
        ),
        (
            pod(phase="Running", containerStatuses=[container(restartCount=4, state=CRASHED, lastState=KILLED)]),
            0,
            4,
            ("vllm: CrashLoopBackOff", "vllm: OOMKilled, exit code 137"),
        ),
        (
            pod(phase="Pending", conditions=[UNSCHEDULED]),
            0,
            0,
            ("not scheduled: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",),
        ),
        (pod(phase="Failed", message=EVICTED), 0, 0, (EVICTED,)),
        (pod(phase="Succeeded", containerStatuses=[container(state=COMPLETED)]), 0, 0, ()),
        (
            pod(
                phase="Running", initContainerStatuses=[container(name="init", restartCount=2)], containerStatuses=None
            ),
            0,
            2,
            (),
        ),
        (pod(), 0, 0, ()),
    ],
)
def test_a_pod_says_why_it_is_not_ready(live: Any, ready: int, restarts: int, reasons: tuple[str, ...]) -> None:
    read = pod_status(live)
    assert (read.name, read.ready, read.restarts, read.reasons) == ("chat-0", ready, restarts, reasons)
    assert read.phase == live["status"].get("phase", "Unknown")


def test_a_pod_of_another_shape_is_unknown_with_the_reason() -> None:
    read = pod_status(pod(phase=["Running"]))
    assert read == PodStatus(
        "chat-0", "Unknown", 0, 0, 0, ("can't be read: status.phase: input should be a valid string",)
    )


@given(
    st.dictionaries(
        st.sampled_from(["phase", "message", "conditions", "containerStatuses"]),
        st.none() | st.integers() | st.text() | st.lists(st.dictionaries(st.text(), st.none() | st.text())),
    )
)
def test_whatever_a_status_is_a_pod_is_read(status: dict[str, Any]) -> None:
    assert pod_status(pod(**status)).name == "chat-0"


@pytest.mark.parametrize(
    ("states", "logs"),
    [
        ({"state": {"running": {}}}, ["now"]),
        ({"state": {"running": {}}, "lastState": KILLED}, ["now", "before"]),
        ({"state": CRASHED, "lastState": KILLED}, ["before"]),
        ({"state": COMPLETED}, ["now"]),
        ({"state": WAITING}, []),
    ],
    ids=["runs", "was restarted", "waits to be restarted", "has ended", "has not started"],
)
def test_a_pod_has_the_logs_of_what_has_started(states: dict[str, Any], logs: list[str]) -> None:
    (found,) = [pod_status(pod(containerStatuses=[container(**states)])).logs]
    assert found == tuple(LogSource("vllm", previous=log == "before") for log in logs)
