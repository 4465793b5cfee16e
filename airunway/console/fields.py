"""The fields of a deployment's form, made from the schema of an entry, and entries from what was filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from airunway.spec.entry import ENTRY_FIELDS, DeploymentEntry
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import StackLoader, read_document
from airunway.text.yaml_writing import to_yaml


@dataclass(frozen=True)
class Field:
    """One field: ``path`` as in messages, ``kind`` text, number, choice or yaml; ``choices`` are value and label."""

    path: str
    kind: str
    help: str
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        """The field's id in a page."""
        return self.path.replace(".", "-")


@dataclass(frozen=True)
class Group:
    """Fields that belong together; ``open`` says whether they are shown at once."""

    title: str
    fields: tuple[Field, ...]
    open: bool


# Title, whether it is shown at once, and the paths whose fields it has; the longest path that fits decides.
_GROUPS: tuple[tuple[str, bool, tuple[str, ...]], ...] = (
    ("Model", True, ("name", "namespace", "model")),
    ("Engine and provider", True, ("engine.type", "provider.name", "serving")),
    ("Compute", True, ("resources", "scaling")),
    ("Disaggregated serving", False, ("scaling.prefill", "scaling.decode")),
    ("Engine settings", False, ("engine", "image")),
    ("Pods", False, ("env", "podTemplate", "secrets", "nodeSelector", "tolerations")),
    ("Delivery", False, (*sorted(ENTRY_FIELDS - {"name", "namespace"}), "provider")),
)


@cache
def groups() -> tuple[Group, ...]:
    """Every field of an entry, in groups."""
    order = {path: (title, index) for title, _, paths in _GROUPS for index, path in enumerate(paths)}
    placed: dict[str, list[tuple[int, Field]]] = {title: [] for title, _, _ in _GROUPS}
    for field in _fields(DeploymentEntry.model_json_schema(by_alias=True)):
        path = max((p for p in order if field.path == p or field.path.startswith(f"{p}.")), key=len)
        title, index = order[path]
        placed[title].append((index, field))
    return tuple(
        Group(title, tuple(field for _, field in sorted(placed[title], key=lambda pair: pair[0])), shown)
        for title, shown, _ in _GROUPS
    )


def _fields(schema: Mapping[str, Any]) -> list[Field]:
    definitions = schema["$defs"]

    def resolved(part: Mapping[str, Any]) -> dict[str, Any]:
        options = [o for o in part.get("anyOf", []) if o.get("type") != "null"]
        inner = options[0] if options else part
        name = inner.get("$ref", "").rpartition("/")[2]
        return {
            **(resolved(definitions[name]) if name else inner),
            **{k: part[k] for k in ("description", "default") if k in part},
        }

    def below(part: Mapping[str, Any], prefix: str) -> list[Field]:
        found = []
        for key, value in part["properties"].items():
            path, inner = f"{prefix}{key}", resolved(value)
            if "properties" in inner:
                found += below(inner, f"{path}.")
            else:
                found.append(_field(path, inner, required=path == "name"))
        return found

    return below(schema, "")


def _field(path: str, schema: Mapping[str, Any], *, required: bool) -> Field:
    text = str(schema.get("description", ""))
    if "enum" in schema:
        return Field(path, "choice", text, required, tuple((str(v), str(v)) for v in schema["enum"]))
    if schema.get("type") == "boolean":
        return Field(
            path,
            "choice",
            f"{text} Default: {'yes' if schema.get('default') else 'no'}.",
            required,
            (("true", "yes"), ("false", "no")),
        )
    if schema.get("type") == "integer":
        return Field(path, "number", text, required)
    return Field(path, "text" if schema.get("type") == "string" else "yaml", text, required)


def entry_of(form: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """The entry that the filled-in fields make, and what can't be read. A field that is empty says nothing."""
    entry: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in (f for group in groups() for f in group.fields):
        text = form.get(field.path, "").replace("\r\n", "\n")
        if not text.strip():
            continue
        try:
            # The last line of YAML may be that of a block of text, which ends with it.
            value = _value(field, text if field.kind == "yaml" else text.strip())
        except InputError as error:
            problems += error.problems
            continue
        if value is None:  # null, or nothing but a comment
            continue
        here = entry
        *parents, last = field.path.split(".")
        for part in parents:
            here = here.setdefault(part, {})
        here[last] = value
    return entry, problems


def _value(field: Field, text: str) -> Any:
    if field.kind == "yaml":
        return read_document(text, field.path, StackLoader)
    if field.kind == "number" and re.fullmatch("[0-9]{1,18}", text):
        return int(text)
    return text == "true" if field.choices[:1] == (("true", "yes"),) and text in ("true", "false") else text


def form_of(entry: Mapping[str, Any]) -> dict[str, str]:
    """What the form's fields show for ``entry``."""
    shown = {}
    for field in (f for group in groups() for f in group.fields):
        value: Any = entry
        for part in field.path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            shown[field.path] = (
                to_yaml(value)
                if field.kind == "yaml"
                else str(value).lower()
                if isinstance(value, bool)
                else str(value)
            )
    return shown


def field_of(path: str) -> Field | None:
    """The field that a message about ``path`` belongs beside: the one that holds it, else the first that it holds."""
    known = {f.path: f for group in groups() for f in group.fields}
    parts = path.replace("[", ".[").split(".")
    inside = (known[p] for n in range(len(parts), 0, -1) if (p := ".".join(parts[:n])) in known)
    return next(inside, next((f for p, f in known.items() if p.startswith(f"{path}.")), None))
