"""Options shared by several commands, their output formats, and the project that they are about."""

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from airunway.cli.completion import deployments_to_complete, stacks_to_complete
from airunway.cli.project_folder import DEFAULT_STACK, nearest_project


class Format(StrEnum):
    """Output formats of most commands."""

    TEXT = "text"
    JSON = "json"


class PreviewFormat(StrEnum):
    """Output formats of previews and differences."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    MERMAID = "mermaid"
    HTML = "html"


class LockPart(StrEnum):
    """The parts of a lock."""

    MODELS = "models"
    IMAGES = "images"


FormatOption = Annotated[Format, typer.Option("--format", help="Output format.")]
PreviewFormatOption = Annotated[
    PreviewFormat, typer.Option("--format", help="Output format; html is one self-contained page.")
]
_STACK_HELP = "Stack of stacks/Pulumi.STACK.yaml."
StackArgument = Annotated[
    str | None,
    typer.Argument(metavar="STACK", help=_STACK_HELP, show_default=DEFAULT_STACK, autocompletion=stacks_to_complete),
]
StackArguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="STACK", help=_STACK_HELP, show_default=DEFAULT_STACK, autocompletion=stacks_to_complete),
]
StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        metavar="STACK",
        help="Same, as an option.",
        show_default=False,
        autocompletion=stacks_to_complete,
    ),
]
OnlyStackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        metavar="STACK",
        help=_STACK_HELP,
        show_default=DEFAULT_STACK,
        autocompletion=stacks_to_complete,
    ),
]
"""Of a command whose arguments are deployments."""
ProjectOption = Annotated[
    Path | None,
    typer.Option("--cwd", "-C", metavar="DIR", help="Project folder. Default: the nearest one with a Pulumi.yaml."),
]
AccountOption = Annotated[
    str, typer.Option("--service-account", metavar="NAMESPACE/NAME", help="Service account to grant the rights to.")
]
ManifestsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--manifests",
        metavar="RELEASE=FILE",
        help="Output of `helm template` for a release, or - for standard input; repeatable.",
    ),
]
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="DEPLOYMENT", help="Name of a deployment in the stack.", autocompletion=deployments_to_complete
    ),
]
PortOption = Annotated[
    int,
    typer.Option("--port", min=0, max=65535, show_default="a free port", help="Local port for --port-forward."),
]
FilesOption = Annotated[
    list[str],
    typer.Option("--file", "-f", metavar="FILE", help="ModelDeployment file, or - for standard input; repeatable."),
]


def find_project(cwd: Path | None) -> Path:
    """Return ``cwd``, or the nearest parent folder with a Pulumi.yaml. Raises a usage error if there is none."""
    found = nearest_project(cwd or Path.cwd(), parents=cwd is None)
    if found:
        return found
    raise typer.BadParameter(
        f"no Pulumi.yaml in {os.path.realpath(cwd or Path.cwd())}"
        + ("" if cwd else " or its parents; run airunway in the project or give --cwd"),
        param_hint="--cwd",
    )


def chosen_stack(argument: str | None, option: str | None) -> str:
    """Return the stack that is named, in either place, or the default. Raises a usage error for two."""
    if argument is not None and option is not None and argument != option:
        raise typer.BadParameter(f"'{argument}' and '{option}' given; name one stack", param_hint="STACK")
    return checked_stack(next((name for name in (argument, option) if name is not None), DEFAULT_STACK))


def checked_stack(name: str) -> str:
    """Return ``name``. Raises a usage error where it is empty, as of an unset variable, or that of a stack's file."""
    if not name.strip():
        raise typer.BadParameter(f"'' given; name a stack, or leave it out for {DEFAULT_STACK}", param_hint="STACK")
    file = re.fullmatch(r"(?:.*/)?Pulumi\.(.+)\.ya?ml", name)
    if file:
        raise typer.BadParameter(f"'{name}' is the stack's file; write {file[1]}", param_hint="STACK")
    return name
