"""The status of a RayService (ray.io/v1 as of operator 1.7.0)."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from airunway.provider.contract import Object
from airunway.provider.live_object import EMPTY_AS_NONE, Condition, LiveModel, Status, read_as
from airunway.provider.observation import (
    Observation,
    Phase,
    Readiness,
    ReadyCondition,
    Replicas,
    Update,
    Workload,
    condition_message,
    is_true,
    missing_replicas_message,
)


class ApplicationStatus(LiveModel):
    """The status of one Serve application."""

    status: str = ""
    message: str = ""


class RayClusterStatus(LiveModel):
    """The workers of a cluster."""

    ready_worker_replicas: int = 0
    available_worker_replicas: int = 0


class ClusterServiceStatus(LiveModel):
    """The status of one Ray cluster of a RayService, the active or the pending one."""

    application_statuses: dict[str, ApplicationStatus] = Field({})
    ray_cluster_status: Annotated[RayClusterStatus | None, EMPTY_AS_NONE] = None


class RayServiceStatus(Status):
    """The status of a RayService; a cluster is None if there is none."""

    active_service_status: Annotated[ClusterServiceStatus | None, EMPTY_AS_NONE] = None
    pending_service_status: Annotated[ClusterServiceStatus | None, EMPTY_AS_NONE] = None


class DesiredGroup(LiveModel):
    """The desired state of one worker group."""

    replicas: int = 1


class DesiredCluster(LiveModel):
    """The desired state of a Ray cluster."""

    worker_group_specs: list[DesiredGroup] = Field([])


class DesiredService(LiveModel):
    """The desired state of a RayService."""

    ray_cluster_config: DesiredCluster = DesiredCluster()


class ObservedRayService(LiveModel):
    """The fields of a RayService that its status is derived from."""

    spec: DesiredService = DesiredService()
    status: RayServiceStatus = RayServiceStatus()


_CONDITION = ReadyCondition("Ready")
_SETTLED = ("", "RUNNING", "UNHEALTHY", "DEPLOY_FAILED")
READY: Readiness = _CONDITION
WORKLOAD: Workload | None = None


def observe(obj: Object) -> Observation:
    """The status of a RayService, from its condition Ready and the applications of the active cluster.

    While a new cluster starts beside the active one, the deployment stays Running.
    """
    service = read_as(ObservedRayService, obj)
    status, conditions = service.status, tuple(service.status.conditions)
    active, pending = status.active_service_status, status.pending_service_status
    ready, failures = is_true(conditions, _CONDITION.type), _application_failures(active)
    if any(state == "DEPLOY_FAILED" for state, _ in failures):
        phase = Phase.FAILED
    elif ready:
        phase = Phase.RUNNING
    elif any(state == "DEPLOY_FAILED" for state, _ in _application_failures(pending)):
        phase = Phase.FAILED
    else:
        phase = Phase.DEPLOYING if ready is False or active or pending else Phase.PENDING
    groups = service.spec.ray_cluster_config.worker_group_specs
    workers = active.ray_cluster_status if active else None
    counts = (workers.ready_worker_replicas, workers.available_worker_replicas) if workers else (0, 0)
    replicas = Replicas(sum(group.replicas for group in groups), *counts)
    messages = [text for _, text in failures] + [
        f"upgrade: {text}" for _, text in _application_failures(pending) if ready
    ]
    fallback = (
        condition_message(conditions)
        if phase is not Phase.RUNNING
        else missing_replicas_message(replicas)
        if workers
        else ""
    )
    return Observation(
        phase,
        "; ".join(messages or ([text for _, text in _application_failures(pending)] or [fallback])),
        replicas,
        conditions,
        update=_update(status, conditions),
    )


def _update(status: RayServiceStatus, conditions: Sequence[Condition]) -> Update | None:
    """The last change, while a new cluster starts beside the active one or the active one's applications deploy."""
    if is_true(conditions, "UpgradeInProgress"):
        failures = _application_failures(status.pending_service_status)
        message = "; ".join(text for _, text in failures) or "a new cluster starts beside the active one"
        return Update(message, failed=any(state == "DEPLOY_FAILED" for state, _ in failures))
    active = status.active_service_status
    states = {name: a.status for name, a in active.application_statuses.items()} if active else {}
    deploying = [f"application {name} is {state}" for name, state in sorted(states.items()) if state not in _SETTLED]
    return Update("; ".join(deploying)) if deploying else None


def _application_failures(cluster: ClusterServiceStatus | None) -> list[tuple[str, str]]:
    """State and message of each application that fails or is unhealthy."""
    return [
        (application.status, f"application {name} is {application.status}: {application.message or 'no message'}")
        for name, application in sorted(cluster.application_statuses.items() if cluster else ())
        if application.status in ("DEPLOY_FAILED", "UNHEALTHY")
    ]
