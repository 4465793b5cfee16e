"""Which engines a change restarts, and with which settings."""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

from airunway.report.compare import UPDATE, Difference
from airunway.report.field_changes import FieldChange

MOST_SETTINGS = 3
"""Settings that a sentence names."""
_LONGEST_VALUE, _DISTINCT = 40, 5
"""Characters of a value that are shown, and that it has at least if it is found in a text for more than chance."""
_DIGEST = re.compile(r"[0-9a-f]{40,64}$")


def restarts(difference: Difference) -> Iterator[tuple[str, str]]:
    """The deployments whose engine starts again, and the settings that it starts with."""
    told = dict(difference.assessment.deployments)
    for change in difference.resources:
        if change.operation == UPDATE and (restarting := change.restarting):
            settings = new_settings(restarting, told.get(change.name, ""))
            more = len(settings) - MOST_SETTINGS
            shown = settings if more <= 0 else [*settings[:MOST_SETTINGS], f"{more} more"]
            yield change.name, f"its engine restarts{' with ' if shown else ''}{', '.join(shown)}"


def new_settings(fields: Sequence[FieldChange], told: str) -> Sequence[str]:
    """What an engine starts with, but for what is ``told`` already, and resources: GPUs are told as such."""
    new = [field for field in fields if not field.secret and not field.setting.startswith("resources.")]
    return list(dict.fromkeys(f"{f.setting} {_from_to(f)}" for f in new if not _is_told(f.new, told)))


def _is_told(value: Any, told: str) -> bool:
    """Whether a text tells of a value: of a model's commit by its beginning, of an image by its digest's."""
    text = str(value)
    digest = _DIGEST.search(text)
    return (len(text) >= _DISTINCT and text in told) or (digest is not None and digest[0][:7] in told)


def _from_to(change: FieldChange) -> str:
    """Both values in short, without what both begin with; one that is not there as such, and none of a structure."""
    if any(isinstance(value, dict | list) for value in (change.old, change.new)):
        return "changed"
    old, new = ("unset" if v is None else "set" if v is True else str(v) for v in (change.old, change.new))
    if max(len(old), len(new)) > _LONGEST_VALUE:
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
        begin = max(old.rfind(separator, 0, same) for separator in "/:@") + 1
        old, new = (text[begin:] for text in (old, new))
    return " -> ".join(v if len(v) <= _LONGEST_VALUE else f"{v[: _LONGEST_VALUE - 1]}…" for v in (old, new))
