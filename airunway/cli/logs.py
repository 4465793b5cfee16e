"""The command `airunway logs`; imported only when it runs."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from airunway.cli.live import find_deployment, run_async
from airunway.live.api_server.connection import Connection, connect
from airunway.live.logs import Log, log_of
from airunway.live.pods import LogSource, PodStatus, pods_of
from airunway.planning.deployment import PlannedDeployment
from airunway.program.stack_plan import stack_plan
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import LogText, console


def show_logs(root: Path, stack: str, name: str, *, previous: bool) -> None:
    """Print the end of the logs of a deployment's containers, or of those before their last restarts.

    A log that can't be read doesn't hide the others. Raises ``InputError``.
    """
    plan = stack_plan(root, stack)
    planned = find_deployment(plan, name)

    async def read() -> tuple[list[str], list[Problem]]:
        async with connect(plan.settings.cluster, root) as connection:
            pods = await pods_of(connection, planned)
            return await _lines(connection, planned, _wanted(name, pods, previous=previous))

    with console(stderr=True).status("reading the cluster …"):
        lines, problems = run_async(read())
    output = LogText()
    sys.stdout.writelines(output.piece(f"{line}\n") for line in lines)
    if problems:
        raise InputError(problems)


def _wanted(name: str, pods: Sequence[PodStatus], *, previous: bool) -> list[tuple[str, LogSource]]:
    wanted = [(pod.name, log) for pod in pods for log in pod.logs if log.previous == previous]
    if wanted:
        return wanted
    if not pods:
        raise InputError([Problem(name, "has no pods; `airunway status` shows its state")])
    reasons = "; ".join(dict.fromkeys(reason for pod in pods for reason in pod.reasons))
    has_previous = any(log.previous for pod in pods for log in pod.logs)
    why = "no container was restarted" if previous else "no container runs" if has_previous else "none has started yet"
    hint = "; --previous shows the log before the restart" if has_previous and not previous else ""
    raise InputError([Problem(name, f"{why}{hint}" + (f" ({reasons})" if reasons else ""))])


async def _lines(
    connection: Connection, planned: PlannedDeployment, wanted: Sequence[tuple[str, LogSource]]
) -> tuple[list[str], list[Problem]]:
    lines: list[str] = []
    problems: list[Problem] = []
    for pod, source in wanted:
        try:
            log = await log_of(connection, planned.request.namespace, pod, source)
        except InputError as error:
            problems += error.problems
            continue
        prefix = f"{pod} {source.container} " if len(wanted) > 1 else ""
        lines += (f"{prefix}{line}" for line in _texts(log))
        if log.is_cut:
            problems.append(Problem(f"{pod} {source.container}", "its last lines are too long, the newest are missing"))
    return lines, problems


def _texts(log: Log) -> Iterator[str]:
    return (f"{line.date}T{line.time}Z {line.text}" if line.date else line.text for line in log.lines)
