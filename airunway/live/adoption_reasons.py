"""Says what an object has that no entry can say, in place of what is wrong with the override that would say it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airunway.provider.overrides import PREFIX
from airunway.text.merge import element_name
from airunway.text.problems import Problem, format_value, join

_INDEX = re.compile(r"\[(\d+)\]")


def inexpressible(
    problems: Iterable[Problem], overrides: Mapping[str, Any], rendered: Mapping[str, Any], body: Mapping[str, Any]
) -> Iterator[str]:
    """One reason for each of ``problems``; for those of ``overrides`` what ``body`` has instead of ``rendered``."""
    for problem in problems:
        if not problem.field.startswith(f"{PREFIX}."):
            yield str(problem)
            continue
        path = problem.field.removeprefix(f"{PREFIX}.")
        try:
            field, steps = _steps(path, overrides)
        except (LookupError, TypeError, ValueError):  # the problem is with no single value
            yield f"{path}: {problem.message}"
            continue
        live, ours = (_value(side, steps) for side in (body, rendered))
        if live == ours:  # it is part of a list that is replaced as a whole
            continue
        stated = f"is {format_value(live)}" if live is not None else "is not set"
        rendering = f"renders {format_value(ours)}" if ours is not None else "renders none"
        refused = problem.message if problem.message.startswith("can't") else f"can't be overridden: {problem.message}"
        yield f"{field}: {stated}; a deployment {rendering}, which {refused}"


def _steps(path: str, overrides: Any) -> tuple[str, list[str]]:
    """The path with the names of list elements instead of their positions in ``overrides``, and its steps."""
    field, value = "", overrides
    steps: list[str] = []
    while path:
        if index := _INDEX.match(path):
            value = value[int(index[1])]
            name = _name(value) or index[1]
            field, steps, path = f"{field}[{name}]", [*steps, name], path[index.end() :]
        else:
            # A key may contain dots, such as nvidia.com/gpu.
            key = max((k for k in value if path == k or path.startswith((f"{k}.", f"{k}["))), key=len)
            field, steps, value, path = join(field, key), [*steps, key], value[key], path[len(key) :]
        path = path.removeprefix(".")
    return field, steps


def _value(value: Any, steps: Iterable[str]) -> Any:
    for step in steps:
        if isinstance(value, list):
            value = next((e for i, e in enumerate(value) if step == (_name(e) or str(i))), None)
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _name(element: Any) -> str | None:
    name = element_name(element)
    return None if name is None else str(name)
