"""The command that proposes the size of a deployment: ``size``."""

from pathlib import Path
from typing import Annotated

import typer

from airunway.cli.options import (
    Format,
    FormatOption,
    NameArgument,
    ProjectOption,
    StackOption,
    chosen_stack,
    find_project,
)
from airunway.spec.model import Mode

_MOST_TOKENS = 10_000_000


def size(
    name: NameArgument,
    ttft: Annotated[
        float, typer.Option("--ttft", min=1, metavar="MS", help="Time to the first token, in milliseconds at most.")
    ],
    tpot: Annotated[
        float, typer.Option("--tpot", min=0.1, metavar="MS", help="Time per later token, in milliseconds at most.")
    ],
    isl: Annotated[
        int, typer.Option("--isl", min=1, max=_MOST_TOKENS, metavar="TOKENS", help="Length of a request's input.")
    ],
    osl: Annotated[int, typer.Option("--osl", min=2, max=_MOST_TOKENS, metavar="TOKENS", help="Length of its output.")],
    request_rate: Annotated[
        float | None, typer.Option("--request-rate", min=0.001, metavar="RATE", help="Requests per second to serve.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, metavar="COUNT", help="Requests to serve at once, instead.")
    ] = None,
    system: Annotated[
        str | None,
        typer.Option(
            "--system",
            metavar="SYSTEM",
            help="aiconfigurator's name of the GPU type, such as h100_sxm. Default: of the node pool it is in.",
        ),
    ] = None,
    mode: Annotated[
        Mode | None, typer.Option("--mode", help="Serving mode. Default: the one that takes fewer GPUs.")
    ] = None,
    model_dir: Annotated[
        Path | None,
        typer.Option(
            "--model-dir", metavar="DIR", help="Folder of config.json, for a model unknown to aiconfigurator."
        ),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the change to the file of the entry.")] = False,
    stack: StackOption = None,
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Propose workers, GPUs and parallel sizes for a load.

    Asks NVIDIA's aiconfigurator, which needs neither a GPU nor a network, and shows its estimates and the change of the
    entry. Exits with 1 if something stops an update of the stack with that change.
    """
    from airunway.assessment.sizing import Workload
    from airunway.cli.size import SizeOptions, size_deployment

    if (request_rate is None) == (concurrency is None):
        raise typer.BadParameter("give one of --request-rate and --concurrency", param_hint="--request-rate")
    workload = Workload(isl, osl, ttft, tpot, request_rate, concurrency)
    options = SizeOptions(workload, system, mode, model_dir, write)
    if not size_deployment(find_project(cwd), chosen_stack(None, stack), name, options, format):
        raise typer.Exit(1)
