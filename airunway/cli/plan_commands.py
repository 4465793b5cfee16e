"""The commands that show a plan: ``preview``, ``diff`` and ``explain``."""

from typing import Annotated

import typer

from airunway.cli.options import (
    Format,
    FormatOption,
    NameArgument,
    PreviewFormat,
    PreviewFormatOption,
    ProjectOption,
    StackArgument,
    StackOfDeployment,
    StackOption,
    chosen_stack,
    find_project,
)


def preview(
    name: StackArgument = None,
    stack: StackOption = None,
    format: PreviewFormatOption = PreviewFormat.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Preview a stack: providers selected and resources needed.

    Needs no cluster, Pulumi state or credentials. Exits with 1 if something in it stops an update.
    """
    from airunway.cli.previews import show_preview

    if show_preview(find_project(cwd), chosen_stack(name, stack), format):
        raise typer.Exit(1)


def diff(
    name: StackArgument = None,
    stack: StackOption = None,
    all_stacks: Annotated[bool, typer.Option("--all", help="Every stack of the project and the revision.")] = False,
    against: Annotated[
        str,
        typer.Option(
            "--against", metavar="REVISION|FILE", help="Git revision, or a file saved with `preview --format json`."
        ),
    ] = "HEAD",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if anything changes.")] = False,
    format: PreviewFormatOption = PreviewFormat.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Compare stacks with a git revision or a saved preview.

    Shows changed providers, operators and resources, field by field. Needs no cluster, Pulumi state or credentials.
    Exits with 1 if something in a stack stops its update.
    """
    from airunway.cli.previews import show_difference

    if all_stacks and (name or stack):
        raise typer.BadParameter("give either a stack or --all", param_hint="--all")
    chosen = None if all_stacks else chosen_stack(name, stack)
    changed, stopped = show_difference(find_project(cwd), chosen, against, format)
    if stopped or (changed and exit_code):
        raise typer.Exit(1)


def explain(
    name: NameArgument,
    stack: StackOfDeployment = None,
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Explain why a deployment got its provider.

    Lists every provider, every selection rule with its result, and the spec that the rules evaluated.
    """
    from airunway.cli.previews import show_explanation

    show_explanation(find_project(cwd), chosen_stack(None, stack), name, format)
