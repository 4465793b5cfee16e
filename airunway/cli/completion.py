"""What a shell offers while a command is typed: names of stacks, and of a stack's deployments."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from airunway.text.problems import InputError
from airunway.text.yaml_reading import StackLoader, read_document

_FILE = re.compile(r"Pulumi\.(.+)\.yaml")
_MOST_BYTES = 2**20


def stacks_to_complete(ctx: typer.Context, incomplete: str) -> list[str]:
    """The project's stacks that begin like this."""
    return sorted(name for name in _stack_files(ctx) if name.startswith(incomplete))


def deployments_to_complete(ctx: typer.Context, incomplete: str) -> list[str]:
    """The deployments in the stack's own file that begin like this."""
    file = _stack_files(ctx).get(str(ctx.params.get("stack") or "dev"))
    return sorted(name for name in _deployments(file) if name.startswith(incomplete)) if file else []


def _stack_files(ctx: typer.Context) -> dict[str, Path]:
    start = Path(ctx.params.get("cwd") or Path.cwd()).absolute()
    folder = next((path for path in (start, *start.parents) if (path / "Pulumi.yaml").exists()), start)
    matches = ((_FILE.fullmatch(path.name), path) for path in (folder / "stacks").glob("Pulumi.*.yaml"))
    return {match[1]: path for match, path in matches if match}


def _deployments(file: Path) -> Iterator[str]:
    """The names in a stack file; none if it can't be read, as a shell has nowhere to show an error."""
    try:
        if file.stat().st_size > _MOST_BYTES:
            return
        content: Any = read_document(file.read_text(encoding="utf-8"), str(file), StackLoader)
        yield from (str(entry["name"]) for entry in content["config"]["airunway:deployments"])
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return
