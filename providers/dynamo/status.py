"""The status of a DynamoGraphDeployment (nvidia.com/v1alpha1 as of release 1.1.1)."""

from collections.abc import Mapping

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
    failure_message,
    missing_replicas_message,
)


class ServiceStatus(LiveModel):
    """The replicas of one service."""

    ready_replicas: int | None = None
    available_replicas: int | None = None


class RollingUpdate(LiveModel):
    """How far the operator's own rolling update is."""

    phase: str = ""


class GraphStatus(Status):
    """The status of a graph."""

    state: str = ""
    services: dict[str, ServiceStatus] = Field({})
    rolling_update: RollingUpdate = RollingUpdate()


class DesiredService(LiveModel):
    """The desired state of one service."""

    component_type: str = ""
    replicas: int = 1


class DesiredServices(LiveModel):
    """The desired state of a graph."""

    services: dict[str, DesiredService] = Field({})


class ObservedGraph(LiveModel):
    """The fields of a graph that its status is derived from."""

    spec: DesiredServices = DesiredServices()
    status: GraphStatus = GraphStatus()


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
    """The status of a graph; replicas are those of its workers."""
    graph = read_as(ObservedGraph, obj)
    status, conditions = graph.status, tuple(graph.status.conditions)
    phase = _STATE.phases.get(status.state)
    replicas = _replicas(graph.spec.services, status.services)
    message = (
        missing_replicas_message(replicas)
        if phase is Phase.RUNNING and status.services
        else failure_message(conditions)
    )
    if status.state and phase is None:
        message = f"unknown state {status.state}"
    return Observation(phase or Phase.PENDING, message, replicas, conditions, update=_update(status))


def _update(status: GraphStatus) -> Update | None:
    """The last change while it rolls out. Dynamo reports that for workers of Deployments, not for those of Grove."""
    phase = status.rolling_update.phase
    if phase not in ("Pending", "InProgress", "Failed"):
        return None
    return Update(f"rolling update: {phase}", failed=phase == "Failed")


def _replicas(services: Mapping[str, DesiredService], statuses: Mapping[str, ServiceStatus]) -> Replicas:
    """Totals over the workers. A service run by Grove reports only ready replicas, a Deployment may report only
    available ones.
    """
    workers = {
        name: service
        for name, service in services.items()
        if (service.component_type or name).lower() not in _NOT_WORKERS
    }
    counts = [
        (statuses[name].ready_replicas, statuses[name].available_replicas) for name in workers if name in statuses
    ]
    ready = sum((available if ready is None else ready) or 0 for ready, available in counts)
    available = sum((ready if available is None else available) or 0 for ready, available in counts)
    return Replicas(sum(service.replicas for service in workers.values()), ready, available)
