"""`airunway init`: a new stack, in a new project where there is none; imported only when it runs."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from airunway.cli.schema import stack_schema
from airunway.live.api_server.kubeconfig import context_names
from airunway.program.new_project import FirstModel, new_files, new_stack_text, write_files
from airunway.program.stack_plan import stack_plan
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.terminal import console

DEFAULT_MODEL = "llama3.2:1b"
"""A model that needs neither a GPU nor a token."""


def create_stack(
    root: Path, stack: str, context: str | None, namespace: str, model: FirstModel, *, has_operators: bool
) -> None:
    """Write the stack if it can be planned, and say what to do next. Raises ``InputError``."""
    chosen = context or _asked_context()
    text = new_stack_text({"context": chosen}, namespace, model, has_operators=has_operators)
    files = new_files(root, stack, text, stack_schema())
    with TemporaryDirectory() as folder:  # what can't be planned is not written
        trial = Path(folder)
        write_files(new_files(trial, stack, text, {}))
        stack_plan(trial, stack)
    written = write_files(files)
    out = console(stderr=True)
    for path in written:
        out.print(f"wrote {os.path.relpath(path)}", markup=False, soft_wrap=True)
    folder = os.path.relpath(root)
    go = "" if folder == "." else f"cd {folder} && "
    out.print(f"Next: {go}airunway preview {stack}", markup=False, soft_wrap=True)
    deploy = f"pulumi install && pulumi stack init {stack} && pulumi up"
    out.print(f"To deploy it: {deploy}", markup=False, soft_wrap=True)


def ask_model() -> str:
    """The model that is asked for, or the default where nobody can be asked."""
    if not sys.stdin.isatty():
        return DEFAULT_MODEL
    return str(typer.prompt("First model (a Hugging Face id, or a pre-made one)", default=DEFAULT_MODEL, err=True))


def ask_gpus(model: str) -> int:
    """The GPUs that are asked for; none for a pre-made model, or where nobody can be asked."""
    if not sys.stdin.isatty() or "/" not in model:
        return 0
    return int(typer.prompt("GPUs", default=1, type=int, err=True))


def _asked_context() -> str:
    names = _contexts()
    if not sys.stdin.isatty():
        listed = f"; there are: {', '.join(names)}" if names else ""
        raise InputError([Problem("--context", f"required: the kubeconfig context of the cluster{listed}")])
    shown = f" ({', '.join(names)})" if names else ""
    answer = str(typer.prompt(f"Context of the cluster{shown}", default=names[0] if names else None, err=True))
    if names and answer not in names:
        message = f"the kubeconfig has no context '{answer}'; {suggest_name(answer, names)}"
        raise InputError([Problem("--context", message)])
    return answer


def _contexts() -> Sequence[str]:
    """The contexts of the kubeconfig; none where it can't be read, as a stack can be written without one."""
    try:
        return context_names(os.environ)
    except InputError:
        return ()
