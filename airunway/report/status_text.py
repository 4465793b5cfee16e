"""The status of stacks, for a terminal and as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from airunway.live.status import DeploymentStatus, OperatorStatus
from airunway.live.survey import Survey
from airunway.provider.observation import Phase
from airunway.report.event_text import event_document, warning_line
from airunway.report.model_and_gpus import gpus_cell, gpus_document, gpus_words
from airunway.text.terminal import foldable_line

_STYLES = {
    Phase.RUNNING: "green",
    Phase.FAILED: "red",
    Phase.DEPLOYING: "yellow",
    Phase.PENDING: "yellow",
    Phase.TERMINATING: "magenta",
}


_MOST_FIELDS = 3
_EVENT_LINES = 2
"""Lines of text that an event is cut to; long words may give it one more."""


def survey_document(survey: Survey) -> dict[str, Any]:
    """Return one stack's status as ``--format json`` prints it."""
    return {
        "stack": survey.stack,
        "deployments": [_deployment(d) for d in survey.deployments],
        "operators": [_operator(o) for o in survey.operators],
        "eventsUnread": survey.events_unread,
    }


def _deployment(status: DeploymentStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "model": status.model,
        **gpus_document(status.gpus),
        "phase": str(status.phase),
        "provider": {"name": status.provider, "selectedReason": status.selected_reason},
        "engine": status.engine,
        "replicas": {
            "desired": status.replicas.desired,
            "ready": status.replicas.ready,
            "available": status.replicas.available,
        },
        "endpoint": status.url,
        "message": status.message,
        "notAsPlanned": list(status.not_as_planned),
        "conditions": [
            {"type": c.type, "status": c.status, "reason": c.reason, "message": c.message} for c in status.conditions
        ],
        "events": [event_document(event) for event in status.events],
        "resource": dict(status.resource),
    }


def _operator(status: OperatorStatus) -> dict[str, Any]:
    return {
        "provider": status.provider,
        "installation": status.installation,
        "release": status.release,
        "crd": status.served,
        "deployments": {"ready": status.ready, "desired": status.deployments},
        "healthy": status.healthy,
        "message": status.message,
    }


def surveys_text(surveys: Sequence[Survey], width: int) -> RenderableType:
    """Render the status of stacks on ``width`` columns; below 100, as a list instead of a table."""
    parts: list[RenderableType] = []
    for survey in surveys:
        parts += [""] if parts else []
        running = len([d for d in survey.deployments if d.phase is Phase.RUNNING])
        parts.append(
            Text(survey.stack, style="bold").append(
                f"  {running} of {len(survey.deployments)} running", style="not bold"
            )
        )
        parts += ["", (_list if width < 100 else _table)(survey.deployments, width)] if survey.deployments else []
        if survey.events_unread:
            parts += ["", Text(foldable_line(f"Without events: {survey.events_unread}"), style="dim")]
        parts += ["", _operators(survey.operators)] if survey.operators else []
    return Group(*parts)


def _table(deployments: Sequence[DeploymentStatus], width: int) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("DEPLOYMENT", "PHASE", "READY"):
        table.add_column(heading, no_wrap=True)
    table.add_column("MODEL", overflow="fold", ratio=2)
    table.add_column("GPUS", justify="right", no_wrap=True)
    table.add_column("RUNS ON", no_wrap=True)
    table.add_column("ENDPOINT", overflow="fold", ratio=2)
    table.add_column("MESSAGE", overflow="fold", ratio=3)
    for status in deployments:
        table.add_row(
            status.name,
            _phase(status),
            f"{status.replicas.ready}/{status.replicas.desired}",
            Text(foldable_line(status.model)),
            gpus_cell(gpus_document(status.gpus)),
            Text(f"{foldable_line(status.engine)} on ").append(foldable_line(status.provider), style="cyan"),
            Text(foldable_line(status.url)),
            Text(foldable_line("; ".join(_messages(status)))),
        )
    below = [[_indented(text, 2) for text in _warnings(status, width - 2)] for status in deployments]
    return _BelowRows(table, below) if any(below) else table


@dataclass(frozen=True)
class _BelowRows:
    """A table with whole lines below its rows, which none of its columns has room for."""

    table: Table
    below: Sequence[Sequence[RenderableType]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = chain([()], self.below)  # nothing is below the headings
        below: Sequence[RenderableType] = ()
        for line in console.render_lines(self.table, options, pad=False):
            if line[0].text.strip():  # the first column is never folded: a row begins
                yield from below
                below = next(rows)
            yield from line
            yield Segment.line()
        yield from below


def _list(deployments: Sequence[DeploymentStatus], width: int) -> RenderableType:
    lines: list[RenderableType] = []
    for status in deployments:
        head = Text(status.name, style="bold").append("  ").append_text(_phase(status))
        served_by = f"{foldable_line(status.engine)} on {foldable_line(status.provider)}"
        lines.append(head.append(f"  {status.replicas.ready}/{status.replicas.desired}  {served_by}", style="not bold"))
        serves = f"{status.model}, {gpus_words(gpus_document(status.gpus))}"
        details = [Text(foldable_line(text), style="dim") for text in (serves, status.url, *_messages(status)) if text]
        lines += [_indented(text, 4) for text in (*details, *_warnings(status, width - 4))]
    return Group(*lines)


def _indented(text: Text, columns: int) -> RenderableType:
    return Padding(text, (0, 0, 0, columns), expand=False)


def _warnings(status: DeploymentStatus, width: int) -> list[Text]:
    """The warnings about a deployment, each on about two lines of ``width`` columns."""
    now = datetime.now(UTC)
    most = _EVENT_LINES * width - width // 4  # words are not divided, so that lines are not full
    return [Text(foldable_line(warning_line(event, now, most)), style="yellow") for event in status.events]


def _messages(status: DeploymentStatus) -> list[str]:
    others = drift_text(status.not_as_planned)
    return [text for text in (status.message, others) if text]


def drift_text(fields: Sequence[str]) -> str:
    """Which fields of an object are not as planned, in words; empty for none."""
    return f"not as planned: {first_fields(fields)}" if fields else ""


def first_fields(fields: Sequence[str]) -> str:
    """The first three fields, and how many others there are."""
    more = f" and {len(fields) - _MOST_FIELDS} more" if len(fields) > _MOST_FIELDS else ""
    return f"{', '.join(fields[:_MOST_FIELDS])}{more}"


def _phase(status: DeploymentStatus) -> Text:
    return Text(str(status.phase), style=f"not bold {_STYLES[status.phase]}")


def _operators(operators: Sequence[OperatorStatus]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("OPERATOR", "HEALTH", "RELEASE", "CRD", "READY"):
        table.add_column(heading, no_wrap=True)
    table.add_column("MESSAGE", overflow="fold")
    for status in operators:
        health = {
            True: Text("healthy", style="green"),
            False: Text("unhealthy", style="red"),
            None: Text("unknown", style="yellow"),
        }
        table.add_row(
            status.provider,
            health[status.healthy],
            Text(foldable_line(status.release)),
            "served" if status.served else "missing",
            f"{status.ready}/{status.deployments}",
            Text(foldable_line(status.message)),
        )
    return table
