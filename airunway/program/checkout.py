"""Preview another git revision in a temporary worktree, with that revision's own code."""

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


@contextmanager
def worktree(root: Path, ref: str) -> Iterator[Path]:
    """Check out the project at ``ref`` into a temporary folder. Raises ``InputError`` for an unknown revision."""
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    message = f"'{ref}' is neither a file nor a git revision"
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
    """Preview ``stack`` with the code in ``project``; empty if there is no such stack."""
    if not (project / "Pulumi.yaml").exists() or stack not in stack_names(project):
        return empty_document(stack)
    # Before release 0.2 the package was called cli.
    command_module = "airunway.cli" if (project / "airunway" / "cli").is_dir() else "cli"
    command = [sys.executable, "-m", command_module, "preview"]
    options = ["--stack", stack, "--format", "json", "--cwd", str(project)]
    environment = os.environ | {"PYTHONPATH": str(project)}
    process = subprocess.run(command + options, cwd=project, env=environment, capture_output=True, text=True)  # noqa: S603
    # A preview that says what stops an update exits with 1 too.
    if process.returncode and not process.stdout:
        messages = [
            line.removeprefix("error: ") for line in process.stderr.splitlines() if line.startswith("error: ")
        ] or process.stderr.splitlines()[-1:]
        raise InputError([Problem(f"stack {stack} at the other revision", line) for line in messages])
    document: dict[str, Any] = json.loads(process.stdout)
    return document


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
        raise InputError([Problem("--against", problem or str(error))]) from error
