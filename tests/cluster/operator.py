"""Stands in for the operators of a cluster: gives their objects the status that the real ones give."""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.cluster.apiserver import Cluster, now
from tests.cluster.background import background

LISTS = {
    "Workspace": "/apis/kaito.sh/v1beta1/workspaces",
    "DynamoGraphDeployment": "/apis/nvidia.com/v1beta1/dynamographdeployments",
    "RayService": "/apis/ray.io/v1/rayservices",
    "ModelDeployment": "/apis/airunway.ai/v1alpha1/modeldeployments",
}
MODELS = ("Workspace", "DynamoGraphDeployment", "RayService")


def ready_status(kind: str, generation: int) -> dict[str, Any]:
    """The status of an object that serves, as far as KAITO 0.12.0 and KubeRay 1.7.0 were seen to write it."""
    shared = {"status": "True", "reason": "Test", "message": "", "lastTransitionTime": now()}
    condition: dict[str, Any] = shared | {"observedGeneration": generation}
    match kind:
        case "Workspace":
            types = ("NodesReady", "ResourceReady", "InferenceReady", "WorkspaceSucceeded")
            return {"state": "Ready", "conditions": [condition | {"type": type_} for type_ in types]}
        case "DynamoGraphDeployment":
            return {"state": "successful", "observedGeneration": generation}
        case "ModelDeployment":
            return {"phase": "Running", "observedGeneration": generation}
        case _:
            upgrade = condition | {"type": "UpgradeInProgress", "status": "False"}
            return {"conditions": [condition | {"type": "Ready"}, upgrade], "observedGeneration": generation}


def collection(kind: str, namespace: str) -> str:
    """Path of the objects of one kind in one namespace."""
    group, plural = LISTS[kind].rsplit("/", 1)
    return f"{group}/namespaces/{namespace}/{plural}"


def set_status(cluster: Cluster, kind: str, obj: Any, status: dict[str, Any]) -> None:
    metadata = obj["metadata"]
    path = collection(kind, metadata["namespace"])
    cluster.send("PATCH", f"{path}/{metadata['name']}/status", {"status": status}, "application/merge-patch+json")


@contextmanager
def operator(cluster: Cluster, kinds: tuple[str, ...] = tuple(LISTS)) -> Iterator[None]:
    """While it runs, every object of ``kinds`` becomes ready soon after it appears."""
    stop = threading.Event()
    observed: set[tuple[str, int]] = set()

    def run() -> None:
        while not stop.wait(0.1):
            for kind in kinds:
                with contextlib.suppress(OSError, AssertionError):  # the server is away, which some tests want
                    for obj in cluster.items(LISTS[kind]):
                        mark = (obj["metadata"]["uid"], obj["metadata"].get("generation", 1))
                        if mark not in observed:
                            set_status(cluster, kind, obj, ready_status(kind, mark[1]))
                            observed.add(mark)

    with background(run, stop):
        yield
