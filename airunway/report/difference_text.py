"""A difference for a terminal, and the sentences that other formats share."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from airunway.report.assessment_text import change_lines
from airunway.report.compare import (
    CREATE,
    DELETE,
    FORGET,
    REPLACE,
    UPDATE,
    Difference,
    ResourceChange,
)
from airunway.report.field_changes import FieldChange
from airunway.report.impact import change_groups, deployment_changes
from airunway.text.terminal import escape_invisible, foldable_line

SYMBOLS = {CREATE: "+", UPDATE: "~", REPLACE: "±", DELETE: "-", FORGET: "×"}
_STYLES = {CREATE: "green", UPDATE: "yellow", REPLACE: "magenta", DELETE: "red", FORGET: "dim"}


def differences_text(differences: Sequence[Difference]) -> RenderableType:
    """Render what ``airunway diff`` prints."""
    parts: list[RenderableType] = []
    for difference in differences:
        parts.append(Text(foldable_line(difference.stack), style="bold"))
        parts += [Padding(line, (0, 0, 0, 2), expand=False) for line in _lines(difference)]
    return Group(*parts)


def _lines(difference: Difference) -> list[RenderableType]:
    lines: list[RenderableType] = [
        *change_lines(difference.assessment),
        *(
            Text(foldable_line(change.sentence), style="bold yellow" if change.is_notable else "cyan")
            for change in deployment_changes(difference)
        ),
    ]
    lines += [Text(foldable_line(sentence)) for sentence in difference.operators]
    for group in change_groups(difference):
        change = group.first
        head = Text(f"{SYMBOLS[change.operation]} {change.operation} ", style=_STYLES[change.operation])
        head.append(
            f"{foldable_line(group.names)}  {foldable_line(change.kind)}",
            style="bold" if change.operation == REPLACE else "",
        )
        lines.append(head)
        lines += [
            Padding(
                Text(foldable_line(field_sentence(f, change)), style="red" if f.field in change.refused else "dim"),
                (0, 0, 0, 4),
                expand=False,
            )
            for f in change.fields
        ]
    lines.append(Text(summary(difference), style="bold"))
    return lines


def field_sentence(field_change: FieldChange, resource_change: ResourceChange) -> str:
    """Describe a changed field."""
    pause = ": deleted, then created again, and not served meanwhile" if resource_change.interrupts else ""
    note = f"  (forces replacement{pause})" if field_change.field in resource_change.forced_by else ""
    note = "  (refused: volumes can't be changed this way)" if field_change.field in resource_change.refused else note
    field_name = escape_invisible(field_change.field)
    if field_change.secret:
        return f"{field_name}: changed (secret)"
    if field_change.old is None:
        return f"{field_name}: {value_text(field_change.new)} (new){note}"
    if field_change.new is None:
        return f"{field_name}: {value_text(field_change.old)} (removed){note}"
    return f"{field_name}: {value_text(field_change.old)} -> {value_text(field_change.new)}{note}"


def value_text(data: Any, limit: int = 200) -> str:
    """Format a field's value on one line; multi-line text and invisible characters are written as JSON."""
    is_plain = isinstance(data, str) and data and data.strip() == data == escape_invisible(data)
    text = data if is_plain else escape_invisible(json.dumps(data, ensure_ascii=False))
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def summary(difference: Difference) -> str:
    """Summarize the counts."""
    changes = [f"{count} to {operation}" for operation, count in difference.counts.items() if count]
    return (
        ", ".join([*changes, f"{difference.unchanged} unchanged"])
        if changes
        else f"no change ({difference.unchanged} resources)"
    )
