"""Where a DynamoGraphDeployment stands, by its status (nvidia.com/v1alpha1 as of release 1.1.1)."""

from typing import Any

from airunway.provider.contract import Object
from airunway.provider.observation import (
    Observation,
    Phase,
    Readiness,
    ReadyState,
    Replicas,
    complaint,
    conditions_of,
    short_of,
    whole,
)

_STATE = ReadyState(
    "state",
    {
        "successful": Phase.RUNNING,
        "initializing": Phase.DEPLOYING,
        "deploying": Phase.DEPLOYING,
        "failed": Phase.FAILED,
        "pending": Phase.PENDING,
    },
)
READY: Readiness = _STATE


_NOT_WORKERS = ("frontend", "epp", "planner")


def observe(obj: Object) -> Observation:
    """What a graph's status says; replicas are those of its workers."""
    status, conditions = obj.get("status") or {}, conditions_of(obj)
    state, phase = _STATE.of(obj), _STATE.phase(obj)
    replicas = _replicas((obj.get("spec") or {}).get("services") or {}, status.get("services") or {})
    message = short_of(replicas) if phase is Phase.RUNNING and status.get("services") else complaint(conditions)
    if state and phase is None:
        message = f"unknown state {state}"
    return Observation(phase or Phase.PENDING, message, replicas, conditions)


def _replicas(services: dict[str, Any], seen: dict[str, Any]) -> Replicas:
    """Summed over the workers. A service that Grove runs reports ready replicas only, a Deployment may report available ones only."""
    workers = [name for name, s in services.items() if str(s.get("componentType") or name).lower() not in _NOT_WORKERS]
    counts = [seen.get(name) or {} for name in workers]
    ready = sum(whole(c.get("readyReplicas", c.get("availableReplicas"))) for c in counts)
    available = sum(whole(c.get("availableReplicas", c.get("readyReplicas"))) for c in counts)
    return Replicas(sum(whole(services[name].get("replicas", 1)) for name in workers), ready, available)
