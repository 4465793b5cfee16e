"""The status of a KAITO Workspace (kaito.sh/v1beta1 as of 0.12.0)."""

from pydantic import Field

from airunway.provider.contract import Object
from airunway.provider.live_object import LiveModel, Status, read_as
from airunway.provider.observation import (
    Observation,
    Phase,
    Readiness,
    ReadyState,
    Replicas,
    Update,
    Workload,
    condition_message,
    is_true,
)


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


_REVISION = "workspace.kaito.io/revision"
"""Annotation with the number of the spec: a Workspace's own, and the one that a preset's StatefulSet was made from."""


class Generation(LiveModel):
    """The generation of a Workspace or StatefulSet, and the annotations that tell its revision."""

    generation: int = 0
    annotations: dict[str, str] = Field({})


class WorkspaceCondition(LiveModel):
    """The generation that a condition is about."""

    type: str
    observed_generation: int | None = None


class WorkspaceConditions(LiveModel):
    """The conditions of a Workspace."""

    conditions: list[WorkspaceCondition] = Field([])


class DatedWorkspace(LiveModel):
    """The fields of a Workspace that tell whether the operator has processed its last change."""

    metadata: Generation = Generation()
    status: WorkspaceConditions = WorkspaceConditions()


class DesiredPods(LiveModel):
    """The desired number of pods of a StatefulSet."""

    replicas: int = 1


class PodCounts(LiveModel):
    """The pods of a StatefulSet; those that end are not counted as updated, but as ready while they are."""

    observed_generation: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0


class ObservedStatefulSet(LiveModel):
    """The fields of a StatefulSet that tell whether its rollout is complete."""

    metadata: Generation = Generation()
    spec: DesiredPods = DesiredPods()
    status: PodCounts = PodCounts()


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
    message = condition_message(conditions) if phase is not Phase.RUNNING else ""
    if status.state and phase is None:
        message = f"unknown state {status.state}"
    elif not status.state and is_true(conditions, "WorkspaceSucceeded"):
        message = "its operator reports no status.state, as releases from 0.9 on do"
    replicas = Replicas(desired, ready, ready)
    return Observation(phase or Phase.PENDING, message, replicas, conditions, update=_update(obj))


def _update(obj: Object) -> Update | None:
    """Return the last change until the operator has written a condition about it.

    A Workspace's status has no generation; its condition InferenceReady does, and the operator renews that at each look
    (0.10.0 and 0.12.0, workspace_controller.go).
    """
    workspace = read_as(DatedWorkspace, obj)
    observed = next((c.observed_generation for c in workspace.status.conditions if c.type == "InferenceReady"), None)
    if observed is None or observed >= workspace.metadata.generation:
        return None
    return Update("its operator has not processed the last change yet")


def _rollout(workspace: Object, stateful_set: Object | None) -> Update | None:
    """Return the last change until the pods of the Workspace's StatefulSet have it.

    The operator changes a preset's StatefulSet and at once writes Ready about the new generation, as the old pod is
    ready until it has ended; that takes as long as the pod's termination grace period (observed with 0.12.0).
    """
    if stateful_set is None:
        return None  # then the Workspace is not ready, unless its operator is one of before 0.8
    pods = read_as(ObservedStatefulSet, stateful_set)
    revision = pods.metadata.annotations.get(_REVISION)
    if revision and revision != read_as(DatedWorkspace, workspace).metadata.annotations.get(_REVISION, revision):
        return Update("its operator has not changed its StatefulSet yet")
    desired, status = pods.spec.replicas, pods.status
    updated = status.updated_replicas if status.observed_generation >= pods.metadata.generation else 0
    if min(updated, status.ready_replicas) >= desired:
        return None
    return Update(f"rolling out: {updated} of {desired} pods are updated, {status.ready_replicas} ready")


WORKLOAD: Workload | None = Workload("apps/v1", "StatefulSet", _rollout)
