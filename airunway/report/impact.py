"""What of a difference a reviewer decides on: what is removed, moves or pauses, and equal changes as one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airunway.report.compare import CREATE, DELETE, FORGET, REPLACE, UPDATE, Difference, FieldChange, ResourceChange

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


def impact_sentences(difference: Difference) -> Iterator[str]:
    """Say which deployments are removed, which are at another endpoint, and which are not served meanwhile."""
    for selection in difference.selections:
        if selection.new is None:
            yield f"{selection.name}: removed, was {selection.serves}{selection.old}"
    for change in difference.resources:
        if change.kind == _COMPONENT:
            yield from (
                f"{change.name}: {_moved(f)}" for f in change.fields if f.field == _ENDPOINT and f.old and f.new
            )
    for change in difference.resources:
        if change.interrupts:
            yield f"{change.name}: not served while its {change.kind} is deleted and created again"


def _moved(change: FieldChange) -> str:
    return f"endpoint {change.old} -> {change.new}, so its clients have to follow"
