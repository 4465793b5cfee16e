"""Where a DynamoGraphDeployment stands, by its status (nvidia.com/v1alpha1 as of release 1.1.1)."""

from collections.abc import Mapping

from pydantic import Field

from airunway.provider.contract import Object
from airunway.provider.live_object import LiveModel, Status, read_as
from airunway.provider.observation import Observation, Phase, Readiness, ReadyState, Replicas, complaint, short_of


class ServiceStatus(LiveModel):
    """The replicas of one service."""

    ready_replicas: int | None = None
    available_replicas: int | None = None


class GraphStatus(Status):
    """Where a graph stands."""

    state: str = ""
    services: dict[str, ServiceStatus] = Field({})


class WantedService(LiveModel):
    """What a graph wants of one service."""

    component_type: str = ""
    replicas: int = 1


class WantedServices(LiveModel):
    """What a graph wants."""

    services: dict[str, WantedService] = Field({})


class ObservedGraph(LiveModel):
    """What is read of a graph to tell where it stands."""

    spec: WantedServices = WantedServices()
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
    """What a graph's status says; replicas are those of its workers."""
    graph = read_as(ObservedGraph, obj)
    status, conditions = graph.status, tuple(graph.status.conditions)
    phase = _STATE.phases.get(status.state)
    replicas = _replicas(graph.spec.services, status.services)
    message = short_of(replicas) if phase is Phase.RUNNING and status.services else complaint(conditions)
    if status.state and phase is None:
        message = f"unknown state {status.state}"
    return Observation(phase or Phase.PENDING, message, replicas, conditions)


def _replicas(wanted: Mapping[str, WantedService], seen: Mapping[str, ServiceStatus]) -> Replicas:
    """Summed over the workers. A service that Grove runs reports ready replicas only, a Deployment may report available
    ones only.
    """
    workers = {
        name: service
        for name, service in wanted.items()
        if (service.component_type or name).lower() not in _NOT_WORKERS
    }
    counts = [(seen[name].ready_replicas, seen[name].available_replicas) for name in workers if name in seen]
    ready = sum((available if ready is None else ready) or 0 for ready, available in counts)
    available = sum((ready if available is None else available) or 0 for ready, available in counts)
    return Replicas(sum(service.replicas for service in workers.values()), ready, available)
