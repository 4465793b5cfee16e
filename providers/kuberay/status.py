"""Where a RayService stands, by its status (ray.io/v1 as of operator 1.7.0)."""

from typing import Any

from airunway.provider.contract import Object
from airunway.provider.observation import (
    Observation,
    Phase,
    Readiness,
    ReadyCondition,
    Replicas,
    complaint,
    conditions_of,
    short_of,
    whole,
)

_CONDITION = ReadyCondition("Ready")
READY: Readiness = _CONDITION


def observe(obj: Object) -> Observation:
    """What a RayService's status says: its condition Ready, then the applications of the cluster that serves.

    While a new cluster is brought up beside the one that serves, the deployment goes on running.
    """
    status, conditions = obj.get("status") or {}, conditions_of(obj)
    active, pending = status.get("activeServiceStatus") or {}, status.get("pendingServiceStatus") or {}
    ready, troubles = _CONDITION.of(obj), _troubles(active)
    if any(state == "DEPLOY_FAILED" for state, _ in troubles):
        phase = Phase.FAILED
    elif ready:
        phase = Phase.RUNNING
    elif any(state == "DEPLOY_FAILED" for state, _ in _troubles(pending)):
        phase = Phase.FAILED
    else:
        phase = Phase.DEPLOYING if ready is False or active or pending else Phase.PENDING
    groups = ((obj.get("spec") or {}).get("rayClusterConfig") or {}).get("workerGroupSpecs") or []
    workers = active.get("rayClusterStatus") or {}
    counts = (workers.get("readyWorkerReplicas"), workers.get("availableWorkerReplicas"))
    replicas = Replicas(sum(whole(g.get("replicas", 1)) for g in groups), *map(whole, counts))
    said = [text for _, text in troubles] + [f"upgrade: {text}" for _, text in _troubles(pending) if ready]
    rest = complaint(conditions) if phase is not Phase.RUNNING else short_of(replicas) if workers else ""
    return Observation(phase, "; ".join(said or ([text for _, text in _troubles(pending)] or [rest])), replicas, conditions)


def _troubles(service: dict[str, Any]) -> list[tuple[str, str]]:
    """State and text of each application that fails or is unhealthy."""
    found = []
    for name, application in sorted((service.get("applicationStatuses") or {}).items()):
        state = application.get("status")
        if state in ("DEPLOY_FAILED", "UNHEALTHY"):
            found.append((state, f"application {name} is {state}: {application.get('message') or 'no message'}"))
    return found
