"""Looking at live clusters once, again and again, or until deployments run."""

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
from airunway.live.api_server.connection import Connection, UnreachableError, connected
from airunway.live.status import DeploymentStatus
from airunway.live.survey import Survey, survey
from airunway.planning.plan import Plan
from airunway.provider.observation import Phase
from airunway.report.status_text import survey_document, surveys_text
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import console, one_line

_INTERVAL, _LEAST = 2.0, 1.0
"""Seconds between two looks at a cluster, and that each look gets even where no time is left."""
_Result = TypeVar("_Result")


class Clusters:
    """The clusters of several stacks; each is connected to when it is first read, and then kept."""

    def __init__(self, root: Path, plans: Mapping[str, Plan], exits: AsyncExitStack) -> None:
        self._root, self._plans, self._exits = root, plans, exits
        self._connections: dict[str, Connection] = {}

    async def survey(self, stack: str) -> Survey:
        """What the cluster of ``stack`` says now. Raises ``InputError``."""
        plan = self._plans[stack]
        if stack not in self._connections:
            opening = connected(plan.settings.cluster, self._root)
            self._connections[stack] = await self._exits.enter_async_context(opening)
        return await survey(self._connections[stack], stack, plan)

    async def surveys(self) -> tuple[list[Survey], list[Problem]]:
        """All stacks at the same time, and what is wrong with those that can't be read."""
        found = await asyncio.gather(*map(self.survey, self._plans), return_exceptions=True)
        surveys: list[Survey] = []
        problems: list[Problem] = []
        for stack, answer in zip(self._plans, found, strict=True):
            if isinstance(answer, InputError):
                problems += [Problem(f"stack {stack}: {p.field}", p.message) for p in answer.problems]
            elif isinstance(answer, BaseException):
                raise answer
            else:
                surveys.append(answer)
        return surveys, problems


async def surveyed_once(root: Path, plans: Mapping[str, Plan]) -> tuple[list[Survey], list[Problem]]:
    """The stacks' clusters at one moment, and what is wrong with those that can't be read."""
    async with AsyncExitStack() as exits:
        return await Clusters(root, plans, exits).surveys()


def print_surveys(surveys: Sequence[Survey], format: Format) -> None:
    """Print what was read."""
    if format is Format.JSON:
        print_json([survey_document(s) for s in surveys])
    else:
        out = console()
        out.print(surveys_text(surveys, out.width))


async def watched(root: Path, plans: Mapping[str, Plan], format: Format) -> NoReturn:
    """Print whatever changes, until interrupted; JSON one line at a time. An API server that is away for a while is
    waited for.
    """
    last: tuple[list[Survey], list[Problem]] = ([], [])
    async with AsyncExitStack() as exits:
        clusters = Clusters(root, plans, exits)
        while True:
            surveys, problems = await clusters.surveys()
            if problems and not surveys and not last[0]:
                raise InputError(problems)
            if problems and problems != last[1]:
                said = "; ".join(one_line(str(problem)) for problem in problems)
                console(stderr=True).print(f"{said}; trying again", markup=False, soft_wrap=True)
            if surveys and surveys != last[0]:
                _print_again(surveys, format)
            last = surveys or last[0], problems
            await asyncio.sleep(_INTERVAL)


def _print_again(surveys: Sequence[Survey], format: Format) -> None:
    out = console()
    if format is Format.TEXT and out.is_terminal:
        out.clear()
    if format is Format.JSON:
        print(json.dumps([survey_document(s) for s in surveys]))
    else:
        print_surveys(surveys, format)
    sys.stdout.flush()


async def waited(root: Path, plan: Plan, stack: str, wanted: set[str], timeout: float) -> list[DeploymentStatus]:
    """Those of ``wanted`` that do not run in time. An API server that is away for a while is waited for too."""
    started, said = time.monotonic(), dict[str, str]()
    out = console(stderr=True)

    def say(name: str, line: str) -> None:
        if said.get(name) != line:
            said[name] = line
            out.print(f"{time.monotonic() - started:5.0f}s  {line}", markup=False, soft_wrap=True)

    async with connected(plan.settings.cluster, root) as connection:
        while True:
            left = timeout - (time.monotonic() - started)
            late: list[DeploymentStatus] = []
            try:
                found = await _in_time(survey(connection, stack, plan), max(left, _LEAST), connection.name, timeout)
            except UnreachableError as error:
                if time.monotonic() - started >= timeout:
                    raise
                say("", f"{one_line(str(error))}; trying again")
            else:
                chosen = [d for d in found.deployments if d.name in wanted]
                for status in chosen:
                    say(status.name, status_line(status))
                late = [d for d in chosen if d.phase is not Phase.RUNNING]
                if not late or time.monotonic() - started >= timeout:
                    return late
            await asyncio.sleep(min(_INTERVAL, max(0.05, timeout - (time.monotonic() - started))))


async def _in_time(work: Coroutine[Any, Any, _Result], seconds: float, name: str, timeout: float) -> _Result:
    """The result of ``work``. Raises ``UnreachableError`` where it takes longer than ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise UnreachableError(
            [Problem(name, f"the API server did not answer within the {timeout:.0f} seconds to wait")]
        ) from error


def status_line(status: DeploymentStatus) -> str:
    """A deployment's status in one line."""
    replicas = f"{status.replicas.ready}/{status.replicas.desired}"
    return one_line(f"{status.name}  {status.phase}  {replicas}  {status.message}".rstrip())
