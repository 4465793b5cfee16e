"""The status of a KAITO Workspace (kaito.sh/v1beta1 as of 0.12.0)."""

from airunway.provider.contract import Object
from airunway.provider.live_object import LiveModel, Status, read_as
from airunway.provider.observation import Observation, Phase, Readiness, ReadyState, Replicas, failure_message, is_true


class WorkspaceStatus(Status):
    """The status of a Workspace."""

    state: str = ""
    target_node_count: int | None = None


class NodeCount(LiveModel):
    """The desired number of nodes of a Workspace."""

    count: int = 1


class ObservedWorkspace(LiveModel):
    """The fields of a Workspace that its status is derived from."""

    resource: NodeCount = NodeCount()
    status: WorkspaceStatus = WorkspaceStatus()


# Inference Workspaces have Ready and NotReady; only tuning jobs have Succeeded (0.10.0, workspace_controller.go).
_STATE = ReadyState(
    "state", {"Ready": Phase.RUNNING, "NotReady": Phase.DEPLOYING, "Pending": Phase.PENDING, "Failed": Phase.FAILED}
)
READY: Readiness = _STATE


def observe(obj: Object) -> Observation:
    """The status of a Workspace. KAITO doesn't count ready replicas: all are ready when the Workspace is."""
    workspace = read_as(ObservedWorkspace, obj)
    status, conditions = workspace.status, tuple(workspace.status.conditions)
    phase = _STATE.phases.get(status.state)
    desired = status.target_node_count or workspace.resource.count
    ready = desired if phase is Phase.RUNNING else 0
    message = failure_message(conditions) if phase is not Phase.RUNNING else ""
    if status.state and phase is None:
        message = f"unknown state {status.state}"
    elif not status.state and is_true(conditions, "WorkspaceSucceeded"):
        message = "its operator reports no status.state, as releases from 0.9 on do"
    return Observation(phase or Phase.PENDING, message, Replicas(desired, ready, ready), conditions)
