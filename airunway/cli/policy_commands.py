"""The commands of `airunway policy`."""

from pathlib import Path
from typing import Annotated

import typer

_EXAMPLE = "Example: airunway policy test examples/policies.yaml --cases examples/policies.cases.yaml"

policy = typer.Typer(
    help="Work with policies.",
    epilog=_EXAMPLE,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@policy.callback()
def _policy() -> None:
    """Work with policies."""


@policy.command(epilog=_EXAMPLE)
def test(
    files: Annotated[
        list[str], typer.Argument(metavar="POLICIES", help="Files with policies, or - for standard input.")
    ],
    cases: Annotated[list[str], typer.Option("--cases", metavar="FILE", help="File with cases; repeatable.")],
) -> None:
    """Test policies by cases.

    A case is a policy's name, a deployment or several, and whether they violate the policy. Exits with 1 if a policy
    says otherwise.
    """
    from airunway.cli.policies import check_policies

    if check_policies(files, cases):
        raise typer.Exit(1)


@policy.command(epilog="Example: airunway policy pack our-policies examples/policies.yaml")
def pack(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to write, new or without a pack.")],
    files: Annotated[
        list[str], typer.Argument(metavar="POLICIES", help="Files with policies, which are copied into it.")
    ],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the pack.")] = "airunway",
) -> None:
    """Write policies as a Pulumi policy pack.

    `pulumi preview --policy-pack FOLDER` then holds any stack to them, whatever its settings say. Overwrites nothing.
    """
    from airunway.cli.policies import write_pack

    write_pack(folder, files, name)
