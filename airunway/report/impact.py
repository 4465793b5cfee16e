"""What of a difference a reviewer decides on: what is removed, moves or pauses, and equal changes as one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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

_ORDER = (DELETE, REPLACE, FORGET, UPDATE, CREATE)
_COMPONENT, _ENDPOINT = "ModelDeployment", "endpoint"
_MOST_NAMES = 5


@dataclass(frozen=True)
class ChangeGroup:
    """Resources of one kind that change in the same way; ``changes`` has at least one."""

    changes: tuple[ResourceChange, ...]

    @property
    def first(self) -> ResourceChange:
        """The change of the first, whose fields are those of all."""
        return self.changes[0]

    @property
    def names(self) -> str:
        """The names, the first five of them in full."""
        names = [change.name for change in self.changes]
        more = len(names) - _MOST_NAMES
        return ", ".join(names) if more <= 0 else f"{', '.join(names[:_MOST_NAMES])} and {more} more"


def change_groups(difference: Difference) -> Sequence[ChangeGroup]:
    """Group the resources that change in the same way: what is deleted or replaced first, new ones last."""
    groups: dict[tuple[str, str, tuple[FieldChange, ...]], list[ResourceChange]] = {}
    for change in sorted(difference.resources, key=lambda change: _ORDER.index(change.operation)):
        # Without fields, as for what is created, only the operation and the kind are the same.
        groups.setdefault((change.operation, change.kind, _comparable(change.fields)), []).append(change)
    return [ChangeGroup(tuple(changes)) for changes in groups.values()]


def _comparable(fields: Sequence[FieldChange]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(f.field, repr(f.old), repr(f.new), f.secret) for f in fields)


def deployment_sentences(difference: Difference) -> Sequence[tuple[str, bool]]:
    """Say of each deployment once what changes, and whether that is a removal, another endpoint or a pause.

    Those come first.
    """
    parts: dict[str, list[str]] = {}
    notable: set[str] = set()
    for name, text in impacts(difference):
        parts.setdefault(name, []).append(text)
        notable.add(name)
    for selection in difference.selections:
        if selection.new is not None:
            parts.setdefault(selection.name, []).append(decision_text(selection))
    for name, text in difference.assessment.deployments:
        parts.setdefault(name, []).append(text)
    names = sorted(parts, key=lambda name: name not in notable)
    return [(f"{name}: {'; '.join(parts[name])}", name in notable) for name in names]


def impacts(difference: Difference) -> Iterator[tuple[str, str]]:
    """The deployments that are removed, that are at another endpoint, and that are not served meanwhile."""
    for selection in difference.selections:
        if selection.new is None:
            yield selection.name, f"removed, was {selection.serves}{selection.old}"
    for change in difference.resources:
        if change.kind == _COMPONENT:
            moves = (field for field in change.fields if field.field == _ENDPOINT and field.old and field.new)
            yield from (
                (change.name, f"endpoint {move.old} -> {move.new}, so its clients have to follow") for move in moves
            )
    for change in difference.resources:
        if change.interrupts:
            yield change.name, f"not served while its {change.kind} is deleted and created again"


def decision_text(change: SelectionChange) -> str:
    """Describe the decision of a deployment that stays, or is new."""
    if change.old is None:
        return f"{change.serves}{change.new}, {change.because}"
    if change.old == change.new:
        return f"still {change.new}, {change.because}"
    return f"{change.old} -> {change.new}, because {change.because}"
