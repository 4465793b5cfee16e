"""The command `airunway comment`."""

import os
from typing import Annotated

import typer

from airunway.cli.options import ProjectOption, checked_stack, find_project


def comment(
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Number of the pull request.")],
    stack: Annotated[
        str | None, typer.Option("--stack", "-s", metavar="STACK", help="One stack. Default: all of them.")
    ] = None,
    against: Annotated[str, typer.Option("--against", metavar="REVISION", help="Git revision.")] = "HEAD",
    repository: Annotated[
        str | None,
        typer.Option("--repository", metavar="OWNER/NAME", help="GitHub repository. Default: GITHUB_REPOSITORY."),
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Comment on a GitHub pull request what it changes.

    Each stack that changes gets a comment, which later runs update. Needs GITHUB_TOKEN, and GITHUB_API_URL where GitHub
    is your own. Exits with 1 if something in a stack stops its update.
    """
    from airunway.cli.pull_requests import comment_on_pull_request

    chosen = None if stack is None else checked_stack(stack)
    if comment_on_pull_request(find_project(cwd), chosen, against, number, repository, os.environ):
        raise typer.Exit(1)
