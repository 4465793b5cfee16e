"""What is wrong with the input, collected: each problem has a path, what was given and what is valid."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


@dataclass(frozen=True)
class Problem:
    """One thing wrong at ``path``, for example ``deployments[2].scaling.prefill.gpu.count``."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message

    def under(self, prefix: str) -> "Problem":
        """The same problem with its path below ``prefix``."""
        return replace(self, field=join(prefix, self.field))


class InputError(ValueError):
    """Input that can't be used; ``problems`` holds all that was found, in the order of the input."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def join(prefix: str, path: str) -> str:
    """``prefix`` and ``path`` as one path."""
    return prefix + path if not prefix or not path or path.startswith("[") else f"{prefix}.{path}"


def path_of(location: Iterable[str | int]) -> str:
    """A pydantic error location in the notation of the messages: ``a.b[0].c``."""
    path = ""
    for part in location:
        path = path + f"[{part}]" if isinstance(part, int) else join(path, str(part))
    return path


def suggest_name(name: str, valid: Iterable[str]) -> str:
    """A hint at the valid names: the nearest one first, then all."""
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    folded = [n for n in names if n.lower() == name.lower().replace("_", "").replace("-", "")]
    best = folded or close
    return (f"did you mean '{best[0]}'? " if best else "") + f"valid: {', '.join(names)}"


def format_value(value: Any, limit: int = 60) -> str:
    """A value for a message, cut to ``limit`` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def validation_problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """The errors pydantic found, worded for the person who wrote the file."""
    return [_problem(detail, model) for detail in error.errors(include_url=False)]


_KINDS = {
    "string_type": "a string",
    "int_type": "an integer",
    "bool_type": "true or false",
    "list_type": "a list",
    "float_type": "a number",
}


def _problem(detail: Any, model: type[BaseModel]) -> Problem:
    location, given, kind = detail["loc"], detail["input"], detail["type"]
    context = detail.get("ctx", {})
    path = path_of(part for part in location if part != "[key]")
    if kind == "extra_forbidden":
        return Problem(path, f"unknown key; {suggest_name(str(location[-1]), _keys_at(model, location[:-1]))}")
    if kind == "missing":
        return Problem(path, "required, but not given")
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        wanted = _keys_at(model, location)
        return Problem(
            path,
            f"{format_value(given)} given, must be a map"
            + (f" with the keys {', '.join(sorted(wanted))}" if wanted else ""),
        )
    if kind in _KINDS:
        quote = (
            f'; quote it: "{given}"'
            if kind == "string_type" and isinstance(given, int | float) and not isinstance(given, bool)
            else ""
        )
        return Problem(path, f"{format_value(given)} given, must be {_KINDS[kind]}{quote}")
    if kind in ("enum", "literal_error"):
        valid = [v.strip("' ") for v in context["expected"].replace(" or ", ", ").split(", ")]
        return Problem(path, f"{format_value(given)} given, {suggest_name(str(given), valid)}")
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = context.get("ge", context.get("le"))
        return Problem(
            path, f"{format_value(given)} given, must be {'at least' if 'ge' in context else 'at most'} {bound}"
        )
    if kind == "string_pattern_mismatch":
        return Problem(path, f"{format_value(given)} given, must match {context['pattern']}")
    if kind == "value_error":
        return Problem(path, str(context["error"]))
    return Problem(path, f"{format_value(given)} given: {detail['msg'][0].lower()}{detail['msg'][1:]}")


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> set[str]:
    """The keys that the model at ``location`` knows, by their names in the file."""
    current: type[BaseModel] | None = model
    for part in location:
        if current is None or isinstance(part, int):
            continue
        field = next((f for n, f in current.model_fields.items() if part in (f.alias, n)), None)
        current = _model_in(field.annotation) if field else None
    return {f.alias or n for n, f in current.model_fields.items()} if current else set()


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)
