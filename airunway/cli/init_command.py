"""The command that makes a project: ``init``."""

from pathlib import Path
from typing import Annotated

import typer

from airunway.cli.project_folder import DEFAULT_STACK


def init(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Name of the new stack.")] = DEFAULT_STACK,
    context: Annotated[
        str | None, typer.Option("--context", metavar="NAME", help="Kubeconfig context of the cluster. Default: asked.")
    ] = None,
    namespace: Annotated[str, typer.Option("--namespace", metavar="NAME", help="Namespace of its models.")] = "models",
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="ID", help="First model: a Hugging Face id, or pre-made. Default: asked."),
    ] = None,
    gpus: Annotated[int | None, typer.Option("--gpus", min=0, metavar="COUNT", help="GPUs of the first model.")] = None,
    gguf: Annotated[
        str | None, typer.Option("--gguf", metavar="FILE", help="File to serve of a GGUF model's repository.")
    ] = None,
    existing_operators: Annotated[
        bool, typer.Option("--existing-operators", help="The cluster has its operators: install none.")
    ] = False,
    cwd: Annotated[
        Path, typer.Option("--cwd", "-C", metavar="DIR", help="Folder of the project, new or old.")
    ] = Path(),
) -> None:
    """Create a stack, and the project around it.

    Asks for what is not given, where someone can be asked. Overwrites nothing.
    """
    from airunway.cli.init import ask_gpus, ask_model, create_stack
    from airunway.program.new_project import FirstModel

    model_id = model or ask_model()
    count = gpus if gpus is not None else 0 if gguf or model else ask_gpus(model_id)
    create_stack(
        cwd.resolve(), stack, context, namespace, FirstModel(model_id, count, gguf), has_operators=existing_operators
    )
