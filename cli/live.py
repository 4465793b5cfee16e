"""What the commands do that read a live cluster; imported only when one runs."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer

from cli.commands import print_json
from cli.main import Format
from cluster.connection import UnreachableError, connected
from cluster.survey import Survey, status_of, survey
from preview.live import survey_document, surveys_text
from preview.stack_file import read_stack
from preview.stack_plan import stack_plan, stack_target
from preview.text import console, printable
from providers.adoption import Adoption
from providers.observation import Phase
from providers.plan import Plan, PlannedDeployment, Target
from providers.problems import InputError, Problem, nearest
from providers.status import DeploymentStatus

SOME_NOT_RUNNING = 3
_INTERVAL = 2.0
_Result = TypeVar("_Result")


def show_status(root: Path, stacks: Sequence[str], format: Format, *, watch: bool) -> None:
    """Print the status of ``stacks``, again and again with ``watch``; exits with 3 where a deployment does not run."""
    plans = {stack: stack_plan(root, stack) for stack in dict.fromkeys(stacks)}
    if watch:
        _run(_watched(plans, format))
    with console(stderr=True).status("reading the cluster …"):
        surveys, problems = _run(_surveyed(plans))
    if surveys:
        _print(surveys, format)
    if problems:
        raise InputError(problems)
    if any(d.phase is not Phase.RUNNING for s in surveys for d in s.deployments):
        raise typer.Exit(SOME_NOT_RUNNING)


def wait_for(root: Path, stack: str, names: Sequence[str], timeout: float) -> None:
    """Wait until the deployments ``names``, or all, run; exits with 3 where they do not within ``timeout`` seconds."""
    plan = stack_plan(root, stack)
    wanted = {one_of(plan, name).name for name in names} or {d.name for d in plan.deployments}
    late = _run(_waited(plan, stack, wanted, timeout))
    for status in late:
        console(stderr=True).print(f"not running in time: {_line(status)}", markup=False, soft_wrap=True)
    if late:
        raise typer.Exit(SOME_NOT_RUNNING)


def show_endpoint(root: Path, stack: str, name: str, port: int | None) -> None:
    """Print the base URL of a deployment; with ``port`` (0: any free one) forward it there until interrupted."""
    plan = stack_plan(root, stack)
    planned = one_of(plan, name)
    if port is None:
        print(planned.rendered.endpoint.url(planned.deployment.namespace))
        return

    async def serve(url: str) -> None:
        print(url, flush=True)
        console(stderr=True).print(f"forwarding {name} of {stack}; Ctrl-C ends it", markup=False)
        await asyncio.Event().wait()

    _run(_forwarded(plan, planned, port, serve))


def chat_with(root: Path, stack: str, name: str, text: str, model: str | None, url: str | None) -> None:
    """Print what a deployment answers to ``text``, as it comes."""
    plan = stack_plan(root, stack)
    planned = one_of(plan, name)

    async def talk(at_url: str) -> None:
        from cluster.chat import chat

        async for piece in chat(at_url, text, model):
            sys.stdout.write(printable(piece))
            sys.stdout.flush()
        sys.stdout.write("\n")

    _run(talk(url) if url else _forwarded(plan, planned, 0, talk))


def show_import(root: Path, stack: str, ids: Path | None) -> None:
    """Print entries for what the cluster serves beside the stack, and what can't be expressed; write the ids to the file ``ids``."""
    from cluster.discovery import import_document
    from providers.yaml_text import to_yaml

    plan, target = stack_plan(root, stack), stack_target(root, stack)
    found = _run(_discovered(plan, target))
    refused = [a for a in found if a.entry is None]
    for adoption in refused:
        why = "".join(f"\n#   {printable(line)}" for line in adoption.why_not)
        print(f"# {adoption.kind} {adoption.id} can't be expressed:{why}")
    for adoption in found:
        if adoption.entry is not None:
            print(f"# {adoption.kind}, id {adoption.id}\n{to_yaml([adoption.entry])}", end="")
    if ids is not None:
        ids.write_text(json.dumps(import_document(found, stack, read_stack(root, stack).project), indent=2) + "\n", encoding="utf-8")
    taken = len(found) - len(refused)
    said = f"{taken} of {len(found)} objects that stack {stack} does not have can be taken over as they are"
    hint = "; put their entries under airunway:deployments or into a deployment file, then `pulumi up`" if taken else ""
    console(stderr=True).print(said + hint, markup=False, soft_wrap=True)


async def _discovered(plan: Plan, target: Target) -> list[Adoption]:
    from cluster.discovery import discover

    async with connected(plan.settings.cluster) as connection:
        return await discover(connection, plan, target)


def one_of(plan: Plan, name: str) -> PlannedDeployment:
    """The deployment ``name``. Raises ``InputError`` where there is none."""
    found = next((d for d in plan.deployments if d.name == name), None)
    if found is None:
        raise InputError([Problem("DEPLOYMENT", f"no '{name}'; {nearest(name, [d.name for d in plan.deployments])}")])
    return found


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


async def _survey(stack: str, plan: Plan) -> Survey:
    async with connected(plan.settings.cluster) as connection:
        return await survey(connection, stack, plan)


async def _surveyed(plans: dict[str, Plan]) -> tuple[list[Survey], list[Problem]]:
    """All stacks at the same time, and what is wrong with those that can't be read."""
    found = await asyncio.gather(*(_survey(stack, plan) for stack, plan in plans.items()), return_exceptions=True)
    surveys: list[Survey] = []
    problems: list[Problem] = []
    for stack, answer in zip(plans, found, strict=True):
        if isinstance(answer, InputError):
            problems += [Problem(f"stack {stack}: {p.path}", p.message) for p in answer.problems]
        elif isinstance(answer, BaseException):
            raise answer
        else:
            surveys.append(answer)
    return surveys, problems


def _print(surveys: Sequence[Survey], format: Format) -> None:
    if format is Format.JSON:
        print_json([survey_document(s) for s in surveys])
    else:
        out = console()
        out.print(surveys_text(surveys, out.width))


async def _watched(plans: dict[str, Plan], format: Format) -> NoReturn:
    """Print whatever changes, until interrupted; JSON one line at a time. An API server that is away for a while is waited for."""
    last: tuple[list[Survey], list[Problem]] = ([], [])
    while True:
        surveys, problems = await _surveyed(plans)
        if problems and not surveys and not last[0]:
            raise InputError(problems)
        if problems and problems != last[1]:
            console(stderr=True).print(f"{InputError(problems)}; trying again", markup=False, soft_wrap=True)
        if surveys and surveys != last[0]:
            out = console()
            if format is Format.TEXT and out.is_terminal:
                out.clear()
            if format is Format.JSON:
                print(json.dumps([survey_document(s) for s in surveys]))
            else:
                _print(surveys, format)
            sys.stdout.flush()
        last = surveys or last[0], problems
        await asyncio.sleep(_INTERVAL)


async def _waited(plan: Plan, stack: str, wanted: set[str], timeout: float) -> list[DeploymentStatus]:
    """Those of ``wanted`` that do not run in time. An API server that is away for a while is waited for too."""
    started, said = time.monotonic(), dict[str, str]()
    out = console(stderr=True)

    def say(name: str, line: str) -> None:
        if said.get(name) != line:
            said[name] = line
            out.print(f"{time.monotonic() - started:5.0f}s  {line}", markup=False, soft_wrap=True)

    while True:
        late: list[DeploymentStatus] = []
        try:
            found = await _survey(stack, plan)
        except UnreachableError as error:
            if time.monotonic() - started >= timeout:
                raise
            say("", f"{error}; trying again")
        else:
            chosen = [d for d in found.deployments if d.name in wanted]
            for status in chosen:
                say(status.name, _line(status))
            late = [d for d in chosen if d.phase is not Phase.RUNNING]
            if not late or time.monotonic() - started >= timeout:
                return late
        await asyncio.sleep(min(_INTERVAL, max(0.05, timeout - (time.monotonic() - started))))


def _line(status: DeploymentStatus) -> str:
    replicas = f"{status.replicas.ready}/{status.replicas.desired}"
    return printable(f"{status.name}  {status.phase}  {replicas}  {status.message}".rstrip())


async def _forwarded(plan: Plan, planned: PlannedDeployment, port: int, act: Callable[[str], Awaitable[None]]) -> None:
    from cluster.forward import forwarded

    async with connected(plan.settings.cluster) as connection:
        status = await status_of(connection, planned)
        async with forwarded(connection, planned.deployment.namespace, status.endpoint, port) as url:
            await act(url)
