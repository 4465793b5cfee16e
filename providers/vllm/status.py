"""Where a Deployment stands, by the conditions that the Deployment controller sets (apps/v1 as of Kubernetes 1.36)."""

import json
from collections.abc import Sequence
from typing import Any

from airunway.provider.contract import Object
from airunway.provider.live_object import Condition, LiveModel, Status, read_as
from airunway.provider.observation import Observation, Phase, Readiness, Replicas, complaint, is_true, short_of


class WantedReplicas(LiveModel):
    """How many replicas a Deployment wants."""

    replicas: int = 1


class RolloutStatus(Status):
    """Where a Deployment stands."""

    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0


class ObservedDeployment(LiveModel):
    """What is read of a Deployment to tell where it stands."""

    spec: WantedReplicas = WantedReplicas()
    status: RolloutStatus = RolloutStatus()


_COMPLETE = "NewReplicaSetAvailable"


class _Rollout:
    """Readiness by a rollout that is complete.

    Pulumi's own wait for a Deployment may take the status before a change for the one after it (pulumi-kubernetes
    4.34.2, await/deployment.go: neither the first list nor ``observedGeneration`` is held against the change), and a
    change of replicas together with the template has a moment in which the conditions are still those of the replicas
    before.
    """

    def wait_for(self, resource: Object) -> str:
        """All replicas are of the last change, their rollout is complete, and enough of them serve."""
        replicas: Any = (resource.get("spec") or {}).get("replicas", 1)
        updated = [f"jsonpath={{.status.updatedReplicas}}={replicas}"] if replicas else []
        complete = f"jsonpath={{.status.conditions[?(@.type=='Progressing')].reason}}={_COMPLETE}"
        return json.dumps([*updated, complete, "condition=Available"])

    def holds(self, obj: Object) -> bool:
        """Whether all replicas are of the last change, their rollout is complete, and enough of them serve."""
        return _holds(read_as(ObservedDeployment, obj))


READY: Readiness = _Rollout()


def _holds(deployment: ObservedDeployment) -> bool:
    status, progress = deployment.status, _progress(deployment.status.conditions)
    complete = progress is not None and progress.reason == _COMPLETE
    return (
        status.updated_replicas == deployment.spec.replicas
        and complete
        and is_true(status.conditions, "Available") is True
    )


def observe(obj: Object) -> Observation:
    """What a Deployment's status says. While a change rolls out the replicas before it may go on serving."""
    deployment = read_as(ObservedDeployment, obj)
    status, conditions = deployment.status, tuple(deployment.status.conditions)
    replicas = Replicas(deployment.spec.replicas, status.ready_replicas, status.available_replicas)
    progress = _progress(conditions)
    if _holds(deployment):
        return Observation(Phase.RUNNING, short_of(replicas), replicas, conditions)
    if progress and progress.reason == "ProgressDeadlineExceeded":
        serving = "; what was there before the change still serves" if is_true(conditions, "Available") else ""
        return Observation(
            Phase.FAILED, f"{progress.message or 'the rollout took too long'}{serving}", replicas, conditions
        )
    phase = Phase.DEPLOYING if conditions else Phase.PENDING
    return Observation(phase, _message(progress, conditions, replicas, status.updated_replicas), replicas, conditions)


def _progress(conditions: Sequence[Condition]) -> Condition | None:
    return next((c for c in conditions if c.type == "Progressing"), None)


def _message(progress: Condition | None, conditions: tuple[Condition, ...], replicas: Replicas, updated: int) -> str:
    refused = next((c.message for c in conditions if c.type == "ReplicaFailure" and c.status == "True"), "")
    if refused or (progress and progress.reason == "DeploymentPaused"):
        return refused or "its rollout is paused"
    if progress and progress.status == "True" and is_true(conditions, "Available"):
        return f"rolls out: {updated} of {replicas.desired} replicas are of the last change"
    return complaint(conditions)
