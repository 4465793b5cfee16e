"""Stands in for operators that roll a change out: they confirm it, bring it up beside what serves, and go over to it,
or never do.

The statuses are those that KubeRay 1.7.0, Dynamo's operator of April 2026 and KAITO 0.12.0 were seen or read to write.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.cluster.apiserver import Cluster, now
from tests.cluster.operator import collection, ready_status, set_status

BROKEN = "application llm is DEPLOY_FAILED: image example.com/broken:1 can't be pulled"


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
            return {"state": "Ready", "conditions": [condition("InferenceReady", "True", generation - 1)]}


def under_way(kind: str, generation: int, *, broken: bool = False) -> dict[str, Any]:
    """The status while the change is brought up."""
    match kind:
        case "RayService":
            state = (
                {"status": "DEPLOY_FAILED", "message": BROKEN.partition(": ")[2]} if broken else {"status": "DEPLOYING"}
            )
            return {
                "conditions": [
                    condition("Ready", "True", generation),
                    condition("UpgradeInProgress", "True", generation),
                ],
                "observedGeneration": generation,
                "pendingServiceStatus": {"rayClusterName": "ray-next", "applicationStatuses": {"llm": state}},
            }
        case "DynamoGraphDeployment":
            message = "image can't be pulled" if broken else "0 of 1 workers are ready"
            return {
                "state": "failed" if broken else "pending",
                "observedGeneration": generation,
                "conditions": [condition("Ready", "False", generation, message)],
            }
        case _:
            message = "ImagePullError: back-off" if broken else "Inference workload is not ready"
            return {"state": "NotReady", "conditions": [condition("InferenceReady", "False", generation, message)]}


def served(kind: str, generation: int) -> dict[str, Any]:
    """The status when the change serves."""
    if kind != "RayService":
        status = ready_status(kind, generation)
        return (
            status | {"conditions": [condition("InferenceReady", "True", generation)]}
            if kind == "Workspace"
            else status
        )
    conditions = [condition("Ready", "True", generation), condition("UpgradeInProgress", "False", generation)]
    return {"conditions": conditions, "observedGeneration": generation, "pendingServiceStatus": None}


@contextmanager
def rolling_operator(cluster: Cluster, kind: str, namespace: str, *, broken: bool = False) -> Iterator[list[float]]:
    """Makes what is created serve at once; a change after some seconds, or never. The times at which changes serve."""
    stop, generations, times = threading.Event(), dict[str, int](), list[float]()

    def show(obj: dict[str, Any], status: dict[str, Any], pause: float) -> None:
        set_status(cluster, kind, obj, status)
        stop.wait(pause)

    def roll_out(obj: dict[str, Any], generation: int) -> None:
        show(obj, confirmed(kind, generation), 0.5)
        show(obj, under_way(kind, generation, broken=broken), 4)
        if not broken:
            times.append(time.monotonic())
            set_status(cluster, kind, obj, served(kind, generation))

    def run() -> None:
        while not stop.wait(0.1):
            for obj in cluster.items(collection(kind, namespace)):
                uid, generation = obj["metadata"]["uid"], obj["metadata"]["generation"]
                if uid not in generations:
                    set_status(cluster, kind, obj, served(kind, generation))
                elif generation != generations[uid]:
                    roll_out(obj, generation)
                generations[uid] = generation

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield times
    finally:
        stop.set()
        thread.join()
