"""The fields of a deployment's form, from the entry's schema, and conversion between forms and entries."""

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
    """A form field: ``name`` is its dotted path, ``kind`` text, number, choice or yaml."""

    name: str
    kind: str
    help: str
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        """The field's HTML id."""
        return self.name.replace(".", "-")


@dataclass(frozen=True)
class Group:
    """A group of fields; ``open`` groups are expanded at first."""

    title: str
    fields: tuple[Field, ...]
    open: bool


# Title, whether it is open, and the prefixes of its fields; the longest matching prefix decides.
_GROUPS: tuple[tuple[str, bool, tuple[str, ...]], ...] = (
    ("Model", True, ("name", "namespace", "model")),
    ("Engine and provider", True, ("engine.type", "provider.name", "serving")),
    ("Compute", True, ("resources", "scaling")),
    ("Disaggregated serving", False, ("scaling.prefill", "scaling.decode")),
    ("Engine settings", False, ("engine", "image")),
    ("Pods", False, ("env", "podTemplate", "secrets", "nodeSelector", "tolerations")),
    ("Delivery", False, (*sorted(ENTRY_FIELDS - {"name", "namespace"}), "provider", "gateway")),
)


@cache
def groups() -> tuple[Group, ...]:
    """Return all fields of an entry, in groups."""
    order = {path: (title, index) for title, _, paths in _GROUPS for index, path in enumerate(paths)}
    fields_by_group: dict[str, list[tuple[int, Field]]] = {title: [] for title, _, _ in _GROUPS}
    for field in _fields(DeploymentEntry.model_json_schema(by_alias=True)):
        path = max((p for p in order if field.name == p or field.name.startswith(f"{p}.")), key=len)
        title, index = order[path]
        fields_by_group[title].append((index, field))
    return tuple(
        Group(title, tuple(field for _, field in sorted(fields_by_group[title], key=lambda pair: pair[0])), is_open)
        for title, is_open, _ in _GROUPS
    )


def _fields(schema: Mapping[str, Any]) -> list[Field]:
    definitions = schema["$defs"]

    def resolve(node: Mapping[str, Any]) -> dict[str, Any]:
        options = [o for o in node.get("anyOf", []) if o.get("type") != "null"]
        inner = options[0] if options else node
        name = inner.get("$ref", "").rpartition("/")[2]
        return {
            **(resolve(definitions[name]) if name else inner),
            **{k: node[k] for k in ("description", "default") if k in node},
        }

    def collect(node: Mapping[str, Any], prefix: str) -> list[Field]:
        fields = []
        for key, value in node["properties"].items():
            path, inner = f"{prefix}{key}", resolve(value)
            if "properties" in inner:
                fields += collect(inner, f"{path}.")
            else:
                fields.append(_field(path, inner, required=path == "name"))
        return fields

    return collect(schema, "")


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
    """Convert a form to an entry, without empty fields; also return the problems of unreadable fields."""
    entry: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in (f for group in groups() for f in group.fields):
        text = form.get(field.name, "").replace("\r\n", "\n")
        if not text.strip():
            continue
        try:
            # YAML keeps its last newline, which may end a block of text.
            value = _value(field, text if field.kind == "yaml" else text.strip())
        except InputError as error:
            problems += error.problems
            continue
        if value is None:  # null, or nothing but a comment
            continue
        node = entry
        *parents, key = field.name.split(".")
        for part in parents:
            node = node.setdefault(part, {})
        node[key] = value
    return entry, problems


def _value(field: Field, text: str) -> Any:
    if field.kind == "yaml":
        return read_document(text, field.name, StackLoader)
    if field.kind == "number" and re.fullmatch("[0-9]{1,18}", text):
        return int(text)
    return text == "true" if field.choices[:1] == (("true", "yes"),) and text in ("true", "false") else text


def form_of(entry: Mapping[str, Any]) -> dict[str, str]:
    """Convert an entry to the values of the form's fields."""
    values = {}
    for field in (f for group in groups() for f in group.fields):
        value: Any = entry
        for part in field.name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            values[field.name] = (
                to_yaml(value)
                if field.kind == "yaml"
                else str(value).lower()
                if isinstance(value, bool)
                else str(value)
            )
    return values


def field_of(path: str) -> Field | None:
    """Return the form field for a problem at ``path``: the field that contains it, or the first one inside it."""
    fields = {f.name: f for group in groups() for f in group.fields}
    parts = path.replace("[", ".[").split(".")
    enclosing = (fields[p] for n in range(len(parts), 0, -1) if (p := ".".join(parts[:n])) in fields)
    return next(enclosing, next((f for p, f in fields.items() if p.startswith(f"{path}.")), None))
