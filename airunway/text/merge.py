"""Plain data: deep merge, merge patches, comparison, and maps without empty values."""

from typing import Any


def merge_patch(base: Any, change: Any, *, lists_by_name: bool = False) -> Any:
    """Apply ``change`` to ``base`` as a JSON merge patch (RFC 7396): maps merge, null deletes, all else is replaced.

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
    if lists_by_name and _is_named_list(base) and _is_named_list(change):
        changes = {entry["name"]: entry for entry in change}
        merged = [merge_patch(entry, changes.pop(entry["name"], {}), lists_by_name=True) for entry in base]
        return merged + list(changes.values())
    return change


def patch_between(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The merge patch from ``old`` to ``new``; ``new`` can't contain null, as in any merge patch."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key in old and isinstance(old[key], dict) and isinstance(value, dict):
            inner = patch_between(old[key], value)
            patch |= {key: inner} if inner else {}
        elif key not in old or not json_equal(old[key], value):
            patch[key] = value
    return patch


def json_equal(a: Any, b: Any) -> bool:
    """Whether two values are equal in JSON, where ``true`` differs from 1, unlike in Python."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(json_equal(value, b[key]) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(json_equal, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def non_empty(**fields: Any) -> dict[str, Any]:
    """The fields that are not None or empty."""
    return {name: value for name, value in fields.items() if value not in (None, {}, [], "")}


def _is_named_list(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(e, dict) and isinstance(e.get("name"), str) for e in value)
    )
