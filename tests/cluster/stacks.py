"""What the tests of this tier share: settings of stacks, what the engine did, and what is in the cluster."""

import copy
import time
from collections.abc import Callable
from typing import Any

import pytest
from pulumi import automation as auto
from pulumi.automation import events

from tests.cluster.apiserver import Cluster
from tests.cluster.operator import LISTS
from tests.deployments import CPU

VIA = CPU | {"name": "via", "delivery": "modeldeployment"}


def settings(cluster: Cluster, *deployments: Any, **more: Any) -> dict[str, Any]:
    """Settings of a stack on ``cluster``, whose operators are there unless ``more`` says otherwise."""
    there = {name: {"installation": "existing"} for name in ("dynamo", "kaito", "kuberay")}
    base = {
        "cluster": {"kubeconfig": str(cluster.kubeconfig())},
        "namespace": "ml",
        "readyTimeout": "60s",
        "providers": there,
    }
    return base | {"deployments": list(deployments)} | more


class Steps:
    """What the engine did to Kubernetes objects in one operation, as (operation, type, name), in the order in which it
    ended.
    """

    def __init__(self) -> None:
        self.done: list[tuple[str, str, str]] = []
        self.messages: list[str] = []

    def __call__(self, event: events.EngineEvent) -> None:
        if event.res_outputs_event:
            step = event.res_outputs_event.metadata
            if step.type.startswith("kubernetes:"):
                self.done.append((step.op.value, step.type.rsplit(":", 1)[-1], step.urn.rsplit("::", 1)[-1]))
        if event.diagnostic_event and event.diagnostic_event.severity != "debug":
            self.messages.append(event.diagnostic_event.message)

    def changes(self) -> list[tuple[str, str, str]]:
        """All but what stayed the same or was only looked at."""
        return [step for step in self.done if step[0] not in ("same", "refresh", "read")]

    @property
    def text(self) -> str:
        """All that was said to a user."""
        return "\n".join(self.messages)

    def kinds(self, operation: str) -> list[str]:
        return [kind for op, kind, _ in self.done if op == operation]


def failed(operation: Callable[..., Any]) -> Steps:
    """What an operation did and said that has to fail."""
    steps = Steps()
    with pytest.raises(auto.CommandError):
        operation(on_event=steps)
    return steps


def everything(cluster: Cluster) -> dict[str, Any]:
    """Every object that a stack might make, by path."""
    lists = [
        *LISTS.values(),
        "/apis/apps/v1/deployments",
        "/apis/batch/v1/jobs",
        "/api/v1/namespaces",
        "/api/v1/secrets",
        "/api/v1/configmaps",
        "/api/v1/persistentvolumeclaims",
    ]
    lists += ["/api/v1/services", "/api/v1/serviceaccounts", "/apis/networking.k8s.io/v1/networkpolicies"]
    result = {}
    for path in lists:
        for obj in cluster.items(path):
            metadata = obj["metadata"]
            if "airunway.ai/managed-by" in (metadata.get("labels") or {}):
                result[f"{path}/{metadata.get('namespace', '')}/{metadata['name']}"] = obj
    return result


def forget(stack: auto.Stack, kind: str) -> None:
    """Take the resources of a kind out of the state, as an update does that is killed before it could write them
    down.
    """
    state = stack.export_stack()
    deployment: dict[str, Any] = copy.deepcopy(dict(state.deployment or {}))
    gone = {r["urn"] for r in deployment["resources"] if r["type"].rsplit(":", 1)[-1] == kind}
    assert gone
    deployment["resources"] = [r for r in deployment["resources"] if r["urn"] not in gone]
    for resource in deployment["resources"]:
        resource["dependencies"] = [urn for urn in resource.get("dependencies", []) if urn not in gone]
        resource.pop("propertyDependencies", None)
    stack.import_stack(auto.Deployment(version=state.version, deployment=deployment))


SYSTEM = ("default", "kube-node-lease", "kube-public", "kube-system")
SWEPT = (
    *LISTS.values(),
    *(f"/apis/apps/v1/{plural}" for plural in ("deployments", "replicasets", "statefulsets")),
    "/apis/batch/v1/jobs",
    *(
        f"/api/v1/{plural}"
        for plural in ("services", "pods", "persistentvolumeclaims", "secrets", "configmaps", "serviceaccounts")
    ),
    "/apis/networking.k8s.io/v1/networkpolicies",
)


def sweep(cluster: Cluster) -> None:
    """Delete what is in the namespaces of tests, and what our stacks and charts leave elsewhere."""
    options = {"propagationPolicy": "Background", "gracePeriodSeconds": 0}
    deadline = time.monotonic() + 60
    while left := [
        (path, obj) for path in SWEPT for obj in cluster.items(path) if obj["metadata"]["namespace"] not in SYSTEM
    ]:
        for path, obj in left:
            metadata, (group, plural) = obj["metadata"], path.rsplit("/", 1)
            address = f"{cluster.url}{group}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}"
            if metadata.get("finalizers"):
                nothing = {"metadata": {"finalizers": None}}
                cluster.session.patch(
                    address, json=nothing, headers={"Content-Type": "application/merge-patch+json"}, timeout=30
                )
            cluster.session.delete(address, json=options, timeout=30)
        assert time.monotonic() < deadline, [f"{path} {obj['metadata']['name']}" for path, obj in left]


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """What ``condition`` gives once it gives something; a failure after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, "what is waited for did not come about"
        time.sleep(0.05)
    return result


def names(cluster: Cluster, kind: str, namespace: str) -> list[str]:
    """Names of the objects of one kind in one namespace."""
    return sorted(o["metadata"]["name"] for o in cluster.items(LISTS[kind]) if o["metadata"]["namespace"] == namespace)
