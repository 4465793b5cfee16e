"""The status of a Deployment, from the Deployment controller's conditions (apps/v1 as of Kubernetes 1.36)."""

import json
from collections.abc import Sequence
from typing import Any

from airunway.provider.contract import Object
from airunway.provider.live_object import Condition, LiveModel, Status, read_as
from airunway.provider.observation import (
    Observation,
    Phase,
    Readiness,
    Replicas,
    Workload,
    condition_message,
    is_true,
    missing_replicas_message,
)


class DesiredReplicas(LiveModel):
    """The desired number of replicas of a Deployment."""

    replicas: int = 1


class RolloutStatus(Status):
    """The status of a Deployment's rollout."""

    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0


class ObservedDeployment(LiveModel):
    """The fields of a Deployment that its status is derived from."""

    spec: DesiredReplicas = DesiredReplicas()
    status: RolloutStatus = RolloutStatus()


_COMPLETE = "NewReplicaSetAvailable"


class _Rollout:
    """Readiness by a complete rollout.

    Pulumi's own wait for a Deployment may take the status from before a change for the new one (pulumi-kubernetes
    4.34.2, await/deployment.go: it compares neither the first list nor ``observedGeneration`` with the change). After a
    change of replicas together with the template, the conditions are for a moment still those of the old replicas.
    """

    def wait_for(self, resource: Object) -> str:
        """Wait until all replicas are updated, the rollout is complete, and enough replicas are available."""
        replicas: Any = (resource.get("spec") or {}).get("replicas", 1)
        updated = [f"jsonpath={{.status.updatedReplicas}}={replicas}"] if replicas else []
        complete = f"jsonpath={{.status.conditions[?(@.type=='Progressing')].reason}}={_COMPLETE}"
        return json.dumps([*updated, complete, "condition=Available"])

    def is_ready(self, obj: Object) -> bool:
        """Whether all replicas are updated, the rollout is complete, and enough replicas are available."""
        return _is_ready(read_as(ObservedDeployment, obj))


READY: Readiness = _Rollout()
WORKLOAD: Workload | None = None


def _is_ready(deployment: ObservedDeployment) -> bool:
    status, progress = deployment.status, _progress(deployment.status.conditions)
    complete = progress is not None and progress.reason == _COMPLETE
    return (
        status.updated_replicas == deployment.spec.replicas
        and complete
        and is_true(status.conditions, "Available") is True
    )


def observe(obj: Object) -> Observation:
    """The status of a Deployment. During a rollout, the old replicas may still serve."""
    deployment = read_as(ObservedDeployment, obj)
    status, conditions = deployment.status, tuple(deployment.status.conditions)
    replicas = Replicas(deployment.spec.replicas, status.ready_replicas, status.available_replicas)
    progress = _progress(conditions)
    if _is_ready(deployment):
        return Observation(Phase.RUNNING, missing_replicas_message(replicas), replicas, conditions)
    if progress and progress.reason == "ProgressDeadlineExceeded":
        serving = "; the previous version still serves" if is_true(conditions, "Available") else ""
        return Observation(
            Phase.FAILED, f"{progress.message or 'the rollout took too long'}{serving}", replicas, conditions
        )
    phase = Phase.DEPLOYING if conditions else Phase.PENDING
    return Observation(phase, _message(progress, conditions, replicas, status.updated_replicas), replicas, conditions)


def _progress(conditions: Sequence[Condition]) -> Condition | None:
    return next((c for c in conditions if c.type == "Progressing"), None)


def _message(progress: Condition | None, conditions: tuple[Condition, ...], replicas: Replicas, updated: int) -> str:
    failure = next((c.message for c in conditions if c.type == "ReplicaFailure" and c.status == "True"), "")
    if failure or (progress and progress.reason == "DeploymentPaused"):
        return failure or "its rollout is paused"
    if progress and progress.status == "True" and is_true(conditions, "Available"):
        return f"rolling out: {updated} of {replicas.desired} replicas are updated"
    return condition_message(conditions)
