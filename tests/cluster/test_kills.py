"""Cluster (real engine, provider and kube-apiserver): Pulumi is killed at a point of up, update or destroy, and the
next command goes on.

By default a few of the points are tried; `KILLS=all` tries all 20.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation as auto
from pulumi.automation import events

from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine, shipped
from tests.cluster.operator import operator
from tests.cluster.stacks import everything

# Operation, and after how many of its steps have begun it is killed.
ALL = [("up", n) for n in (2, 5, 8, 11, 13, 15, 17, 19, 21, 23)] + [("update", n) for n in (1, 2, 3, 4, 5)]
ALL += [("destroy", n) for n in (2, 6, 12, 18, 24)]
SOME = [("up", 8), ("up", 23), ("update", 3), ("destroy", 6)]
CHANGED = ("qwen-cpu", "qwen-gpu", "llama-sglang", "llama-trtllm", "mistral-ray")


def kill(engine: Engine) -> int:
    """SIGKILL for each Pulumi process of this engine but the provider, which the system would not pick; how many there
    were.
    """
    count = 0
    for process in Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            mine = str(engine.folder).encode() in (process / "environ").read_bytes()
        except OSError:
            continue
        name = Path(command[0].decode()).name
        if mine and name in ("pulumi", "pulumi-language-python"):
            os.kill(int(process.name), signal.SIGKILL)
            count += 1
    return count


class KillAt:
    """Kills the engine when the n-th step of an operation on a Kubernetes object has begun."""

    def __init__(self, engine: Engine, count: int) -> None:
        self.engine, self.left, self.killed = engine, count, 0

    def __call__(self, event: events.EngineEvent) -> None:
        step = event.resource_pre_event
        if (
            step is None
            or not step.metadata.type.startswith("kubernetes:")
            or step.metadata.op.value in ("same", "read")
        ):
            return
        self.left -= 1
        if self.left == 0:
            self.killed = kill(self.engine)


def dev(cluster: Cluster, charts: dict[str, Any], *, changed: bool = False) -> dict[str, Any]:
    """The settings of the dev stack, or of it with another context length in five deployments."""
    values = shipped("dev") | {"cluster": {"kubeconfig": str(cluster.kubeconfig())}, "providers": charts}
    if changed:
        for entry in values["deployments"]:
            entry["engine"] = entry.get("engine", {}) | ({"contextLength": 4096} if entry["name"] in CHANGED else {})
    return values


def killed(act: Callable[..., Any], engine: Engine, count: int) -> None:
    watch = KillAt(engine, count)
    with pytest.raises((auto.CommandError, ValueError)):  # a line of the event log may be cut off
        act(on_event=watch)
    assert watch.killed, "there was something to kill"
    mend_state(engine)


def mend_state(engine: Engine) -> None:
    """Delete the empty file of attributes that Pulumi leaves where it is killed while it writes its state, as
    docs/deploy.md says.

    The backend of files writes the state whole and its attributes not (3.259: "failed to load checkpoint: EOF").
    """
    attributes = engine.folder / "state" / ".pulumi" / "stacks" / "airunway" / "dev.json.attrs"
    if attributes.exists() and not attributes.read_text():
        attributes.unlink()


@pytest.mark.parametrize(("operation", "count"), ALL if os.environ.get("KILLS") == "all" else SOME)
def test_the_next_command_goes_on_with_nothing_double_orphaned_or_stuck(
    cluster: Cluster, engine: Engine, charts: dict[str, Any], operation: str, count: int
) -> None:
    with operator(cluster):
        stack = engine.stack("dev", dev(cluster, charts))
        if operation != "up":
            stack.up()
        if operation == "update":
            stack = engine.stack("dev", dev(cluster, charts, changed=True))
        killed(stack.destroy if operation == "destroy" else stack.up, engine, count)
        stack.cancel()  # the dead engine's lock
        if operation == "destroy":
            stack.refresh(clear_pending_creates=True)  # Helm does not uninstall what is gone, as docs/deploy.md says
            stack.destroy()
            assert remaining(cluster)
            return
        stack.up()
        assert (stack.up().summary.resource_changes or {}).keys() == {"same"}
        stack.refresh(clear_pending_creates=True)  # Pulumi warns of them until then
        assert stack.preview().change_summary.keys() == {auto.OpType.SAME}
        stack.destroy()
        assert remaining(cluster)


def remaining(cluster: Cluster) -> bool:
    """Whether nothing of the stack is left but what it says it keeps."""
    left = {path.rsplit("/", 3)[-3] + "/" + path.rsplit("/", 1)[-1] for path in everything(cluster)}
    return {path for path in left if not path.startswith("namespaces/")} <= {"persistentvolumeclaims/airunway-registry"}
