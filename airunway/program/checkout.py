"""Preview another git revision in a temporary worktree, with its own code where it has some, else the installed one."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airunway.program.git import Git, GitError, GitMissingError
from airunway.program.stack_file import stack_names
from airunway.text.problems import InputError, Problem

_MODULE = "airunway.cli"
_NO_REPOSITORY = (
    "the project is in no git repository: run `git init` and commit it, or give a file that"
    " `airunway preview --format json` wrote"
)


@contextmanager
def worktree(root: Path, ref: str) -> Iterator[Path]:
    """Check out the project at ``ref`` into a temporary folder. Raises ``InputError`` for an unknown revision."""
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    has_commit = _git(root, "rev-list", "--all", "--max-count=1")
    unknown = f"'{ref}' is neither a file nor a git revision"
    message = unknown if has_commit else "the git repository has no commit yet: commit the project first"
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", problem=message)
    with tempfile.TemporaryDirectory(prefix="airunway-") as folder:
        checkout = Path(folder) / "at"
        try:
            _git(root, "worktree", "add", "--detach", "--quiet", str(checkout), commit)
            yield checkout / root.resolve().relative_to(top.resolve())
        finally:
            # Twice, as git locks a worktree until it is complete.
            Git(root).line("worktree", "remove", "--force", "--force", str(checkout))


def preview_at(project: Path, stack: str) -> dict[str, Any]:
    """Preview ``stack`` of ``project``, with the code that is in it; empty if there is no such stack."""
    if stack not in stacks_at(project):
        return empty_document(stack)
    options = ["preview", "--stack", stack, "--format", "json", "--cwd", str(project)]
    command = [sys.executable, *_command(project), *options]
    environment = os.environ | ({"PYTHONPATH": str(project)} if _own_module(project) else {})
    process = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)  # noqa: S603
    # A preview that says what stops an update exits with 1 too.
    if process.returncode and not process.stdout:
        messages = [
            line.removeprefix("error: ") for line in process.stderr.splitlines() if line.startswith("error: ")
        ] or process.stderr.splitlines()[-1:]
        raise InputError([Problem(f"stack {stack} at the other revision", line) for line in messages])
    document: dict[str, Any] = json.loads(process.stdout)
    return document


def stacks_at(project: Path) -> list[str]:
    """Return the names of all stacks of a checkout, none if it has no project yet."""
    return stack_names(project) if (project / "Pulumi.yaml").exists() else []


def _command(project: Path) -> list[str]:
    """How Python runs the command: that of the checkout, or the installed one, which nothing in the checkout hides."""
    own = _own_module(project)
    return ["-m", own] if own else ["-P", "-m", _MODULE]


def _own_module(project: Path) -> str | None:
    """The command's module in a checkout of this repository, where it was called ``cli`` before release 0.2."""
    if (project / "airunway" / "cli" / "__main__.py").is_file():
        return _MODULE
    is_old = (project / "cli" / "__main__.py").is_file() and (project / "components").is_dir()
    return "cli" if is_old else None


def empty_document(stack: str) -> dict[str, Any]:
    """Return the preview of a stack that does not exist."""
    return {"stack": stack, "deployments": [], "resources": []}


def _git(root: Path, *arguments: str, problem: str | None = None) -> str:
    try:
        return Git(root)(*arguments, seconds=None).strip()
    except GitMissingError as error:
        message = f"{error}; install it, or give a file of `airunway preview --format json`"
        raise InputError([Problem("--against", message)]) from error
    except GitError as error:
        message = _NO_REPOSITORY if "not a git repository" in str(error) else problem or str(error)
        raise InputError([Problem("--against", message)]) from error
