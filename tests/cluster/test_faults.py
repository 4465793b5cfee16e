"""Cluster (real engine, provider and kube-apiserver): what goes wrong in mid-update, and that the next update mends
it.
"""

import threading
import time

import pytest
from pulumi import automation as auto

from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.operator import operator
from tests.cluster.proxy import fault_proxy
from tests.cluster.stacks import Steps, failed, names, settings, until
from tests.deployments import CPU


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
    stack = engine.stack("twice", settings(cluster, CPU, namespace="twice"))
    errors: list[BaseException] = []
    first = started(stack, errors)
    until(lambda: names(cluster, "Workspace", "twice"))
    second = engine.opened("twice")
    with pytest.raises(auto.ConcurrentUpdateError):
        second.up()
    with operator(cluster):
        first.join()
    assert errors == []
    steps = Steps()
    stack.destroy(on_event=steps)
    assert ("delete", "Workspace", "cpu") in steps.changes()


@pytest.mark.parametrize("status", [429, 503])
def test_an_api_server_that_is_too_busy_for_the_provider_ends_the_update_and_the_next_one_goes_on(
    cluster: Cluster, engine: Engine, status: int
) -> None:
    """The provider asks once for the API server's schema and gives up where that is refused; so it was seen."""
    name = f"busy{status}"
    with fault_proxy(cluster) as proxy, operator(cluster):
        there = {"kubeconfig": str(cluster.kubeconfig(server=proxy.url))}
        stack = engine.stack(name, settings(cluster, CPU, namespace=name) | {"cluster": there})
        proxy.refuse_reads = status
        assert "cluster is unreachable" in failed(stack.up).text
        proxy.refuse_reads = None
        stack.up()
        stack.destroy()
