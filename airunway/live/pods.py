"""The pods of one deployment: whether they run, and why not, in Kubernetes' own words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from airunway.live.api_server.connection import Connection, ForbiddenError, label_selector
from airunway.live.failures import pod_label
from airunway.live.missing_rights import PODS, MissingRightError
from airunway.planning.deployment import PlannedDeployment
from airunway.provider.live_object import Condition, LiveModel, Metadata, UnreadableError, read_as


class _State(LiveModel):
    reason: str = ""
    message: str = ""
    exit_code: int = 0


class _States(LiveModel):
    waiting: _State | None = None
    terminated: _State | None = None


class _Container(LiveModel):
    name: str
    ready: bool = False
    restart_count: int = 0
    state: _States = _States()
    last_state: _States = _States()


class _Status(LiveModel):
    phase: str = "Unknown"
    message: str = ""
    conditions: list[Condition] = Field([])
    init_container_statuses: list[_Container] = Field([])
    container_statuses: list[_Container] = Field([])


class _Pod(LiveModel):
    metadata: Metadata
    status: _Status = _Status()


@dataclass(frozen=True)
class PodStatus:
    """One pod; ``reasons`` say why it is not ready, or was restarted, and ``logs`` are those that it has."""

    name: str
    phase: str
    ready: int
    containers: int
    restarts: int
    reasons: tuple[str, ...]
    logs: tuple["LogSource", ...] = ()


@dataclass(frozen=True)
class LogSource:
    """A log of a pod: of a container, or of the one before its last restart."""

    container: str
    previous: bool = False


async def pods_of(connection: Connection, planned: PlannedDeployment) -> tuple[PodStatus, ...]:
    """Read the pods of a deployment, by the label that names it. Raises ``InputError``."""
    resource = planned.rendered.resource
    selector = label_selector({pod_label(str(resource["kind"])): str(resource["metadata"]["name"])})
    namespace = planned.request.namespace
    try:
        found = await connection.items("v1", "Pod", namespace, selector=selector)
    except ForbiddenError as error:
        raise MissingRightError(namespace, PODS, str(error)) from error
    return tuple(pod_status(pod) for pod in found or ())


def pod_status(pod: Mapping[str, Any]) -> PodStatus:
    """Return the status of a live pod; one of another shape is unknown, with the reason."""
    try:
        read = read_as(_Pod, pod)
    except UnreadableError as error:
        return PodStatus(str(pod["metadata"]["name"]), "Unknown", 0, 0, 0, (f"can't be read: {error}",))
    status = read.status
    containers = status.container_statuses
    return PodStatus(
        read.metadata.name,
        status.phase,
        sum(container.ready for container in containers),
        len(containers),
        sum(container.restart_count for container in (*status.init_container_statuses, *containers)),
        tuple(_reasons(status)),
        tuple(_logs(status)),
    )


def _logs(status: _Status) -> Iterator[LogSource]:
    """The logs that a kubelet has (1.36.1): of a container that waits, the one before its restart."""
    for container in (*status.container_statuses, *status.init_container_statuses):
        if container.state.waiting is None:
            yield LogSource(container.name)
        if container.last_state.terminated:
            yield LogSource(container.name, previous=True)


def _reasons(status: _Status) -> Iterator[str]:
    if status.message:
        yield status.message
    for condition in status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            yield _joined("not scheduled", condition.message or condition.reason)
    for container in (*status.init_container_statuses, *status.container_statuses):
        if container.state.waiting:
            yield _joined(f"{container.name}: {container.state.waiting.reason}", container.state.waiting.message)
        ended = container.state.terminated or container.last_state.terminated
        if ended and ended.exit_code:
            yield _joined(f"{container.name}: {ended.reason}, exit code {ended.exit_code}", ended.message)


def _joined(what: str, message: str) -> str:
    return f"{what}: {' '.join(message.split())}" if message else what
