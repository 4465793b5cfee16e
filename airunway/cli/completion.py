"""What a shell offers while a command is typed: names of stacks, and of a stack's deployments."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from airunway.cli.project_folder import DEFAULT_STACK, nearest_project
from airunway.program.stack_file import stack_names, stack_path
from airunway.text.bounded_files import UnreadableFileError, read_text_file
from airunway.text.problems import InputError
from airunway.text.yaml_reading import StackLoader, read_document

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, InputError, UnreadableFileError)
"""A shell has nowhere to show an error."""


def stacks_to_complete(ctx: typer.Context, incomplete: str) -> list[str]:
    """The project's stacks that begin like this."""
    with suppress(*_UNREADABLE):
        return [name for name in stack_names(_root(ctx)) if name.startswith(incomplete)]
    return []


def deployments_to_complete(ctx: typer.Context, incomplete: str) -> list[str]:
    """The deployments in the stack's own file that begin like this."""
    with suppress(*_UNREADABLE):
        file = stack_path(_root(ctx), str(ctx.params.get("stack") or DEFAULT_STACK))
        return sorted(name for name in _deployments(file) if name.startswith(incomplete))
    return []


def _root(ctx: typer.Context) -> Path:
    start = Path(ctx.params.get("cwd") or Path.cwd())
    return nearest_project(start) or start


def _deployments(file: Path) -> Iterator[str]:
    content: Any = read_document(read_text_file(file), str(file), StackLoader)
    yield from (str(entry["name"]) for entry in content["config"]["airunway:deployments"])
