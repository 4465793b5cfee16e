"""Where a RayService stands, by its status (ray.io/v1 as of operator 1.7.0)."""

from typing import Annotated

from pydantic import Field

from airunway.provider.contract import Object
from airunway.provider.live_object import UNLESS_EMPTY, LiveModel, Status, read_as
from airunway.provider.observation import (
    Observation,
    Phase,
    Readiness,
    ReadyCondition,
    Replicas,
    complaint,
    is_true,
    short_of,
)


class ApplicationStatus(LiveModel):
    """Where one Serve application stands."""

    status: str = ""
    message: str = ""


class RayClusterStatus(LiveModel):
    """The workers of a cluster."""

    ready_worker_replicas: int = 0
    available_worker_replicas: int = 0


class ClusterServiceStatus(LiveModel):
    """Where one cluster of a RayService stands, the one that serves or the one that is brought up."""

    application_statuses: dict[str, ApplicationStatus] = Field({})
    ray_cluster_status: Annotated[RayClusterStatus | None, UNLESS_EMPTY] = None


class RayServiceStatus(Status):
    """Where a RayService stands; both clusters are None where there is none."""

    active_service_status: Annotated[ClusterServiceStatus | None, UNLESS_EMPTY] = None
    pending_service_status: Annotated[ClusterServiceStatus | None, UNLESS_EMPTY] = None


class WantedGroup(LiveModel):
    """What is wanted of one group of workers."""

    replicas: int = 1


class WantedCluster(LiveModel):
    """What is wanted of a cluster."""

    worker_group_specs: list[WantedGroup] = Field([])


class WantedService(LiveModel):
    """What is wanted of a RayService."""

    ray_cluster_config: WantedCluster = WantedCluster()


class ObservedRayService(LiveModel):
    """What is read of a RayService to tell where it stands."""

    spec: WantedService = WantedService()
    status: RayServiceStatus = RayServiceStatus()


_CONDITION = ReadyCondition("Ready")
READY: Readiness = _CONDITION


def observe(obj: Object) -> Observation:
    """What a RayService's status says: its condition Ready, then the applications of the cluster that serves.

    While a new cluster is brought up beside the one that serves, the deployment goes on running.
    """
    service = read_as(ObservedRayService, obj)
    status, conditions = service.status, tuple(service.status.conditions)
    active, pending = status.active_service_status, status.pending_service_status
    ready, troubles = is_true(conditions, _CONDITION.type), _troubles(active)
    if any(state == "DEPLOY_FAILED" for state, _ in troubles):
        phase = Phase.FAILED
    elif ready:
        phase = Phase.RUNNING
    elif any(state == "DEPLOY_FAILED" for state, _ in _troubles(pending)):
        phase = Phase.FAILED
    else:
        phase = Phase.DEPLOYING if ready is False or active or pending else Phase.PENDING
    groups = service.spec.ray_cluster_config.worker_group_specs
    workers = active.ray_cluster_status if active else None
    counts = (workers.ready_worker_replicas, workers.available_worker_replicas) if workers else (0, 0)
    replicas = Replicas(sum(group.replicas for group in groups), *counts)
    said = [text for _, text in troubles] + [f"upgrade: {text}" for _, text in _troubles(pending) if ready]
    rest = complaint(conditions) if phase is not Phase.RUNNING else short_of(replicas) if workers else ""
    return Observation(
        phase, "; ".join(said or ([text for _, text in _troubles(pending)] or [rest])), replicas, conditions
    )


def _troubles(cluster: ClusterServiceStatus | None) -> list[tuple[str, str]]:
    """State and text of each application that fails or is unhealthy."""
    return [
        (application.status, f"application {name} is {application.status}: {application.message or 'no message'}")
        for name, application in sorted(cluster.application_statuses.items() if cluster else ())
        if application.status in ("DEPLOY_FAILED", "UNHEALTHY")
    ]
