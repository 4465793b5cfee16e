"""The page docs/reference.md: a stack file's settings and the commands' help, from what checks and prints them.

``python -m airunway.cli.reference`` prints it.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from airunway.cli.main import app
from airunway.cli.schema import stack_schema
from airunway.text.descriptions import with_one_line_paragraphs

_WIDTH = 100
_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "object": "map"}
_OPENING = """\
# Reference

`make reference` writes this page from the models that check a stack file and from the commands' help.

## Settings of a stack file

A setting stands under `config:` in `stacks/Pulumi.NAME.yaml`. Editors read the same in
[`stack.schema.json`](../stacks/stack.schema.json), and for the files of `airunway:deploymentFiles` in
[`deployments.schema.json`](../stacks/deployments.schema.json).
"""
_COMMANDS = """\
## Commands

`airunway` is in `.venv/bin`. Exit status: 0 fine, 1 input refused or cluster out of reach, 2 wrong usage, 3 some
deployments do not run. An unexpected error leaves its traceback in a file that it names; `AIRUNWAY_DEBUG=1` prints it.
"""


def reference() -> str:
    """Return the page."""
    schema = with_one_line_paragraphs(stack_schema())
    definitions: Mapping[str, Any] = schema["$defs"]
    config = schema["properties"]["config"]
    parts = [_OPENING, _table(config, definitions), "## Sections\n"]
    for name in _sections(config, definitions):
        definition = definitions[name]
        parts += [f"### {name}\n", f"{definition['description']}\n", _table(definition, definitions)]
    return "\n".join([*parts, _COMMANDS, *_commands()])


def _sections(config: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[str]:
    """Name the definitions with fields of their own: deployments first, as they are what a stack is about."""
    found = ["Deployment"]
    for node in [definitions["Deployment"], config]:
        _collect(node, definitions, found)
    return found


def _collect(node: Any, definitions: Mapping[str, Any], found: list[str]) -> None:
    """Add to ``found`` the sections that ``node`` leads to, each before those that it leads to itself."""
    if isinstance(node, list):
        for inner in node:
            _collect(inner, definitions, found)
    elif isinstance(node, dict):
        name = _referred(node)
        if name and name not in found and "properties" in definitions[name]:
            found.append(name)
            _collect(definitions[name], definitions, found)
        for inner in node.values():
            _collect(inner, definitions, found)


def _table(section: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Format the fields of a section."""
    required = section.get("required", [])
    rows = [
        f"| `{name}` | {_type(node, definitions)} | {'required' if name in required else _default(node)} "
        f"| {_cell(_description(node, definitions))} |"
        for name, node in section["properties"].items()
    ]
    return "\n".join(["| field | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def _type(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Name the type of a field in words, with a link to the section that describes it."""
    alternatives = [option for option in node.get("anyOf", []) if option.get("type") != "null"]
    name = _referred(node)
    if alternatives:
        return " or ".join(_type(option, definitions) for option in alternatives)
    if name:
        has_fields = "properties" in definitions[name]
        return f"[{name}](#{name.lower()})" if has_fields else _type(definitions[name], definitions)
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    if node.get("type") == "array":
        return f"list of {_type(node['items'], definitions)}"
    if "secure" in node.get("properties", {}):
        return "secret"
    inner = node.get("additionalProperties")
    return f"map of {_type(inner, definitions)}" if isinstance(inner, dict) else _WORDS.get(node.get("type", ""), "any")


def _default(node: Mapping[str, Any]) -> str:
    """Format a default; those of a section stand with its fields."""
    value = node.get("default")
    return "" if value is None or isinstance(value, dict | list) else f"`{json.dumps(value)}`"


def _description(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Describe a field; one that is described as its section is has no description of its own."""
    name = _referred(node)
    return str(node.get("description") or (definitions[name].get("description", "") if name else ""))


def _referred(node: Mapping[str, Any]) -> str:
    return str(node.get("$ref", "")).rpartition("/")[2]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _commands() -> Iterator[str]:
    """Format the help of each command that is shown, and of the commands below it."""
    program = typer.main.get_command(app)
    names = program.context_settings["help_option_names"]
    context = typer.Context(program, info_name="airunway", terminal_width=_WIDTH, help_option_names=names)
    yield from _help(program, context)


def _help(command: Any, context: typer.Context) -> Iterator[str]:
    yield f"### {context.command_path}\n\n```\n{_plain(command.get_help(context))}\n```\n"
    inner: dict[str, TyperCommand | TyperGroup] = getattr(command, "commands", {})
    for name, below in inner.items():
        if not below.hidden:
            yield from _help(below, typer.Context(below, info_name=name, parent=context, terminal_width=_WIDTH))


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


if __name__ == "__main__":
    sys.stdout.write(reference())
