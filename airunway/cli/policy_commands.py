"""The commands of `airunway policy`."""

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
