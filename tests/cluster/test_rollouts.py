"""Cluster (real engine, provider and kube-apiserver): an update ends when the change serves, or with why it does not.

The operators are stood in for by `rolling_operator.py`.
"""

import time
from typing import Any

import pytest

from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.operator import operator
from tests.cluster.rolling_operator import BROKEN, ending, rolling_operator
from tests.cluster.stacks import Steps, failed, settings
from tests.deployments import CPU, GPU, RAY

PRESET = GPU | {"name": "preset", "model": {"id": "org/preset"}, "provider": {"name": "kaito"}}
CHANGE = {"engine": {"contextLength": 4096}}
KINDS = [(RAY, "RayService"), (GPU, "DynamoGraphDeployment"), (PRESET, "Workspace")]


@pytest.mark.parametrize(("deployment", "kind"), KINDS)
def test_an_update_ends_when_the_change_serves_and_not_before(
    cluster: Cluster, engine: Engine, deployment: dict[str, Any], kind: str
) -> None:
    with rolling_operator(cluster, kind, "roll") as times:
        engine.stack("roll", settings(cluster, deployment, namespace="roll")).up()
        steps = Steps()
        stack = engine.stack("roll", settings(cluster, deployment | CHANGE, namespace="roll"))
        stack.up(on_event=steps)
        ended = time.monotonic()
    assert ("update", kind, deployment["name"]) in steps.changes()
    assert times
    assert times[0] < ended
    stack.destroy()


@pytest.mark.parametrize(("deployment", "kind"), KINDS)
def test_an_update_whose_change_never_serves_fails_with_what_was_last_seen(
    cluster: Cluster, engine: Engine, deployment: dict[str, Any], kind: str
) -> None:
    name = deployment["name"]
    with rolling_operator(cluster, kind, "broken", broken=True):
        engine.stack("broken", settings(cluster, deployment, namespace="broken")).up()
        changed = settings(cluster, deployment | CHANGE | {"readyTimeout": "20s"}, namespace="broken")
        stack = engine.stack("broken", changed)
        steps = failed(stack.up)
    assert f"deployment {name}: {kind} broken/{name} did not get ready" in steps.text
    assert BROKEN[kind] in steps.text
    assert "Traceback" not in steps.text
    with rolling_operator(cluster, kind, "broken"):
        again = Steps()
        stack.up(on_event=again)
    assert again.changes() == [], "what was applied is in the state"
    stack.destroy()


def test_what_else_an_update_does_goes_on_while_a_change_is_waited_for(cluster: Cluster, engine: Engine) -> None:
    entry = CPU | {"engine": {"contextLength": 2048}}
    with rolling_operator(cluster, "RayService", "beside", broken=True), operator(cluster, ("Workspace",)):
        engine.stack("beside", settings(cluster, RAY, entry, namespace="beside")).up()
        changed = settings(cluster, RAY | CHANGE, CPU | CHANGE, namespace="beside")
        stack = engine.stack("beside", changed)
        with ending(cluster, "Workspace", "beside", "cpu", seconds=2):
            steps = failed(stack.up)
    assert BROKEN["RayService"] in steps.text
    assert sorted(steps.changes()) == [
        ("create-replacement", "Workspace", "cpu"),
        ("delete-replaced", "Workspace", "cpu"),
        ("replace", "Workspace", "cpu"),
        ("update", "RayService", "ray"),
    ]
    stack.destroy()


def test_an_update_that_is_not_to_be_waited_for_ends_at_once(cluster: Cluster, engine: Engine) -> None:
    with rolling_operator(cluster, "RayService", "skip", broken=True):
        entry = RAY | {"skipAwait": True}
        engine.stack("skip", settings(cluster, entry, namespace="skip")).up()
        stack = engine.stack("skip", settings(cluster, entry | CHANGE, namespace="skip"))
        stack.up()
    stack.destroy()
