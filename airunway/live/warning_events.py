"""Why deployments do not run, by Kubernetes' own warnings about their objects: one list a namespace for all of them."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from airunway.live.api_server.connection import Connection, ForbiddenError, task_group
from airunway.live.events import Event, grouped, is_about, listed, object_names
from airunway.live.failures import pod_label
from airunway.live.missing_rights import MissingRightError
from airunway.live.moments import NEVER
from airunway.live.status import MISSING, DeploymentStatus
from airunway.live.survey import Survey
from airunway.planning.deployment import PlannedDeployment
from airunway.provider.observation import Phase
from airunway.text.problems import InputError

_MOMENT = 30
"""Seconds after its creation in which a deployment that doesn't run is only starting."""
_NEWEST = 3
"""Events of a deployment that are told."""


async def with_warnings(connection: Connection, found: Survey, deployments: Sequence[PlannedDeployment]) -> Survey:
    """The survey with the newest warnings about the objects of those ``deployments`` that do not run.

    It asks for nothing where all run. Where the events can't be read, ``events_unread`` says why.
    """
    now = datetime.now(UTC)
    troubled = {status.name for status in found.deployments if is_troubled(status, now)}
    namespaces: dict[str, list[PlannedDeployment]] = defaultdict(list)
    for planned in deployments:
        namespaces[planned.request.namespace].append(planned)
    asked = {n: all_ for n, all_ in namespaces.items() if any(planned.name in troubled for planned in all_)}
    if not asked:
        return found
    try:
        async with asyncio.timeout(connection.session.timeout), task_group() as group:
            reading = [group.create_task(_warnings(connection, n, all_, troubled)) for n, all_ in asked.items()]
    except InputError as error:
        return replace(found, events_unread=_reason(error, found.stack))
    except TimeoutError:
        return replace(found, events_unread=f"the API server sent none within {connection.session.timeout} seconds")
    events = {name: of for task in reading for name, of in task.result().items()}
    return replace(found, deployments=tuple(replace(d, events=events.get(d.name, ())) for d in found.deployments))


def is_troubled(status: DeploymentStatus, now: datetime) -> bool:
    """Whether its object is there and does not serve, beyond a moment after its creation."""
    if status.serves or status.phase is Phase.TERMINATING or status.message == MISSING:
        return False
    return status.phase is Phase.FAILED or (now - status.created).total_seconds() > _MOMENT


def without_counts(found: Survey) -> Survey:
    """The survey without what changes of a warning each time that it is repeated: how often it was seen, and when."""

    def settled(status: DeploymentStatus) -> DeploymentStatus:
        events = (replace(event, times=1, at=NEVER) for event in status.events)
        return replace(status, events=tuple(sorted(events, key=lambda event: (event.reason, event.message))))

    return replace(found, deployments=tuple(map(settled, found.deployments)))


async def _warnings(
    connection: Connection, namespace: str, deployments: Sequence[PlannedDeployment], troubled: set[str]
) -> dict[str, tuple[Event, ...]]:
    """The newest warnings about each of ``troubled`` in a namespace, whose ``deployments`` are all of the stack's."""
    labels = sorted({pod_label(str(planned.rendered.resource["kind"])) for planned in deployments})
    async with task_group() as group:
        events = group.create_task(listed(connection, namespace, "Event", fields="type=Warning"))
        pods = {label: group.create_task(_pods(connection, namespace, label)) for label in labels}
    found = events.result()
    if not found:
        return {}
    owned = {planned.name: object_names(planned) for planned in deployments}
    result: dict[str, tuple[Event, ...]] = {}
    for planned in deployments:
        if planned.name in troubled:
            resource = planned.rendered.resource
            others = {name for other, names in owned.items() if other != planned.name for name in names}
            named = pods[pod_label(str(resource["kind"]))].result().get(str(resource["metadata"]["name"]), set())
            about = [event for event in found if is_about(event, owned[planned.name], others, named)]
            result[planned.name] = grouped(about)[:_NEWEST]
    return result


async def _pods(connection: Connection, namespace: str, label: str) -> dict[str, set[str]]:
    """The names of the pods that have ``label``, by its value; none without the right to read them."""
    names: dict[str, set[str]] = defaultdict(set)
    with suppress(ForbiddenError):
        for pod in await connection.items("v1", "Pod", namespace, selector=label) or []:
            labels = pod["metadata"].get("labels")
            names[str(labels.get(label)) if isinstance(labels, dict) else ""].add(str(pod["metadata"]["name"]))
    return names


def _reason(error: InputError, stack: str) -> str:
    if isinstance(error, MissingRightError):
        way_out = f"`airunway rbac {stack} --operate` prints the right"
        return f"{error.access.resource} of {error.namespace} may not be read; {way_out}"
    return str(error)
