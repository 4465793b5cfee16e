"""Tier 6 (real engine, real kube-apiserver): what goes wrong in mid-update, and that the next update mends it."""

import os
import signal
import subprocess
import threading
import time

import pytest
from pulumi import automation as auto

from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.operator import operator
from tests.cluster.proxy import fault_proxy
from tests.cluster.stacks import CPU, GPU, Steps, names, settings, until


def engine_processes(engine: Engine) -> list[int]:
    """The `pulumi up` processes of this state folder."""
    found = subprocess.run(["pgrep", "-f", "pulumi up"], capture_output=True, text=True).stdout.split()
    marked = []
    for pid in found:
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ:
                if str(engine.folder).encode() in environ.read():
                    marked.append(int(pid))
        except OSError:
            continue
    return marked


def started(stack: auto.Stack, errors: list[BaseException]) -> threading.Thread:
    """An update in the background."""

    def run() -> None:
        try:
            stack.up()
        except auto.CommandError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_an_engine_killed_in_mid_update_leaves_nothing_that_the_next_update_does_not_take_over(cluster: Cluster, engine: Engine) -> None:
    stack = engine.stack("killed", settings(cluster, CPU, GPU, namespace="killed"))
    errors: list[BaseException] = []
    update = started(stack, errors)
    until(lambda: names(cluster, "Workspace", "killed") and names(cluster, "DynamoGraphDeployment", "killed"))
    for pid in engine_processes(engine):
        os.kill(pid, signal.SIGKILL)
    update.join()
    assert errors, "the update was cut off"
    uid = cluster.get("/apis/kaito.sh/v1beta1/namespaces/killed/workspaces/cpu")["metadata"]["uid"]
    stack.cancel()  # the dead engine's lock
    with operator(cluster):
        stack.up()
        assert set(stack.up().summary.resource_changes or {}) == {"same"}
    assert (names(cluster, "Workspace", "killed"), names(cluster, "DynamoGraphDeployment", "killed")) == (["cpu"], ["gpu"])
    assert cluster.get("/apis/kaito.sh/v1beta1/namespaces/killed/workspaces/cpu")["metadata"]["uid"] == uid
    stack.destroy()
    assert names(cluster, "Workspace", "killed") == []


@pytest.mark.parametrize("status", [429, 503])
def test_an_api_server_that_is_busy_for_a_while_is_asked_again(cluster: Cluster, engine: Engine, status: int) -> None:
    name = f"busy{status}"
    with fault_proxy(cluster) as proxy, operator(cluster):
        there = {"kubeconfig": str(cluster.kubeconfig(server=proxy.url))}
        stack = engine.stack(name, settings(cluster, CPU, namespace=name) | {"cluster": there})
        proxy.faults = [status] * 4
        stack.up()
        assert proxy.refused == 4
        stack.destroy()


def test_a_restart_of_etcd_in_mid_update_is_survived(cluster: Cluster, engine: Engine) -> None:
    stack = engine.stack("etcd", settings(cluster, CPU, namespace="etcd"))
    errors: list[BaseException] = []
    update = started(stack, errors)
    until(lambda: names(cluster, "Workspace", "etcd"))
    cluster.stop("etcd")
    time.sleep(1)
    cluster.start_etcd()
    cluster.wait()
    with operator(cluster):
        update.join()
        if errors:  # a request may have met the gap: the next update goes on from there
            stack.up()
        assert set(stack.up().summary.resource_changes or {}) == {"same"}
    assert names(cluster, "Workspace", "etcd") == ["cpu"]
    stack.destroy()


def test_of_two_updates_at_once_one_is_refused(cluster: Cluster, engine: Engine) -> None:
    values = settings(cluster, CPU, namespace="twice")
    stack = engine.stack("twice", values)
    errors: list[BaseException] = []
    first = started(stack, errors)
    until(lambda: names(cluster, "Workspace", "twice"))
    second = auto.select_stack("twice", project_name="airunway", program=lambda: None, opts=engine.options())
    with pytest.raises(auto.ConcurrentUpdateError):
        second.up()
    with operator(cluster):
        first.join()
    assert errors == []
    steps = Steps()
    stack.destroy(on_event=steps)
    assert ("delete", "Workspace", "cpu") in steps.changes()
