"""Stands in for operators that roll a change out: they confirm it, bring it up beside what serves, and go over to it,
or never do.

The statuses are those that KubeRay 1.7.0 and KAITO 0.12.0 were seen to write, and Dynamo's operator of April 2026.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.cluster.apiserver import Cluster, now
from tests.cluster.background import background
from tests.cluster.operator import collection, ready_status, set_status

BROKEN = {
    "RayService": "application llm is DEPLOY_FAILED: Deploying app 'llm' failed: ValueError: no such flag",
    "DynamoGraphDeployment": "image can't be pulled",
    "Workspace": 'container "model" image pull failed (ImagePullBackOff): Back-off pulling image "x/broken:1"',
}
"""What is said of a change that never serves."""

NO_CLUSTER = {"rayClusterName": None, "applicationStatuses": None, "rayClusterStatus": {"desiredCPU": "0", "head": {}}}
"""The part of a RayService's status about a cluster that there is none of."""

REVISION = "workspace.kaito.io/revision"


def condition(type_: str, status: str, generation: int, message: str = "") -> dict[str, Any]:
    return {
        "type": type_,
        "status": status,
        "reason": "Test",
        "message": message,
        "lastTransitionTime": now(),
        "observedGeneration": generation,
    }


def confirmed(kind: str, generation: int) -> dict[str, Any]:
    """The status right after a change, in which all seems to be well."""
    match kind:
        case "RayService":
            return {"conditions": [condition("Ready", "True", generation)], "observedGeneration": generation}
        case "DynamoGraphDeployment":
            return {"state": "successful", "observedGeneration": generation}
        case _:
            return {"state": "Ready", "conditions": [condition("InferenceReady", "True", generation)]}


def under_way(kind: str, generation: int, *, broken: bool = False) -> dict[str, Any]:
    """The status while the change is brought up."""
    match kind:
        case "RayService":
            state = (
                {"status": "DEPLOY_FAILED", "message": BROKEN[kind].partition(": ")[2]}
                if broken
                else {"status": "DEPLOYING"}
            )
            return {
                "conditions": [
                    condition("Ready", "True", generation),
                    condition("UpgradeInProgress", "True", generation, "Both active and pending Ray clusters exist"),
                ],
                "observedGeneration": generation,
                # While there is another cluster, nothing is told of the applications of this one.
                "activeServiceStatus": {"rayClusterName": "ray-active", "applicationStatuses": None},
                "pendingServiceStatus": {"rayClusterName": "ray-next", "applicationStatuses": {"llm": state}},
            }
        case "DynamoGraphDeployment":
            message = BROKEN[kind] if broken else "0 of 1 workers are ready"
            return {
                "state": "failed" if broken else "pending",
                "observedGeneration": generation,
                "conditions": [condition("Ready", "False", generation, message)],
            }
        case _:
            message = BROKEN[kind] if broken else "Inference workload is not ready"
            return {"state": "NotReady", "conditions": [condition("InferenceReady", "False", generation, message)]}


def served(kind: str, generation: int) -> dict[str, Any]:
    """The status when the change serves."""
    if kind != "RayService":
        return ready_status(kind, generation)
    upgrade = condition(
        "UpgradeInProgress", "False", generation, "Active Ray cluster exists and no pending Ray cluster"
    )
    return {
        "conditions": [condition("Ready", "True", generation), upgrade],
        "observedGeneration": generation,
        "activeServiceStatus": {"rayClusterName": "ray-next", "applicationStatuses": {"llm": {"status": "RUNNING"}}},
        "pendingServiceStatus": NO_CLUSTER,
    }


class Pods:
    """The StatefulSet of a Workspace, as KAITO and the StatefulSet controller of Kubernetes 1.36 write it."""

    def __init__(self, cluster: Cluster, workspace: dict[str, Any]) -> None:
        self._cluster, self._name = cluster, workspace["metadata"]["name"]
        self._collection = f"/apis/apps/v1/namespaces/{workspace['metadata']['namespace']}/statefulsets"
        if not cluster.get(f"{self._collection}/{self._name}"):
            labels = {"app": self._name}
            template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "model", "image": "x"}]}}
            spec = {"serviceName": self._name, "selector": {"matchLabels": labels}, "template": template}
            body = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": self._name}, "spec": spec}
            cluster.send("POST", self._collection, body)

    def change(self, revision: int) -> None:
        """Take up the change; the old pod is ready until it has ended."""
        marked = {"annotations": {REVISION: str(revision)}}
        body = {"metadata": marked, "spec": {"template": {"metadata": marked}}}
        self._cluster.send("PATCH", f"{self._collection}/{self._name}", body, "application/merge-patch+json")
        self.show(updated=0, ready=1)

    def show(self, *, updated: int, ready: int) -> None:
        path = f"{self._collection}/{self._name}"
        generation = self._cluster.get(path)["metadata"]["generation"]
        status = {"observedGeneration": generation, "replicas": 1, "updatedReplicas": updated, "readyReplicas": ready}
        self._cluster.send("PATCH", f"{path}/status", {"status": status}, "application/merge-patch+json")


@contextmanager
def rolling_operator(cluster: Cluster, kind: str, namespace: str, *, broken: bool = False) -> Iterator[list[float]]:
    """Makes what is created serve at once; a change after some seconds, or never. The times at which changes serve."""
    stop, generations, times = threading.Event(), dict[str, int](), list[float]()

    def show(obj: dict[str, Any], status: dict[str, Any], pause: float) -> None:
        set_status(cluster, kind, obj, status)
        stop.wait(pause)

    def roll_out(obj: dict[str, Any], generation: int) -> None:
        pods = Pods(cluster, obj) if kind == "Workspace" else None
        if pods:
            pods.change(generation)
        show(obj, confirmed(kind, generation), 12 if pods else 0.5)
        if pods:
            pods.show(updated=1, ready=0)
        show(obj, under_way(kind, generation, broken=broken), 4)
        if not broken:
            if pods:
                pods.show(updated=1, ready=1)
            times.append(time.monotonic())
            set_status(cluster, kind, obj, served(kind, generation))

    def run() -> None:
        while not stop.wait(0.1):
            for obj in cluster.items(collection(kind, namespace)):
                uid, generation = obj["metadata"]["uid"], obj["metadata"]["generation"]
                if uid not in generations:
                    if kind == "Workspace":
                        Pods(cluster, obj).show(updated=1, ready=1)
                    set_status(cluster, kind, obj, served(kind, generation))
                elif generation != generations[uid]:
                    roll_out(obj, generation)
                generations[uid] = generation

    with background(run, stop):
        yield times


@contextmanager
def ending(cluster: Cluster, kind: str, namespace: str, name: str, *, seconds: float) -> Iterator[None]:
    """Holds one object that is deleted by a finalizer until so many seconds after, as KAITO does while pods end."""
    path, stop = f"{collection(kind, namespace)}/{name}", threading.Event()

    def set_finalizers(finalizers: list[str]) -> None:
        cluster.send("PATCH", path, {"metadata": {"finalizers": finalizers}}, "application/merge-patch+json")

    def run() -> None:
        while not stop.wait(0.1):
            if "deletionTimestamp" in (cluster.get(path) or {"metadata": {}})["metadata"]:
                stop.wait(seconds)
                set_finalizers([])
                return

    set_finalizers(["workspace.finalizer.kaito.sh"])
    with background(run, stop):
        yield
