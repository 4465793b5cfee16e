"""What of a difference a reviewer decides on: what is removed, moves or pauses, and equal changes as one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from airunway.report.compare import (
    CREATE,
    DELETE,
    FORGET,
    REPLACE,
    UPDATE,
    Difference,
    ResourceChange,
    SelectionChange,
)
from airunway.report.field_changes import FieldChange
from airunway.report.model_and_gpus import gpus_words
from airunway.report.restarts import MOST_SETTINGS, new_settings, restarts

_ORDER = (DELETE, REPLACE, FORGET, UPDATE, CREATE)
_COMPONENT, _ENDPOINT = "ModelDeployment", "endpoint"
_MOST_NAMES, _MOST_SENTENCES = 5, 20
_SERVES = "\0"
"""Stands for the models and GPUs of several deployments."""


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
        return _first([change.name for change in self.changes])


def change_groups(difference: Difference) -> Sequence[ChangeGroup]:
    """Group the resources that change in the same way: what is deleted or replaced first, new ones last."""
    groups: dict[tuple[str, str, tuple[FieldChange, ...]], list[ResourceChange]] = {}
    for change in sorted(difference.resources, key=lambda change: _ORDER.index(change.operation)):
        # Without fields, as for what is created, only the operation and the kind are the same.
        groups.setdefault((change.operation, change.kind, _comparable(change.fields)), []).append(change)
    return [ChangeGroup(tuple(changes)) for changes in groups.values()]


def _comparable(fields: Sequence[FieldChange]) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(f.field, repr(f.old), repr(f.new), f.secret) for f in fields)


@dataclass(frozen=True)
class DeploymentChange:
    """What changes of one deployment, or in the same way of several.

    ``each`` says it of every one of several, where that says more. ``is_notable`` says that it is a removal, another
    endpoint or a pause.
    """

    sentence: str
    is_notable: bool
    each: tuple[str, ...] = ()


def deployment_changes(difference: Difference) -> Sequence[DeploymentChange]:
    """Say of each deployment once what changes; beyond twenty, of those together that change in the same way.

    Removals, other endpoints and pauses come first.
    """
    parts: dict[str, list[_Part]] = {}
    notable: set[str] = set()
    for name, part in _impacts(difference):
        parts.setdefault(name, []).append(part)
        notable.add(name)
    for selection in difference.selections:
        if selection.new is not None:
            parts.setdefault(selection.name, []).append(_decision(selection))
    for name, text in (*difference.assessment.deployments, *restarts(difference)):
        parts.setdefault(name, []).append(_Part(text, text))
    groups: dict[tuple[bool, str], list[str]] = {}
    for name in sorted(parts, key=lambda name: name not in notable):
        together = len(parts) > _MOST_SENTENCES
        shared = "; ".join(part.of_several for part in parts[name]) if together else name
        groups.setdefault((name in notable, shared), []).append(name)
    return [_change(names, parts, is_notable=noted) for (noted, _), names in groups.items()]


def _change(names: Sequence[str], parts: Mapping[str, Sequence["_Part"]], *, is_notable: bool) -> DeploymentChange:
    each = tuple(f"{name}: {'; '.join(part.of_one for part in parts[name])}" for name in names)
    if len(names) == 1:
        return DeploymentChange(each[0], is_notable)
    shown = ", ".join(names) if is_notable else _first(names)
    columns = zip(*(parts[name] for name in names), strict=True)
    shared = "; ".join(_together(column) for column in columns)
    says_all = all(f"{name}: {shared}" == text and name in shown for name, text in zip(names, each, strict=True))
    return DeploymentChange(f"{len(names)} deployments: {shared} ({shown})", is_notable, () if says_all else each)


@dataclass(frozen=True)
class _Part:
    """A part of a sentence about one deployment, and about several that it is true of but for their own values.

    Of several that are new or removed, ``_SERVES`` stands for all of their models and GPUs.
    """

    of_one: str
    of_several: str
    selection: SelectionChange | None = None


def _together(parts: Sequence[_Part]) -> str:
    """What is true of several deployments, with all of their models and GPUs."""
    selections = [part.selection for part in parts if part.selection]
    return parts[0].of_several.replace(_SERVES, _served(selections) if selections else "", 1)


def _served(selections: Sequence[SelectionChange]) -> str:
    """The models and GPUs of all, followed by a comma; empty where they are not known."""
    models = dict.fromkeys(selection.model for selection in selections if selection.model)
    if not models:
        return ""
    words = next(iter(models)) if len(models) == 1 else f"{len(models)} models"
    counts = [selection.gpus for selection in selections]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return f"{words}, {gpus_words({})}, "
    total = {side: sum(count[side] for count in known) for side in ("least", "most")}
    return f"{words}, {gpus_words({'gpus': total})}{' in all' if total['most'] else ''}, "


def _first(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_MOST_NAMES])} and {more} more"


def impacts(difference: Difference) -> Iterator[tuple[str, str]]:
    """The deployments that are removed, that are at another endpoint, and that are not served meanwhile."""
    yield from ((name, part.of_one) for name, part in _impacts(difference))


def _impacts(difference: Difference) -> Iterator[tuple[str, _Part]]:
    for selection in difference.selections:
        if selection.new is None:
            removed = f"removed, was {selection.serves}{selection.old}"
            yield selection.name, _Part(removed, f"removed: {_SERVES}{selection.old}", selection)
    for change in difference.resources:
        if change.kind == _COMPONENT:
            moves = (field for field in change.fields if field.field == _ENDPOINT and field.old and field.new)
            for move in moves:
                text = f"endpoint {move.old} -> {move.new}, so its clients have to follow"
                yield change.name, _Part(text, "other endpoints, so their clients have to follow")
    told = dict(difference.assessment.deployments)
    for change in difference.resources:
        if change.interrupts:
            text = f"not served while its {change.kind} is deleted and created again"
            settings = new_settings(change.restarting, told.get(change.name, ""))
            if 0 < len(settings) <= MOST_SETTINGS:
                text += f", with {', '.join(settings)}"
            yield change.name, _Part(text, text)


def _decision(change: SelectionChange) -> _Part:
    text = decision_text(change)
    return _Part(
        text, text if change.old else f"{_SERVES}{change.new}, {change.because}", None if change.old else change
    )


def decision_text(change: SelectionChange) -> str:
    """Describe the decision of a deployment that stays, or is new."""
    if change.old is None:
        return f"{change.serves}{change.new}, {change.because}"
    if change.old == change.new:
        return f"still {change.new}, {change.because}"
    return f"{change.old} -> {change.new}, because {change.because}"
