"""Commands that read a live cluster; imported only when one of them runs."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import typer

from airunway.assessment.node_pool import NodePool
from airunway.cli.options import Format
from airunway.cli.polling import print_surveys, status_line, survey_once, wait_until_running, watch_status
from airunway.cli.streams import read_text
from airunway.live.adoption import Adoption
from airunway.live.api_server.connection import connect
from airunway.live.survey import status_of
from airunway.planning.deployment import PlanContext, PlannedDeployment
from airunway.planning.plan import Plan
from airunway.planning.settings import StackSettings
from airunway.program.stack_file import read_stack
from airunway.program.stack_plan import stack_plan, stack_settings, stack_target
from airunway.provider.observation import Phase
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.terminal import LogText, console, one_line

SOME_NOT_RUNNING = 3
_NODES = "Written by `airunway nodes`, which keeps pricePerHour, minNodes and maxNodes."
_Result = TypeVar("_Result")


def show_status(root: Path, stacks: Sequence[str], format: Format, *, watch: bool) -> None:
    """Print the status of ``stacks``, with ``watch`` again on each change; exit with 3 if a deployment does not run."""
    plans = {stack: stack_plan(root, stack) for stack in dict.fromkeys(stacks)}
    if watch:
        run_async(watch_status(root, plans, format))
    with console(stderr=True).status("reading the cluster …"):
        surveys, problems = run_async(survey_once(root, plans))
    if surveys:
        print_surveys(surveys, format)
    if problems:
        raise InputError(problems)
    if any(d.phase is not Phase.RUNNING for s in surveys for d in s.deployments):
        raise typer.Exit(SOME_NOT_RUNNING)


def wait_for(root: Path, stack: str, names: Sequence[str], timeout: float) -> None:
    """Wait until the deployments ``names``, or all, run; exit with 3 if they do not within ``timeout`` seconds."""
    plan = stack_plan(root, stack)
    selected = {find_deployment(plan, name).name for name in names} or {d.name for d in plan.deployments}
    late = run_async(wait_until_running(root, plan, stack, selected, timeout))
    for status in late:
        console(stderr=True).print(f"timed out: {status_line(status)}", markup=False, soft_wrap=True)
    if late:
        raise typer.Exit(SOME_NOT_RUNNING)


def show_endpoint(root: Path, stack: str, name: str, port: int | None) -> None:
    """Print the base URL of a deployment; with ``port`` (0: any free port), forward it until interrupted."""
    plan = stack_plan(root, stack)
    planned = find_deployment(plan, name)
    if port is None:
        print(planned.rendered.endpoint.url(planned.request.namespace))
        return

    async def serve(url: str) -> None:
        print(url, flush=True)
        console(stderr=True).print(f"forwarding {name} of stack {stack}; press Ctrl-C to stop", markup=False)
        await asyncio.Event().wait()

    run_async(_with_port_forward(root, plan, planned, port, serve))


def chat_with(root: Path, stack: str, name: str, text: str, model: str | None, url: str | None) -> None:
    """Stream a deployment's answer to ``text``."""
    from airunway.live.chat import chat, checked_url

    plan = stack_plan(root, stack)
    planned = find_deployment(plan, name)

    async def send_prompt(base_url: str) -> None:
        ending, answer = "", LogText()
        try:
            async for chunk in chat(base_url, text, model):
                sys.stdout.write(answer.piece(chunk))
                sys.stdout.flush()
                ending = "\n"
        finally:
            sys.stdout.write(ending)

    run_async(_with_port_forward(root, plan, planned, 0, send_prompt) if url is None else send_prompt(checked_url(url)))


def show_import(root: Path, stack: str, ids: Path | None) -> None:
    """Print entries for objects that the stack does not have yet, and write their import ids to the file ``ids``."""
    from airunway.live.discovery import import_document
    from airunway.text.yaml_writing import to_yaml

    plan, target = stack_plan(root, stack), stack_target(root, stack)
    adoptions = run_async(_discover(root, plan, target))
    refused = [a for a in adoptions if a.entry is None]
    for adoption in refused:
        reasons = "".join(f"\n#   {one_line(line)}" for line in adoption.reasons)
        print(f"# {adoption.kind} {one_line(adoption.id)} has no matching stack entry:{reasons}")
    for adoption in adoptions:
        if adoption.entry is not None:
            print(f"# {adoption.kind}, id {one_line(adoption.id)}\n{to_yaml([adoption.entry])}", end="")
    if ids is not None:
        _write_file(
            ids, json.dumps(import_document(adoptions, stack, read_stack(root, stack).project), indent=2) + "\n"
        )
    count = len(adoptions) - len(refused)
    summary = f"{count} of {len(adoptions)} objects that are not in stack {stack} can be imported unchanged"
    hint = "; add their entries to airunway:deployments or a deployment file, then run `pulumi up`" if count else ""
    console(stderr=True).print(summary + hint, markup=False, soft_wrap=True)


def show_nodes(root: Path, stack: str, file: Path | None) -> None:
    """Print the node pools of a stack's cluster, or write them to ``file``, keeping the prices that it has."""
    from airunway.live.nodes import merged
    from airunway.planning.node_pools import pools_in
    from airunway.text.yaml_writing import to_yaml

    settings, _ = stack_settings(root, stack)
    pools = run_async(_node_pools(root, settings))
    if file is not None and file.exists():
        pools = merged(pools, pools_in(read_text(str(file)), str(file)))
    data = [pool.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True) for pool in pools]
    text = f"# {_NODES}\n{to_yaml(data)}"
    if file is None:
        print(text, end="")
        return
    _write_file(file, text)
    message = f"wrote {len(pools)} node pools to {file}; name it in airunway:nodePoolFiles, and add pricePerHour"
    console(stderr=True).print(message, markup=False, soft_wrap=True)


async def _node_pools(root: Path, settings: StackSettings) -> list[NodePool]:
    from airunway.live.nodes import live_node_pools

    async with connect(settings.cluster, root) as connection:
        return await live_node_pools(connection)


def _write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError([Problem(str(path), f"can't be written: {error.strerror}")]) from error


async def _discover(root: Path, plan: Plan, target: PlanContext) -> list[Adoption]:
    from airunway.live.discovery import discover

    async with connect(plan.settings.cluster, root) as connection:
        return await discover(connection, plan, target)


def find_deployment(plan: Plan, name: str) -> PlannedDeployment:
    """Return the deployment called ``name``. Raises ``InputError`` if there is none."""
    deployment = next((d for d in plan.deployments if d.name == name), None)
    if deployment is None:
        raise InputError(
            [Problem("DEPLOYMENT", f"no deployment '{name}'; {suggest_name(name, [d.name for d in plan.deployments])}")]
        )
    return deployment


def run_async(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Return what ``work`` returns; Ctrl-C exits with 130."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


async def _with_port_forward(
    root: Path, plan: Plan, planned: PlannedDeployment, port: int, action: Callable[[str], Awaitable[None]]
) -> None:
    from airunway.live.forward import port_forward

    def report_failure(reason: str) -> None:
        console(stderr=True).print(f"a forwarded connection failed: {one_line(reason)}", markup=False, soft_wrap=True)

    async with connect(plan.settings.cluster, root) as connection:
        status = await status_of(connection, planned)
        async with port_forward(connection, planned.request.namespace, status.endpoint, port, report_failure) as url:
            await action(url)
