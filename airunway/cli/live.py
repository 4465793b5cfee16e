"""What the commands do that read a live cluster; imported only when one runs."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import typer

from airunway.cli.looking import print_surveys, status_line, surveyed_once, waited, watched
from airunway.cli.options import Format
from airunway.live.adoption import Adoption
from airunway.live.api_server.connection import connected
from airunway.live.survey import status_of
from airunway.planning.deployment import PlanContext, PlannedDeployment
from airunway.planning.plan import Plan
from airunway.program.stack_file import read_stack
from airunway.program.stack_plan import stack_plan, stack_target
from airunway.provider.observation import Phase
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.terminal import LogText, console, one_line

SOME_NOT_RUNNING = 3
_Result = TypeVar("_Result")


def show_status(root: Path, stacks: Sequence[str], format: Format, *, watch: bool) -> None:
    """Print the status of ``stacks``, again and again with ``watch``; exits with 3 where a deployment does not run."""
    plans = {stack: stack_plan(root, stack) for stack in dict.fromkeys(stacks)}
    if watch:
        _run(watched(root, plans, format))
    with console(stderr=True).status("reading the cluster …"):
        surveys, problems = _run(surveyed_once(root, plans))
    if surveys:
        print_surveys(surveys, format)
    if problems:
        raise InputError(problems)
    if any(d.phase is not Phase.RUNNING for s in surveys for d in s.deployments):
        raise typer.Exit(SOME_NOT_RUNNING)


def wait_for(root: Path, stack: str, names: Sequence[str], timeout: float) -> None:
    """Wait until the deployments ``names``, or all, run; exits with 3 where they do not within ``timeout`` seconds."""
    plan = stack_plan(root, stack)
    wanted = {one_of(plan, name).name for name in names} or {d.name for d in plan.deployments}
    late = _run(waited(root, plan, stack, wanted, timeout))
    for status in late:
        console(stderr=True).print(f"not running in time: {status_line(status)}", markup=False, soft_wrap=True)
    if late:
        raise typer.Exit(SOME_NOT_RUNNING)


def show_endpoint(root: Path, stack: str, name: str, port: int | None) -> None:
    """Print the base URL of a deployment; with ``port`` (0: any free one) forward it there until interrupted."""
    plan = stack_plan(root, stack)
    planned = one_of(plan, name)
    if port is None:
        print(planned.rendered.endpoint.url(planned.request.namespace))
        return

    async def serve(url: str) -> None:
        print(url, flush=True)
        console(stderr=True).print(f"forwarding {name} of {stack}; Ctrl-C ends it", markup=False)
        await asyncio.Event().wait()

    _run(_forwarded(root, plan, planned, port, serve))


def chat_with(root: Path, stack: str, name: str, text: str, model: str | None, url: str | None) -> None:
    """Print what a deployment answers to ``text``, as it comes."""
    from airunway.live.chat import chat, checked_url

    plan = stack_plan(root, stack)
    planned = one_of(plan, name)

    async def talk(at_url: str) -> None:
        ending, answer = "", LogText()
        try:
            async for piece in chat(at_url, text, model):
                sys.stdout.write(answer.piece(piece))
                sys.stdout.flush()
                ending = "\n"
        finally:
            sys.stdout.write(ending)

    _run(_forwarded(root, plan, planned, 0, talk) if url is None else talk(checked_url(url)))


def show_import(root: Path, stack: str, ids: Path | None) -> None:
    """Print entries for what the cluster serves beside the stack, and what can't be expressed; write the ids to the
    file ``ids``.
    """
    from airunway.live.discovery import import_document
    from airunway.text.yaml_writing import to_yaml

    plan, target = stack_plan(root, stack), stack_target(root, stack)
    found = _run(_discovered(root, plan, target))
    refused = [a for a in found if a.entry is None]
    for adoption in refused:
        why = "".join(f"\n#   {one_line(line)}" for line in adoption.why_not)
        print(f"# {adoption.kind} {one_line(adoption.id)} can't be expressed:{why}")
    for adoption in found:
        if adoption.entry is not None:
            print(f"# {adoption.kind}, id {one_line(adoption.id)}\n{to_yaml([adoption.entry])}", end="")
    if ids is not None:
        _write(ids, json.dumps(import_document(found, stack, read_stack(root, stack).project), indent=2) + "\n")
    taken = len(found) - len(refused)
    said = f"{taken} of {len(found)} objects that stack {stack} does not have can be taken over as they are"
    hint = "; put their entries under airunway:deployments or into a deployment file, then `pulumi up`" if taken else ""
    console(stderr=True).print(said + hint, markup=False, soft_wrap=True)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError([Problem(str(path), f"can't be written: {error.strerror}")]) from error


async def _discovered(root: Path, plan: Plan, target: PlanContext) -> list[Adoption]:
    from airunway.live.discovery import discover

    async with connected(plan.settings.cluster, root) as connection:
        return await discover(connection, plan, target)


def one_of(plan: Plan, name: str) -> PlannedDeployment:
    """The deployment ``name``. Raises ``InputError`` where there is none."""
    found = next((d for d in plan.deployments if d.name == name), None)
    if found is None:
        raise InputError(
            [Problem("DEPLOYMENT", f"no '{name}'; {suggest_name(name, [d.name for d in plan.deployments])}")]
        )
    return found


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


async def _forwarded(
    root: Path, plan: Plan, planned: PlannedDeployment, port: int, act: Callable[[str], Awaitable[None]]
) -> None:
    from airunway.live.forward import forwarded

    def report(why: str) -> None:
        console(stderr=True).print(f"a forwarded connection broke: {one_line(why)}", markup=False, soft_wrap=True)

    async with connected(plan.settings.cluster, root) as connection:
        status = await status_of(connection, planned)
        async with forwarded(connection, planned.request.namespace, status.endpoint, port, report) as url:
            await act(url)
