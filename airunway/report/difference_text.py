"""A difference for a terminal, and the words for it that other formats share."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from airunway.report.compare import (
    CREATE,
    DELETE,
    FORGET,
    REPLACE,
    UPDATE,
    Difference,
    FieldChange,
    ResourceChange,
    SelectionChange,
)
from airunway.text.terminal import escape_invisible, foldable_line

SYMBOLS = {CREATE: "+", UPDATE: "~", REPLACE: "±", DELETE: "-", FORGET: "×"}
_STYLES = {CREATE: "green", UPDATE: "yellow", REPLACE: "magenta", DELETE: "red", FORGET: "dim"}


def differences_text(differences: Sequence[Difference]) -> RenderableType:
    """Everything that ``airunway diff`` prints."""
    parts: list[RenderableType] = []
    for difference in differences:
        parts.append(Text(foldable_line(difference.stack), style="bold"))
        parts += [Padding(line, (0, 0, 0, 2), expand=False) for line in _lines(difference)]
    return Group(*parts)


def _lines(difference: Difference) -> list[RenderableType]:
    lines: list[RenderableType] = [
        Text(foldable_line(selection_sentence(s)), style="cyan") for s in difference.selections
    ]
    lines += [Text(foldable_line(sentence)) for sentence in difference.operators]
    for change in difference.resources:
        head = Text(f"{SYMBOLS[change.operation]} {change.operation} ", style=_STYLES[change.operation])
        head.append(
            f"{foldable_line(change.name)}  {foldable_line(change.kind)}",
            style="bold" if change.operation == REPLACE else "",
        )
        lines.append(head)
        lines += [
            Padding(
                Text(foldable_line(field_sentence(f, change)), style="red" if f.path in change.refused else "dim"),
                (0, 0, 0, 4),
                expand=False,
            )
            for f in change.fields
        ]
    lines.append(Text(summary(difference), style="bold"))
    return lines


def selection_sentence(change: SelectionChange) -> str:
    """One decision's change."""
    if change.old is None:
        return f"{change.name}: {change.new}, {change.because}"
    if change.old == change.new:
        return f"{change.name}: still {change.new}, {change.because}"
    if change.new is None:
        return f"{change.name}: was {change.old}, {change.because}"
    return f"{change.name}: {change.old} -> {change.new}, because {change.because}"


def field_sentence(field: FieldChange, change: ResourceChange) -> str:
    """One field's change."""
    interrupts = ": deleted, then created again, and not served meanwhile" if change.interrupts else ""
    forced = f"  (forces replacement{interrupts})" if field.path in change.forced_by else ""
    forced = "  (refused: a volume is never changed so)" if field.path in change.refused else forced
    path = escape_invisible(field.path)
    if field.secret:
        return f"{path}: changed (secret)"
    if field.old is None:
        return f"{path}: {value(field.new)} (new){forced}"
    if field.new is None:
        return f"{path}: {value(field.old)} (gone){forced}"
    return f"{path}: {value(field.old)} -> {value(field.new)}{forced}"


def value(data: Any, limit: int = 200) -> str:
    """A field's value in one line; a text that has more, or what can't be seen, is written as JSON."""
    bare = isinstance(data, str) and data and data.strip() == data == escape_invisible(data)
    text = data if bare else escape_invisible(json.dumps(data, ensure_ascii=False))
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def summary(difference: Difference) -> str:
    """The counts."""
    counted = [f"{count} to {operation}" for operation, count in difference.counts.items() if count]
    return (
        ", ".join([*counted, f"{difference.unchanged} unchanged"])
        if counted
        else f"no change ({difference.unchanged} resources)"
    )
