"""A preview of another revision: the whole project checked out aside and run there, with its own code."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airunway.program.stack_file import stack_names
from airunway.text.problems import InputError, Problem


@contextmanager
def worktree(root: Path, ref: str) -> Iterator[Path]:
    """The project as it is at ``ref``, in a folder that goes away. Raises ``InputError`` for what git does not know."""
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    unknown = f"'{ref}' is no file and no git revision"
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", problem=unknown)
    with tempfile.TemporaryDirectory(prefix="airunway-") as folder:
        place = Path(folder) / "at"
        _git(root, "worktree", "add", "--detach", "--quiet", str(place), commit)
        try:
            yield place / root.resolve().relative_to(top.resolve())
        finally:
            _git(root, "worktree", "remove", "--force", str(place))


def preview_at(project: Path, stack: str) -> dict[str, Any]:
    """The preview of ``stack`` by the code in ``project``; an empty one where the stack is not there."""
    if not (project / "Pulumi.yaml").exists() or stack not in stack_names(project):
        return empty_document(stack)
    # Before release 0.2 the command's package was at the top.
    command_module = "airunway.cli" if (project / "airunway" / "cli").is_dir() else "cli"
    command = [sys.executable, "-m", command_module, "preview"]
    options = ["--stack", stack, "--format", "json", "--cwd", str(project)]
    environment = os.environ | {"PYTHONPATH": str(project)}
    done = subprocess.run(command + options, cwd=project, env=environment, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        said = [
            line.removeprefix("error: ") for line in done.stderr.splitlines() if line.startswith("error: ")
        ] or done.stderr.splitlines()[-1:]
        raise InputError([Problem(f"stack {stack} at the other revision", line) for line in said])
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def empty_document(stack: str) -> dict[str, Any]:
    """The preview of a stack that is not there."""
    return {"stack": stack, "deployments": [], "resources": []}


def saved_preview(path: Path) -> dict[str, Any]:
    """A preview that ``--format json`` wrote to a file. Raises ``InputError``."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError([Problem(str(path), f"is not a saved preview: {error}")]) from error
    if not isinstance(document, dict) or not {"stack", "deployments", "resources"} <= set(document):
        raise InputError([Problem(str(path), "is not a saved preview; `airunway preview --format json` writes one")])
    return document


def _git(root: Path, *arguments: str, problem: str | None = None) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)  # noqa: S603, S607
    if done.returncode:
        raise InputError([Problem("--against", problem or done.stderr.strip() or "git failed")])
    return done.stdout.strip()
