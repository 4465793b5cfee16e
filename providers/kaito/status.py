"""Where a KAITO Workspace stands, by its status (kaito.sh/v1beta1 as of 0.10.0)."""

from airunway.provider.contract import Object
from airunway.provider.live_object import LiveModel, Status, read_as
from airunway.provider.observation import Observation, Phase, Readiness, ReadyState, Replicas, complaint, is_true


class WorkspaceStatus(Status):
    """Where a Workspace stands."""

    state: str = ""
    target_node_count: int | None = None


class NodeCount(LiveModel):
    """How many nodes a Workspace wants."""

    count: int = 1


class ObservedWorkspace(LiveModel):
    """What is read of a Workspace to tell where it stands."""

    resource: NodeCount = NodeCount()
    status: WorkspaceStatus = WorkspaceStatus()


# Ready and NotReady are an inference Workspace's; Succeeded is a tuning job's only (0.10.0, workspace_controller.go).
_STATE = ReadyState(
    "state", {"Ready": Phase.RUNNING, "NotReady": Phase.DEPLOYING, "Pending": Phase.PENDING, "Failed": Phase.FAILED}
)
READY: Readiness = _STATE


def observe(obj: Object) -> Observation:
    """What a Workspace's status says. KAITO counts no replicas: all of them are ready when the Workspace is."""
    workspace = read_as(ObservedWorkspace, obj)
    status, conditions = workspace.status, tuple(workspace.status.conditions)
    phase = _STATE.phases.get(status.state)
    desired = status.target_node_count or workspace.resource.count
    ready = desired if phase is Phase.RUNNING else 0
    message = complaint(conditions) if phase is not Phase.RUNNING else ""
    if status.state and phase is None:
        message = f"unknown state {status.state}"
    elif not status.state and is_true(conditions, "WorkspaceSucceeded"):
        message = "its operator reports no status.state, as releases from 0.9 on do"
    return Observation(phase or Phase.PENDING, message, Replicas(desired, ready, ready), conditions)
