"""What changes between two command lines, by the names of their flags."""

from typing import Any

Value = str | bool | None
"""The value of a flag: True of a bare one, None of one that is absent."""


def changed_arguments(old: Any, new: Any) -> dict[str, tuple[Value, Value]]:
    """Return the values before and after of each flag that changes.

    Empty if something else is changed too, such as the order or what stands before the flags, or if one of the lists is
    no command line with flags, each once.
    """
    before, after = _command_line(old), _command_line(new)
    if before is None or after is None or before[0] != after[0]:
        return {}
    flags = before[1], after[1]
    names = dict.fromkeys((*flags[0], *flags[1]))
    changes = {n: (flags[0].get(n), flags[1].get(n)) for n in names if flags[0].get(n) != flags[1].get(n)}
    common = [[name for name in side if name in flags[0] and name in flags[1]] for side in flags]
    return changes if common[0] == common[1] else {}


def _command_line(arguments: Any) -> tuple[list[str], dict[str, Value]] | None:
    """What stands before the first flag, and the flags; None if there is none, or one twice."""
    if not isinstance(arguments, list) or not all(isinstance(argument, str) for argument in arguments):
        return None
    first: list[str] = []
    found: dict[str, list[str]] = {}
    for argument in arguments:
        head, equals, value = argument.partition("=")
        if head.startswith("--") and head != "--":
            if head in found:
                return None
            found[head] = [value] if equals else []
        else:
            (next(reversed(found.values())) if found else first).append(argument)
    flags: dict[str, Value] = {name: " ".join(values) if values else True for name, values in found.items()}
    return (first, flags) if flags else None
