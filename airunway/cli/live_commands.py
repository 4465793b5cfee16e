"""The commands about a cluster: ``status``, ``wait``, ``endpoint``, ``chat``, ``logs``, ``import`` and ``nodes``."""

from pathlib import Path
from typing import Annotated

import typer

from airunway.cli.completion import stacks_to_complete
from airunway.cli.options import (
    Format,
    FormatOption,
    NameArgument,
    OnlyStackOption,
    PortOption,
    ProjectOption,
    StackArgument,
    StackArguments,
    StackOption,
    checked_stack,
    chosen_stack,
    find_project,
)
from airunway.cli.project_folder import DEFAULT_STACK
from airunway.spec.durations import is_duration, seconds
from airunway.text.problems import format_value


def status(
    names: StackArguments = None,
    stack: Annotated[
        list[str] | None,
        typer.Option("--stack", "-s", metavar="STACK", help="Same; repeatable.", autocompletion=stacks_to_complete),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep running and print each change.")] = False,
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Show the live status of deployments and operators.

    Exits with 0 if all deployments run, and with 3 if some do not.
    """
    from airunway.cli.live import show_status

    show_status(
        find_project(cwd),
        [checked_stack(name) for name in (*(stack or ()), *(names or ()))] or [DEFAULT_STACK],
        format,
        watch=watch,
    )


def wait(
    deployments: Annotated[
        list[str] | None, typer.Argument(metavar="DEPLOYMENT", help="Deployments to wait for. Default: all.")
    ] = None,
    stack: OnlyStackOption = None,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="Longest wait, such as 90s, 45m or 2h.")
    ] = "30m",
    cwd: ProjectOption = None,
) -> None:
    """Wait until deployments run, printing each change.

    Exits with 0 if they run, and with 3 on timeout.
    """
    from airunway.cli.live import wait_for

    wait_for(find_project(cwd), chosen_stack(None, stack), deployments or [], _parse_seconds(timeout))


def endpoint(
    name: NameArgument,
    stack: OnlyStackOption = None,
    port_forward: Annotated[
        bool, typer.Option("--port-forward", help="Forward a local port until interrupted.")
    ] = False,
    port: PortOption = 0,
    cwd: ProjectOption = None,
) -> None:
    """Print a deployment's OpenAI-compatible base URL.

    The URL works inside the cluster; with --port-forward, on this machine.
    """
    from airunway.cli.live import show_endpoint

    show_endpoint(find_project(cwd), chosen_stack(None, stack), name, port if port_forward else None)


def chat(
    name: NameArgument,
    text: Annotated[str, typer.Argument(metavar="PROMPT", help="Text to send.")],
    stack: OnlyStackOption = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Model name. Default: the endpoint's first model.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Base URL, such as a gateway's. Default: a port forward.")
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Send a prompt to a deployment and print the answer.

    Tests the model end to end. OPENAI_API_KEY is sent if it is set.
    """
    from airunway.cli.live import chat_with

    chat_with(find_project(cwd), chosen_stack(None, stack), name, text, model, url)


def logs(
    name: NameArgument,
    stack: OnlyStackOption = None,
    previous: Annotated[
        bool, typer.Option("--previous", "-p", help="Of the containers before their last restarts.")
    ] = False,
    cwd: ProjectOption = None,
) -> None:
    """Print the end of the logs of a deployment's containers.

    The last 200 lines of each, with times in UTC; credentials are hidden.
    """
    from airunway.cli.logs import show_logs

    show_logs(find_project(cwd), chosen_stack(None, stack), name, previous=previous)


def import_(
    name: StackArgument = None,
    stack: StackOption = None,
    ids: Annotated[
        Path | None,
        typer.Option("--ids", metavar="FILE", help="Write the ids for `pulumi import --file` to this file."),
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print stack entries for models the cluster already serves.

    With these entries `pulumi up` takes the objects over unchanged. Comments list objects that no entry matches.
    """
    from airunway.cli.live import show_import

    show_import(find_project(cwd), chosen_stack(name, stack), ids)


def nodes(
    name: StackArgument = None,
    stack: StackOption = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FILE", help="Write them to this file, which keeps its prices."),
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print the node pools of a stack's cluster.

    They are for airunway:nodePoolFiles. Previews then say where each model runs, what it costs, and what the cluster
    has no GPUs for.
    """
    from airunway.cli.live import show_nodes

    show_nodes(find_project(cwd), chosen_stack(name, stack), write)


def _parse_seconds(text: str) -> int:
    """Convert a duration to seconds. Raises a usage error for an invalid one."""
    if not is_duration(text):
        raise typer.BadParameter(
            f"{format_value(text)} given; wanted: a duration such as 90s, 45m or 1h30m", param_hint="--timeout"
        )
    return seconds(text)
