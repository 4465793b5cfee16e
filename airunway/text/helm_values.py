"""Helm values whose top-level keys are paths, as ``helm --set`` takes them."""

import re
from typing import Any

_PART = re.compile(r"((?:[^.\[\]\\]|\\.)+)((?:\[[0-9]{1,4}\])*)(?:\.|\Z)")


def expand_paths(values: dict[str, Any]) -> dict[str, Any]:
    """``values`` with each top-level key such as ``global.grove.install`` or ``tolerations[0].key`` as a path.

    A backslash keeps the character behind it: ``labels.example\\.com/a``. Keys below the top level stay as they are.
    Raises ``ValueError`` with the key that is no path, or that leads through what another one sets.
    """
    expanded: dict[str, Any] = {}
    for key, value in values.items():
        expanded = _placed(expanded, _parts(key), value, key)
    return expanded


def _parts(key: str) -> list[str | int]:
    parts: list[str | int] = []
    position = 0
    while position < len(key):
        match = _PART.match(key, position)
        if match is None:
            raise ValueError(f"'{key}' is no path of a Helm value, as in global.install or list[0].name")
        parts.append(re.sub(r"\\(.)", r"\1", match[1]))
        parts += [int(index) for index in re.findall(r"\d+", match[2])]
        position = match.end()
    if not parts or (key.endswith(".") and not key.endswith("\\.")):
        raise ValueError(f"'{key}' is no path of a Helm value, as in global.install or list[0].name")
    return parts


def _placed(present: Any, parts: list[str | int], value: Any, key: str) -> Any:
    """``present`` with ``value`` at ``parts`` below it."""
    if not parts:
        return _merged(present, value)
    part, *rest = parts
    if isinstance(part, int):
        elements = list(_expect(present, list, key))
        elements += [None] * (part + 1 - len(elements))
        elements[part] = _placed(elements[part], rest, value, key)
        return elements
    section = _expect(present, dict, key)
    return section | {part: _placed(section.get(part), rest, value, key)}


def _expect(present: Any, kind: type, key: str) -> Any:
    """``present``, or an empty ``kind`` where nothing is."""
    if present is not None and not isinstance(present, kind):
        raise ValueError(f"'{key}' leads through {present!r}, which another key sets")
    return kind() if present is None else present


def _merged(present: Any, value: Any) -> Any:
    if isinstance(present, dict) and isinstance(value, dict):
        return present | {key: _merged(present.get(key), inner) for key, inner in value.items()}
    return value
