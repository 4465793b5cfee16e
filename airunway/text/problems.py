"""Problems with the input: each has a field and a message that says what was given and what is valid."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from airunway.text.credentials import credential_in, without_tokens
from airunway.text.names import DNS_LABEL, DNS_LABEL_WORDS, suggest_label


@dataclass(frozen=True)
class Problem:
    """One problem with a field, for example ``deployments[2].scaling.prefill.gpu.count``.

    ``place`` is where it is, as far as that is known: ``stacks/Pulumi.dev.yaml:14:7 (chat)``.
    """

    field: str
    message: str
    place: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.field, self.message) if part)

    def under(self, prefix: str) -> "Problem":
        """The same problem with ``prefix`` in front of its field."""
        return replace(self, field=join(prefix, self.field))


_LISTED = 20
"""Problems of one kind that are listed; the rest is counted."""


class InputError(ValueError):
    """Invalid input; ``problems`` are all its problems, in the order of the input."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def join(prefix: str, field: str) -> str:
    """``prefix`` and ``field`` joined to one dotted field."""
    return prefix + field if not prefix or not field or field.startswith("[") else f"{prefix}.{field}"


def dotted_field(location: Iterable[str | int]) -> str:
    """A pydantic error location as a dotted field: ``a.b[0].c``."""
    field = ""
    for part in location:
        field = field + f"[{part}]" if isinstance(part, int) else join(field, str(part))
    return field


def suggest_name(name: str, valid: Iterable[str]) -> str:
    """A hint with the most similar valid name, if any, and all valid names."""
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    folded = [n for n in names if n.lower() == name.lower().replace("_", "").replace("-", "")]
    best = folded or close
    return (f"did you mean '{best[0]}'? " if best else "") + f"valid: {', '.join(names)}"


def format_value(value: Any, limit: int = 60) -> str:
    """A value as its author wrote it, in a line, without tokens and truncated to ``limit`` characters."""
    text = without_tokens(_in_a_line(value))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _in_a_line(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_in_a_line(k)}: {_in_a_line(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_in_a_line, value)) + "]"
    return repr(value)


def validation_problems(
    error: ValidationError, model: type[BaseModel], hidden: Collection[str] = frozenset()
) -> list[Problem]:
    """Pydantic's errors as problems, worded for the author of the file, who may not write the keys in ``hidden``."""
    details: dict[str, list[Any]] = {}
    for position, detail in enumerate(error.errors(include_url=False)):
        details.setdefault(detail["type"], []).append((position, detail))
    listed = sorted((pair for same in details.values() for pair in same[:_LISTED]), key=lambda pair: pair[0])
    more = [_more(dotted_field(same[-1][1]["loc"][:-1]), len(same)) for same in details.values() if same[_LISTED:]]
    return [*(_problem(detail, model, hidden) for _, detail in listed), *more]


def unknown_keys(keys: Iterable[Any], valid: Collection[str], prefix: str = "") -> list[Problem]:
    """Problems for keys that are not valid, which stand at ``prefix``."""
    unknown = [str(key) for key in keys]
    problems = [Problem(join(prefix, key), f"unknown key; {suggest_name(key, valid)}") for key in unknown[:_LISTED]]
    return [*problems, _more(prefix, len(unknown))] if unknown[_LISTED:] else problems


def _more(field: str, count: int) -> Problem:
    return Problem(field, f"and {count - _LISTED:,} more of this kind")


PATTERN_WORDS = {DNS_LABEL: DNS_LABEL_WORDS}
"""What values of a pattern are called in messages; whoever defines a pattern may add to it."""
_QUOTES = "'"
_KINDS = {
    "string_type": "a string",
    "int_type": "an integer",
    "bool_type": "true or false",
    "list_type": "a list",
    "float_type": "a number",
}


def _problem(detail: Any, model: type[BaseModel], hidden: Collection[str]) -> Problem:
    location, value, kind = detail["loc"], detail["input"], detail["type"]
    context = detail.get("ctx", {})
    field = dotted_field(part for part in location if part != "[key]")
    if kind == "extra_forbidden":
        return Problem(field, f"unknown key; {_suggest_key(model, location, hidden)}")
    if kind == "missing":
        return Problem(field, "required, but not given")
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        return Problem(field, f"{format_value(value)} given, must be a map{_map_hint(model, location, value)}")
    if kind == "list_type" and isinstance(value, dict) and value:
        hint = f"begin each element with a dash, as in - name: {format_value(next(iter(value))).strip(_QUOTES)}"
        return Problem(field, f"{format_value(value)} given, must be a list; {hint}")
    if kind in _KINDS:
        quote = (
            f'; quote it: "{value}"'
            if kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool)
            else ""
        )
        return Problem(field, f"{format_value(value)} given, must be {_KINDS[kind]}{quote}")
    if kind in ("enum", "literal_error"):
        valid = [v.strip("' ") for v in context["expected"].replace(" or ", ", ").split(", ")]
        return Problem(field, f"{format_value(value)} given, {suggest_name(str(value), valid)}")
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = context.get("ge", context.get("le"))
        return Problem(
            field, f"{format_value(value)} given, must be {'at least' if 'ge' in context else 'at most'} {bound}"
        )
    if kind == "string_pattern_mismatch":
        label = suggest_label(value) if not credential_in(value) and context["pattern"] == DNS_LABEL else None
        hint = f"; write {label}" if label else ""
        words = PATTERN_WORDS.get(context["pattern"])
        wanted = f"must be {words}" if words else f"must match {context['pattern']}"
        return Problem(field, f"{format_value(value)} given, {wanted}{hint}")
    if kind == "value_error":
        return Problem(field, str(context["error"]))
    return Problem(field, f"{format_value(value)} given: {detail['msg'][0].lower()}{detail['msg'][1:]}")


def _map_hint(model: type[BaseModel], location: Sequence[str | int], value: Any) -> str:
    """The keys of the map that is wanted, and how to write what a plain value in its place means."""
    wanted = _model_at(model, location)
    if wanted is None:
        return ""
    keys = ", ".join(sorted(_keys_at(model, location)))
    short = getattr(wanted, "SHORT_FORM", "")
    is_plain = isinstance(value, str | int) and not isinstance(value, bool)
    if not short or not is_plain:
        return f" with the keys {keys}"
    return f"; write {location[-1]}: {{{short}: {format_value(value).strip(_QUOTES)}}}. Its keys: {keys}"


def _suggest_key(model: type[BaseModel], location: Sequence[str | int], hidden: Collection[str]) -> str:
    """A hint for an unknown key: the key that is meant, in another section if it is one of that, and the valid ones."""
    name, top = str(location[-1]), len(location) == 1
    valid = _keys_at(model, location[:-1]) - set(hidden if top else ())
    elsewhere = [path for path in _paths(model) if _folded(name) in (_folded(path), _folded(path.split(".")[-1]))]
    if top and elsewhere and _folded(name) not in map(_folded, valid):
        best = min(elsewhere, key=lambda path: path.count("."))
        return f"did you mean '{best}'? valid: {', '.join(sorted(valid))}"
    return suggest_name(name, valid)


def _folded(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(".", "")


def _paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted keys in the sections of ``model``, in their order, without those of lists."""
    for name, info in model.model_fields.items():
        path = join(prefix, info.alias or name)
        if prefix:
            yield path
        section = _model_in(info.annotation)
        if section and not _has_list(info.annotation):
            yield from _paths(section, path)


def _has_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_has_list, get_args(annotation)))


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> set[str]:
    """The keys of the model at ``location``, as written in files."""
    current = _model_at(model, location)
    return {f.alias or n for n, f in current.model_fields.items()} if current else set()


def _model_at(model: type[BaseModel], location: Sequence[str | int]) -> type[BaseModel] | None:
    """The model of the map at ``location``."""
    current: type[BaseModel] | None = model
    for part in location:
        if current is None or isinstance(part, int):
            continue
        info = next((f for n, f in current.model_fields.items() if part in (f.alias, n)), None)
        current = _model_in(info.annotation) if info else None
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((nested for arg in get_args(annotation) if (nested := _model_in(arg))), None)
