"""Poll live clusters: once, until interrupted, or until deployments run."""

import asyncio
import json
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from airunway.cli.options import Format
from airunway.cli.streams import print_json
from airunway.live.api_server.connection import Connection, UnreachableError, connect
from airunway.live.status import DeploymentStatus
from airunway.live.survey import Survey, survey
from airunway.live.warning_events import with_warnings, without_counts
from airunway.planning.plan import Plan
from airunway.report.status_text import survey_document, surveys_text
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import console, one_line

_INTERVAL_SECONDS, _MIN_SECONDS = 2.0, 1.0
"""Pause between two polls, and the least time that a poll gets even if the timeout is over."""
_Result = TypeVar("_Result")


class Clusters:
    """The clusters of several stacks; each connection is opened on first use and reused."""

    def __init__(self, root: Path, plans: Mapping[str, Plan], exits: AsyncExitStack) -> None:
        self._root, self._plans, self._exits = root, plans, exits
        self._connections: dict[str, Connection] = {}

    async def survey(self, stack: str) -> Survey:
        """Read the current status of ``stack``. Raises ``InputError``."""
        plan = self._plans[stack]
        if stack not in self._connections:
            connecting = connect(plan.settings.cluster, self._root)
            self._connections[stack] = await self._exits.enter_async_context(connecting)
        connection = self._connections[stack]
        return await with_warnings(connection, await survey(connection, stack, plan), plan.deployments)

    async def surveys(self) -> tuple[list[Survey], list[Problem]]:
        """Read all stacks concurrently; return their surveys and the problems of those that can't be read."""
        results = await asyncio.gather(*map(self.survey, self._plans), return_exceptions=True)
        surveys: list[Survey] = []
        problems: list[Problem] = []
        for stack, result in zip(self._plans, results, strict=True):
            if isinstance(result, InputError):
                problems += [Problem(f"stack {stack}: {p.field}", p.message) for p in result.problems]
            elif isinstance(result, BaseException):
                raise result
            else:
                surveys.append(result)
        return surveys, problems


async def survey_once(root: Path, plans: Mapping[str, Plan]) -> tuple[list[Survey], list[Problem]]:
    """Read all stacks once; return their surveys and the problems of those that can't be read."""
    async with AsyncExitStack() as exits:
        return await Clusters(root, plans, exits).surveys()


def print_surveys(surveys: Sequence[Survey], format: Format) -> None:
    """Print ``surveys`` in ``format``."""
    if format is Format.JSON:
        print_json([survey_document(s) for s in surveys])
    else:
        terminal = console()
        terminal.print(surveys_text(surveys, terminal.width))


async def watch_status(root: Path, plans: Mapping[str, Plan], format: Format) -> NoReturn:
    """Print each change until interrupted, JSON as one line each. Retries while an API server is unreachable."""
    previous: tuple[list[Survey], list[Problem]] = ([], [])
    async with AsyncExitStack() as exits:
        clusters = Clusters(root, plans, exits)
        while True:
            surveys, problems = await clusters.surveys()
            if problems and not surveys and not previous[0]:
                raise InputError(problems)
            if problems and problems != previous[1]:
                message = "; ".join(one_line(str(problem)) for problem in problems)
                console(stderr=True).print(f"{message}; retrying", markup=False, soft_wrap=True)
            if surveys and list(map(without_counts, surveys)) != list(map(without_counts, previous[0])):
                _print_again(surveys, format)
            previous = surveys or previous[0], problems
            await asyncio.sleep(_INTERVAL_SECONDS)


def _print_again(surveys: Sequence[Survey], format: Format) -> None:
    terminal = console()
    if format is Format.TEXT and terminal.is_terminal:
        terminal.clear()
    if format is Format.JSON:
        print(json.dumps([survey_document(s) for s in surveys]))
    else:
        print_surveys(surveys, format)
    sys.stdout.flush()


async def wait_until_running(
    root: Path, plan: Plan, stack: str, names: set[str], timeout: float
) -> list[DeploymentStatus]:
    """Return those of ``names`` that do not run in time. Retries while the API server is unreachable."""
    started, printed = time.monotonic(), dict[str, str]()
    terminal = console(stderr=True)

    def print_change(name: str, line: str) -> None:
        if printed.get(name) != line:
            printed[name] = line
            terminal.print(f"{time.monotonic() - started:5.0f}s  {line}", markup=False, soft_wrap=True)

    async with connect(plan.settings.cluster, root) as connection:
        while True:
            remaining = timeout - (time.monotonic() - started)
            late: list[DeploymentStatus] = []
            try:
                snapshot = await _with_deadline(
                    survey(connection, stack, plan), max(remaining, _MIN_SECONDS), connection.name, timeout
                )
            except UnreachableError as error:
                if time.monotonic() - started >= timeout:
                    raise
                print_change("", f"{one_line(str(error))}; retrying")
            else:
                statuses = [d for d in snapshot.deployments if d.name in names]
                for status in statuses:
                    print_change(status.name, status_line(status))
                late = [d for d in statuses if not d.serves]
                if not late or time.monotonic() - started >= timeout:
                    return late
            await asyncio.sleep(min(_INTERVAL_SECONDS, max(0.05, timeout - (time.monotonic() - started))))


async def _with_deadline(work: Coroutine[Any, Any, _Result], seconds: float, name: str, timeout: float) -> _Result:
    """Return the result of ``work``. Raises ``UnreachableError`` if it takes longer than ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise UnreachableError(
            [Problem(name, f"the API server did not answer within the timeout of {timeout:.0f} seconds")]
        ) from error


def status_line(status: DeploymentStatus) -> str:
    """Format a deployment's status as one line."""
    replicas = f"{status.replicas.ready}/{status.replicas.desired}"
    return one_line(f"{status.name}  {status.phase}  {replicas}  {status.message}".rstrip())
