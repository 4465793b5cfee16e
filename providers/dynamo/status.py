"""The status of a DynamoGraphDeployment (nvidia.com/v1alpha1 as of release 1.1.1, v1beta1 as of 1.5.0)."""

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
    Workload,
    condition_message,
    missing_replicas_message,
)

_NOT_WORKERS = ("frontend", "epp", "planner")


class ComponentStatus(LiveModel):
    """The replicas of one component, which v1alpha1 calls a service."""

    ready_replicas: int | None = None
    available_replicas: int | None = None


class RollingUpdate(LiveModel):
    """How far the operator's own rolling update is."""

    phase: str = ""


class GraphStatus(Status):
    """The status of a graph."""

    state: str = ""
    services: dict[str, ComponentStatus] = Field({})
    components: dict[str, ComponentStatus] = Field({})
    rolling_update: RollingUpdate = RollingUpdate()


class DesiredService(LiveModel):
    """The desired state of one service (v1alpha1)."""

    component_type: str = ""
    replicas: int = 1


class DesiredComponent(LiveModel):
    """The desired state of one component (v1beta1)."""

    name: str
    type: str = ""
    replicas: int = 1


class DesiredGraph(LiveModel):
    """The desired state of a graph; one of the two is empty."""

    services: dict[str, DesiredService] = Field({})
    components: list[DesiredComponent] = Field([])

    @property
    def workers(self) -> dict[str, int]:
        """Desired replicas of each component that runs the model."""
        types = {name: (service.component_type, service.replicas) for name, service in self.services.items()}
        types |= {c.name: (c.type, c.replicas) for c in self.components}
        return {
            name: replicas for name, (kind, replicas) in types.items() if (kind or name).lower() not in _NOT_WORKERS
        }


class ObservedGraph(LiveModel):
    """The fields of a graph that its status is derived from."""

    spec: DesiredGraph = DesiredGraph()
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
WORKLOAD: Workload | None = None


def observe(obj: Object) -> Observation:
    """The status of a graph; replicas are those of its workers."""
    graph = read_as(ObservedGraph, obj)
    status, conditions = graph.status, tuple(graph.status.conditions)
    phase = _STATE.phases.get(status.state)
    statuses = status.services | status.components
    replicas = _replicas(graph.spec.workers, statuses)
    message = (
        missing_replicas_message(replicas) if phase is Phase.RUNNING and statuses else condition_message(conditions)
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


def _replicas(workers: Mapping[str, int], statuses: Mapping[str, ComponentStatus]) -> Replicas:
    """Totals over the workers. A component run by Grove reports only ready replicas, a Deployment may report only
    available ones.
    """
    counts = [
        (statuses[name].ready_replicas, statuses[name].available_replicas) for name in workers if name in statuses
    ]
    ready = sum((available if ready is None else ready) or 0 for ready, available in counts)
    available = sum((ready if available is None else available) or 0 for ready, available in counts)
    return Replicas(sum(workers.values()), ready, available)
