"""The command that proposes the size of a deployment: ``size``."""

from pathlib import Path
from typing import Annotated

import typer

from airunway.cli.options import (
    Format,
    FormatOption,
    NameArgument,
    ProjectOption,
    StackOfDeployment,
    chosen_stack,
    find_project,
)
from airunway.spec.model import Mode

_MOST_TOKENS, _MOST_MS, _MOST_REQUESTS = 10_000_000, 3_600_000, 1_000_000


TtftOption = Annotated[
    float,
    typer.Option("--ttft", min=1, max=_MOST_MS, metavar="MS", help="Time to the first token, in milliseconds at most."),
]
TpotOption = Annotated[
    float,
    typer.Option("--tpot", min=0.1, max=_MOST_MS, metavar="MS", help="Time per later token, in milliseconds at most."),
]
InputOption = Annotated[
    int, typer.Option("--isl", min=1, max=_MOST_TOKENS, metavar="TOKENS", help="Length of a request's input.")
]
OutputOption = Annotated[
    int, typer.Option("--osl", min=2, max=_MOST_TOKENS, metavar="TOKENS", help="Length of its output.")
]
RateOption = Annotated[
    float | None,
    typer.Option("--request-rate", min=0.001, max=_MOST_REQUESTS, metavar="RATE", help="Requests per second to serve."),
]
ConcurrencyOption = Annotated[
    int | None,
    typer.Option(
        "--concurrency", min=1, max=_MOST_REQUESTS, metavar="COUNT", help="Requests to serve at once, instead."
    ),
]
SystemOption = Annotated[
    str | None,
    typer.Option(
        "--system",
        metavar="SYSTEM",
        help="GPU type by aiconfigurator's name, such as h100_sxm. Default: what it selects or is placed on.",
    ),
]
ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model-dir",
        metavar="DIR",
        help="Folder of config.json, for a model unknown to aiconfigurator.",
    ),
]


def size(
    name: NameArgument,
    ttft: TtftOption,
    tpot: TpotOption,
    isl: InputOption,
    osl: OutputOption,
    request_rate: RateOption = None,
    concurrency: ConcurrencyOption = None,
    system: SystemOption = None,
    mode: Annotated[
        Mode | None, typer.Option("--mode", help="Serving mode. Default: the one that takes fewer GPUs.")
    ] = None,
    model_dir: ModelOption = None,
    write: Annotated[bool, typer.Option("--write", help="Write the change to the file of the entry.")] = False,
    stack: StackOfDeployment = None,
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
    if model_dir is not None and not model_dir.is_dir():
        raise typer.BadParameter(f"{model_dir} is no folder", param_hint="--model-dir")
    workload = Workload(isl, osl, ttft, tpot, request_rate, concurrency)
    options = SizeOptions(workload, system, mode, model_dir, write)
    if not size_deployment(find_project(cwd), chosen_stack(None, stack), name, options, format):
        raise typer.Exit(1)
