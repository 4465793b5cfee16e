"""Which changed fields force a replacement."""

import re
from collections.abc import Iterable
from typing import Any

from airunway.text.merge import json_equal


def forces_replacement(field: str, old: Any, new: Any, fixed: Iterable[str]) -> bool:
    """Whether a change of ``field`` changes one of the ``fixed`` fields; ``[*]`` is any element of a list."""
    path = _segments(field)
    return any(_changes(path, old, new, _segments(pattern)) for pattern in fixed)


def _changes(path: list[str], old: Any, new: Any, pattern: list[str]) -> bool:
    if any(expected not in ("*", segment) for segment, expected in zip(path, pattern, strict=False)):
        return False
    below = pattern[len(path) :]
    if not below:
        return True
    if not all(isinstance(value, dict | list | None) for value in (old, new)):
        return True
    return not json_equal(_values(old, below), _values(new, below))


def _values(value: Any, path: list[str]) -> list[Any]:
    """What stands at ``path`` below ``value``, element by element for ``*``."""
    if not path:
        return [value]
    first, *rest = path
    if isinstance(value, list):
        elements = value if first == "*" else value[int(first) : int(first) + 1] if first.isdecimal() else []
        return [_values(element, rest) for element in elements]
    return _values(value[first], rest) if isinstance(value, dict) and first in value else []


def _segments(field: str) -> list[str]:
    return [segment for segment in re.split(r"[.\[\]]+", field) if segment]
