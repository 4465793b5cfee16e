"""Plain data: deep merges in two flavours, and maps without what is empty."""

from typing import Any


def merge_patch(base: Any, change: Any, *, lists_by_name: bool = False) -> Any:
    """``change`` over ``base`` as JSON merge patch has it (RFC 7396): maps merge, null deletes, all else is replaced.

    With ``lists_by_name``, two lists whose elements all have a ``name`` merge element by element.
    """
    if isinstance(change, dict):
        result = dict(base) if isinstance(base, dict) else {}
        for key, value in change.items():
            if value is None:
                result.pop(key, None)
            else:
                result[key] = merge_patch(result.get(key), value, lists_by_name=lists_by_name)
        return result
    if lists_by_name and _named(base) and _named(change):
        changes = {entry["name"]: entry for entry in change}
        kept = [merge_patch(entry, changes.pop(entry["name"], {}), lists_by_name=True) for entry in base]
        return kept + list(changes.values())
    return change


def patch_between(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The merge patch that makes ``new`` of ``old``; null can't stand in ``new``, as in any merge patch."""
    found: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key in old and isinstance(old[key], dict) and isinstance(value, dict):
            inner = patch_between(old[key], value)
            found |= {key: inner} if inner else {}
        elif key not in old or not json_equal(old[key], value):
            found[key] = value
    return found


def json_equal(one: Any, other: Any) -> bool:
    """Whether two values are the same in JSON, where true is not 1; to Python it is."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(json_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def non_empty(**fields: Any) -> dict[str, Any]:
    """The fields that hold something."""
    return {name: value for name, value in fields.items() if value not in (None, {}, [], "")}


def _named(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(e, dict) and isinstance(e.get("name"), str) for e in value)
    )
