"""An assessment for a terminal: its findings, GPUs and cost of each deployment, and the node pools."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from airunway.report.assessment_difference import AssessmentChange
from airunway.report.assessment_sentences import (
    MEMORY_COLUMNS,
    deployment_rows,
    memory_by_name,
    memory_rows,
    memory_sentence,
    pool_sentence,
    total_sentence,
)
from airunway.text.terminal import foldable_line

_WIDE = 100
"""Columns that the table of memory needs."""


def assessment_lines(document: Mapping[str, Any], width: int) -> list[RenderableType]:
    """Render GPUs, cost and memory of a preview; nothing where nothing is known."""
    assessment = document.get("assessment")
    if assessment is None:
        return []
    lines: list[RenderableType] = []
    rows = list(deployment_rows(document))
    if rows:
        lines.append(_table(rows) if width >= 80 else _list(rows))
        lines.append(Text(total_sentence(assessment)))
    lines += [Text(foldable_line(pool_sentence(pool)), style="dim") for pool in assessment["pools"]]
    if memory := list(memory_rows(document)):
        lines += ["", _memory_table(memory) if width >= _WIDE else _memory_list(document)]
    return ["", *lines] if lines else []


def finding_lines(mandatory: Sequence[str], advisory: Sequence[str]) -> list[RenderableType]:
    """Render findings, those that stop an update first."""
    lines: list[RenderableType] = [
        Text("stopped: ", style="bold red").append(foldable_line(sentence), style="not bold") for sentence in mandatory
    ]
    return [*lines, *(Text(f"advice: {foldable_line(sentence)}", style="yellow") for sentence in advisory)]


def change_lines(change: AssessmentChange) -> list[RenderableType]:
    """Render the findings about the new state, and what a change means for all GPUs and the whole cost."""
    lines = finding_lines(change.mandatory, change.advisory)
    if change.totals:
        lines.append(Text(foldable_line(change.totals), style="bold"))
    return lines


def _table(rows: Sequence[tuple[str, str, str, str]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("DEPLOYMENT", no_wrap=True)
    table.add_column("GPUS", overflow="fold")
    table.add_column("NODE POOL", overflow="fold")
    table.add_column("PER MONTH", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _memory_table(rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, column in enumerate(MEMORY_COLUMNS):
        table.add_column(column.upper(), overflow="fold", justify="left" if index < 2 else "right", no_wrap=not index)
    for row in rows:
        table.add_row(*row)
    return table


def _memory_list(document: Mapping[str, Any]) -> RenderableType:
    lines = (f"{name}: {memory_sentence(use)}" for name, use in memory_by_name(document))
    return Padding(Text("\n").join(map(Text, lines)), 0)


def _list(rows: Sequence[tuple[str, str, str, str]]) -> RenderableType:
    lines = Text("\n").join(Text(f"{name}: {gpus} in {pools}, {cost} a month") for name, gpus, pools, cost in rows)
    return Padding(lines, 0)
