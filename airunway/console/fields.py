"""The fields of a deployment's form, from the entry's schema, and conversion between forms and entries."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from airunway.spec.entry import DeploymentEntry
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import StackLoader, load_data, read_document
from airunway.text.yaml_writing import to_yaml


@dataclass(frozen=True)
class Field:
    """A form field: ``name`` is its dotted path, ``kind`` text, number, choice or yaml, ``label`` what it is called."""

    name: str
    kind: str
    help: str
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    label: str = ""

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


@cache
def groups() -> tuple[Group, ...]:
    """Return all fields of an entry, in the groups of ``form.yaml``."""
    data = load_data(Path(__file__).with_name("form.yaml"))
    numbered = list(enumerate(data["groups"]))
    places = {path: (number, index) for number, group in numbered for index, path in enumerate(group["fields"])}
    fields: dict[int, list[tuple[int, Field]]] = {number: [] for number, _ in numbered}
    for field in _fields(DeploymentEntry.model_json_schema(by_alias=True)):
        path = max((p for p in places if field.name == p or field.name.startswith(f"{p}.")), key=len)
        number, index = places[path]
        fields[number].append((index, replace(field, label=data["labels"].get(field.name, field.name))))
    return tuple(
        Group(group["title"], tuple(f for _, f in sorted(fields[number], key=lambda pair: pair[0])), group["open"])
        for number, group in numbered
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
