"""What changes between two command lines, by the names of their flags."""

from typing import Any

Value = str | bool | None
"""The value of a flag: True of a bare one, None of one that is absent."""


def changed_arguments(old: Any, new: Any) -> dict[str, tuple[Value, Value]]:
    """Return the values before and after of each flag that changes.

    Empty if something else is changed too, such as the order, or if one of the lists is no command line of flags alone,
    each once.
    """
    before, after = _flags(old), _flags(new)
    if not before or not after:
        return {}
    names = dict.fromkeys((*before, *after))
    changes = {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}
    common = [[name for name in side if name in before and name in after] for side in (before, after)]
    return changes if common[0] == common[1] else {}


def _flags(arguments: Any) -> dict[str, Value] | None:
    if not isinstance(arguments, list) or not all(isinstance(argument, str) for argument in arguments):
        return None
    found: dict[str, list[str]] = {}
    for argument in arguments:
        head, equals, value = argument.partition("=")
        if head.startswith("--") and head != "--":
            if head in found:
                return None
            found[head] = [value] if equals else []
        elif not found:
            return None
        else:
            next(reversed(found.values())).append(argument)
    return {name: " ".join(values) if values else True for name, values in found.items()}
