"""Plain data: deep merge, merge patches, comparison, and maps without empty values."""

from collections.abc import Mapping
from typing import Any

DIRECTIVE = "$patch"
"""Key of a directive, as in Kubernetes' strategic merge patch: ``delete`` in an element, ``replace`` in a list."""

# Elements of other lists are told apart by their ``name``.
_LIST_KEYS = {"volumeMounts": "mountPath", "workerGroupSpecs": "groupName"}
_REPLACE = {DIRECTIVE: "replace"}
_ELEMENT_KEYS = ("name", *_LIST_KEYS.values())


def merge_patch(base: Any, change: Any, *, lists_by_name: bool = False, field: str = "") -> Any:
    """Apply ``change`` to ``base`` as a JSON merge patch (RFC 7396): maps merge, null deletes, all else is replaced.

    With ``lists_by_name``, lists of named elements merge element by element; ``field`` is the key of the list. An
    element with ``$patch: delete`` goes, and a list with the element ``$patch: replace`` replaces the other.
    """
    if isinstance(change, dict):
        result = dict(base) if isinstance(base, dict) else {}
        for key, value in change.items():
            if value is None:
                result.pop(key, None)
            else:
                result[key] = merge_patch(result.get(key), value, lists_by_name=lists_by_name, field=key)
        return result
    if lists_by_name and isinstance(change, list):
        return _merge_lists(base, change, _LIST_KEYS.get(field, "name"))
    return change


def _merge_lists(base: Any, change: list[Any], key: str) -> list[Any]:
    if _REPLACE in change:
        return [element for element in change if element != _REPLACE]
    if not _is_keyed(change, key):
        return change
    elements = base if _is_keyed(base, key) else []
    changes = {element[key]: element for element in change}
    merged = [merge_patch(e, changes.pop(e[key], {}), lists_by_name=True) for e in elements]
    merged += [merge_patch({}, element, lists_by_name=True) for element in changes.values()]
    return [element for element in merged if element.get(DIRECTIVE) != "delete"]


def patch_between(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The merge patch from ``old`` to ``new`` with lists by name; ``new`` can't contain null, as in any merge patch."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key in old and isinstance(old[key], dict) and isinstance(value, dict):
            inner = patch_between(old[key], value)
            patch |= {key: inner} if inner else {}
        elif key not in old or not json_equal(old[key], value):
            patch[key] = _list_patch(old.get(key), value, _LIST_KEYS.get(key, "name"))
    return patch


def join_patches(first: Any, second: Any, field: str = "") -> Any:
    """The patch that does what ``first`` does and then ``second``; unlike in a merge, null and directives stay."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first | {key: join_patches(first.get(key), value, key) for key, value in second.items()}
    key = _LIST_KEYS.get(field, "name")
    if not _is_keyed(first, key) or not _is_keyed(second, key):
        return second
    before, after = ({element[key]: element for element in elements} for elements in (first, second))
    before = {name: element for name, element in before.items() if DIRECTIVE not in element or name not in after}
    return list((before | {name: join_patches(before.get(name), element) for name, element in after.items()}).values())


def element_name(element: Any) -> Any:
    """What tells an element of a list from the others; None if it has no name."""
    if not isinstance(element, Mapping):
        return None
    return next((element[key] for key in _ELEMENT_KEYS if key in element), None)


def changes_by_name(changes: Any, key: str = "name") -> dict[str, Any]:
    """The elements of a patch of a map or of a list of named elements, by their names; None for those that go."""
    if isinstance(changes, dict):
        return dict(changes)
    named = [e for e in changes if isinstance(e, dict) and key in e] if isinstance(changes, list) else []
    return {str(element[key]): None if element.get(DIRECTIVE) == "delete" else element for element in named}


def _list_patch(old: Any, new: Any, key: str) -> Any:
    """``new``, or if both are lists of named elements, what changes in them."""
    if not _is_keyed(old, key) or not _is_keyed(new, key):
        return new
    before, after = ({element[key]: element for element in elements} for elements in (old, new))
    if [k for k in before if k in after] + [k for k in after if k not in before] != list(after):
        return [_REPLACE, *new]
    changed = [(k, patch_between(before[k], after[k])) for k in before if k in after]
    return [
        *({key: k, DIRECTIVE: "delete"} for k in before if k not in after),
        *({key: k, **inner} for k, inner in changed if inner),
        *(element for k, element in after.items() if k not in before),
    ]


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


def _is_keyed(value: Any, key: str) -> bool:
    """Whether ``value`` is a list whose elements all have a ``key`` of their own."""
    if not isinstance(value, list) or not value:
        return False
    keys = [element.get(key) for element in value if isinstance(element, dict)]
    return len(keys) == len(value) == len(set(map(str, keys))) and all(isinstance(k, str) for k in keys)
