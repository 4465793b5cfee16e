"""Where a KAITO Workspace stands, by its status (kaito.sh/v1beta1 as of 0.10.0)."""

from airunway.provider.contract import Object
from airunway.provider.observation import (
    Observation,
    Phase,
    Readiness,
    ReadyState,
    Replicas,
    complaint,
    conditions_of,
    is_true,
    whole,
)

# Ready and NotReady are an inference Workspace's; Succeeded is a tuning job's only (0.10.0, workspace_controller.go).
_STATE = ReadyState("state", {"Ready": Phase.RUNNING, "NotReady": Phase.DEPLOYING, "Pending": Phase.PENDING, "Failed": Phase.FAILED})
READY: Readiness = _STATE


def observe(obj: Object) -> Observation:
    """What a Workspace's status says. KAITO counts no replicas: all of them are ready when the Workspace is."""
    status, conditions = obj.get("status") or {}, conditions_of(obj)
    state, phase = _STATE.of(obj), _STATE.phase(obj)
    desired = whole(status.get("targetNodeCount") or (obj.get("resource") or {}).get("count", 1))
    ready = desired if phase is Phase.RUNNING else 0
    message = complaint(conditions) if phase is not Phase.RUNNING else ""
    if state and phase is None:
        message = f"unknown state {state}"
    elif not state and is_true(conditions, "WorkspaceSucceeded"):
        message = "its operator reports no status.state, as releases from 0.9 on do"
    return Observation(phase or Phase.PENDING, message, Replicas(desired, ready, ready), conditions)
