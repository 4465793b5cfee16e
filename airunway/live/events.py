"""What Kubernetes says of the objects of one deployment: its events, those that say the same as one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airunway.live.api_server.connection import Connection, ForbiddenError, label_selector, task_group
from airunway.live.failures import pod_label
from airunway.live.missing_rights import EVENTS, PODS, MissingRightError
from airunway.live.moments import NEVER, moment
from airunway.planning.deployment import PlannedDeployment
from airunway.provider.live_object import LiveModel, Metadata, UnreadableError, read_as


class _Involved(LiveModel):
    kind: str = ""
    name: str = ""


class _Series(LiveModel):
    count: int = 1
    last_observed_time: str = ""


class _Event(LiveModel):
    metadata: Metadata
    involved_object: _Involved = _Involved()
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int = 1
    last_timestamp: str = ""
    event_time: str = ""
    series: _Series | None = None

    @property
    def at(self) -> datetime:
        """When it was last seen.

        What Kubernetes' own components report by events.k8s.io has no ``lastTimestamp``, and a series once it repeats.
        """
        series = self.series.last_observed_time if self.series else ""
        return moment(series or self.last_timestamp or self.event_time or self.metadata.creation_timestamp)

    @property
    def times(self) -> int:
        """How often it was seen."""
        return max(1, self.series.count if self.series else self.count)


@dataclass(frozen=True)
class Event:
    """Events with one type, reason and message; ``objects`` are those that they are about, with their kind."""

    is_warning: bool
    reason: str
    message: str
    times: int
    at: datetime
    objects: tuple[str, ...]


async def events_of(
    connection: Connection, planned: PlannedDeployment, deployments: Sequence[PlannedDeployment]
) -> tuple[Event, ...]:
    """Read the events of a deployment's objects, and of what operators make of them: warnings first, then the newest.

    Operators begin the names of what they make with that of the deployment, but for pods whose names would be too long:
    these are found by their label. ``deployments`` are all of the stack. Raises ``InputError``.
    """
    namespace, resource = planned.request.namespace, planned.rendered.resource
    selector = label_selector({pod_label(str(resource["kind"])): str(resource["metadata"]["name"])})
    async with task_group() as group:
        events = group.create_task(listed(connection, namespace, "Event"))
        pods = group.create_task(listed(connection, namespace, "Pod", selector))
    others = [d for d in deployments if d.name != planned.name and d.request.namespace == namespace]
    owned, foreign = object_names(planned), {name for other in others for name in object_names(other)}
    named = {str(pod["metadata"]["name"]) for pod in pods.result()}
    return grouped([event for event in events.result() if is_about(event, owned, foreign, named)])


async def listed(
    connection: Connection, namespace: str, kind: str, selector: str = "", fields: str = ""
) -> list[dict[str, Any]]:
    """Read the events or the pods of a namespace. Raises ``InputError``, ``MissingRightError`` without the right."""
    try:
        return await connection.items("v1", kind, namespace, selector=selector, fields=fields) or []
    except ForbiddenError as error:
        raise MissingRightError(namespace, EVENTS if kind == "Event" else PODS, str(error)) from error


def object_names(planned: PlannedDeployment) -> set[str]:
    """The names of the objects that are planned for a deployment."""
    return {str(o["metadata"]["name"]) for o in (planned.rendered.resource, *planned.rendered.supporting)}


def is_about(event: Mapping[str, Any], owned: set[str], foreign: set[str], named: set[str]) -> bool:
    """Whether an event's object is one of the deployment: of two whose names both begin its own, the longer counts."""
    involved = event.get("involvedObject")
    name = str(involved.get("name", "")) if isinstance(involved, dict) else ""
    longest = max((n for n in owned | foreign if name == n or name.startswith(f"{n}-")), key=len, default=None)
    return name in named or longest in owned


def grouped(events: Iterable[Mapping[str, Any]]) -> tuple[Event, ...]:
    """Group what says the same: warnings first, then the newest; one of another shape is a warning that says so."""
    groups: dict[tuple[bool, str, str], Event] = {}
    for live in events:
        event = _read(live)
        key = event.is_warning, event.reason, event.message
        before = groups.get(key)
        if before:
            objects = tuple(dict.fromkeys((*before.objects, *event.objects)))
            event = Event(*key, before.times + event.times, max(before.at, event.at), objects)
        groups[key] = event
    return tuple(sorted(groups.values(), key=lambda e: (e.is_warning, e.at), reverse=True))


def _read(live: Mapping[str, Any]) -> Event:
    try:
        event = read_as(_Event, live)
    except UnreadableError as error:
        return Event(True, "can't be read", str(error), 1, NEVER, ())
    about = event.involved_object
    message = " ".join(event.message.split())
    return Event(event.type == "Warning", event.reason, message, event.times, event.at, (f"{about.kind} {about.name}",))
