"""Waits until the last change of a model serves, with the same reading of its object as `airunway status`."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any

from airunway.live.api_server.connection import Connection, ForbiddenError, UnreachableError
from airunway.live.status import Observer, observe
from airunway.provider.live_object import UnreadableError
from airunway.provider.observation import Observation, Phase, Update, Workload, condition_message
from airunway.text.problems import InputError, Problem

INTERVAL = 2.0
"""Seconds between two looks at an object."""

STEADY = 3
"""Looks in a row with the same outcome before it is believed.

An operator may confirm the generation before it acts on it: Dynamo's reports state successful of the new generation
for a moment (operator of April 2026), and KAITO's Workspace has no generation in its status (0.12.0).
"""


class RolloutError(Exception):
    """The last change does not serve; the text is what was last seen."""


class _Outcome(Enum):
    SERVED = auto()
    UNDER_WAY = auto()
    FAILED = auto()


async def until_served(
    connection: Connection,
    manifest: Mapping[str, Any],
    observer: Observer,
    timeout: float,
    report: Callable[[str], None],
    workload: Workload | None = None,
) -> None:
    """Return when the last change of the object that ``manifest`` names serves; ``report`` is told what is missing.

    A ``workload`` that may not be read is left out. ``timeout`` is in seconds. An API server that is away is waited
    for. Raises ``RolloutError`` when the change has failed or ``timeout`` is over, and ``InputError`` where the object
    may not be read.
    """
    deadline = time.monotonic() + timeout
    reported, outcome, looks = "", _Outcome.UNDER_WAY, 0
    while True:
        try:
            observation = await _observation(connection, manifest, observer, workload)
        except UnreachableError as error:
            message, current = str(error), _Outcome.UNDER_WAY
        else:
            message, current = _describe(observation), _outcome(observation)
        looks, outcome = looks + 1 if current is outcome else 1, current
        late = time.monotonic() >= deadline
        if outcome is _Outcome.SERVED and (late or looks >= STEADY):
            return
        if late or (outcome is _Outcome.FAILED and looks >= STEADY):
            raise RolloutError(message)
        if message != reported:
            report(message)
            reported = message
        await asyncio.sleep(min(INTERVAL, max(0.05, deadline - time.monotonic())))


async def _observation(
    connection: Connection, manifest: Mapping[str, Any], observer: Observer, workload: Workload | None
) -> Observation:
    live = await _live(connection, manifest)
    observation = observe(live, observer)
    if workload is None or live is None or _outcome(observation) is not _Outcome.SERVED:
        return observation
    metadata = manifest["metadata"]
    try:
        pods = await connection.object(workload.api_version, workload.kind, metadata["namespace"], metadata["name"])
        update = workload.update(live, pods)
    except ForbiddenError:
        return observation
    except UnreadableError as error:
        update = Update(f"its {workload.kind} can't be read: {error}")
    return replace(observation, update=update)


async def _live(connection: Connection, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    metadata = manifest["metadata"]
    try:
        return await connection.object(
            str(manifest["apiVersion"]), str(manifest["kind"]), metadata["namespace"], metadata["name"]
        )
    except ForbiddenError as error:
        raise InputError([Problem(str(manifest["kind"]), f"may not be read: {error}")]) from error


def _outcome(observation: Observation) -> _Outcome:
    if observation.phase is Phase.FAILED or (observation.update and observation.update.failed):
        return _Outcome.FAILED
    return _Outcome.SERVED if observation.phase is Phase.RUNNING and not observation.update else _Outcome.UNDER_WAY


def _describe(observation: Observation) -> str:
    """The observation in one line: the change that is under way, else the object's own phase and message."""
    message = observation.update.message if observation.update else ""
    message = message or observation.message
    if not message and observation.phase is not Phase.RUNNING:
        message = condition_message(observation.conditions)
    return f"{observation.phase}: {' '.join(message.split())}".removesuffix(": ")
