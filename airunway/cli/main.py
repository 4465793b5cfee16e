"""``airunway``: preview a stack without an engine, read what its cluster says, and select or render files without a
stack.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from airunway.cli.options import (
    AccountOption,
    FilesOption,
    Format,
    FormatOption,
    ManifestsOption,
    NameArgument,
    PortOption,
    PreviewFormat,
    PreviewFormatOption,
    ProjectOption,
    StackOption,
)
from airunway.spec.durations import is_duration, seconds
from airunway.text.problems import InputError, format_value

_DEBUG = "AIRUNWAY_DEBUG"
_EXTRAS = {
    "live": ("httpx_ws", "openai"),
    "console": ("multipart", "python_multipart", "ruamel", "sse_starlette", "starlette", "uvicorn"),
}
"""The packages that are imported only where one of the project's extras is installed."""

app = typer.Typer(
    name="airunway",
    help=(
        "Model deployments on Kubernetes as a Pulumi program: which provider serves which model, what that takes, and"
        " how it runs."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(epilog="Example: airunway preview --stack dev --format json > dev.json")
def preview(
    stack: StackOption = "dev", format: PreviewFormatOption = PreviewFormat.TEXT, cwd: ProjectOption = None
) -> None:
    """Show what a stack is: each deployment's provider and why, and the graph of resources. Needs no cluster, state or
    credentials.
    """
    from airunway.cli.previews import show_preview

    show_preview(project(cwd), stack, format)


@app.command(epilog="Example: airunway diff --stack prod --against origin/main")
def diff(
    stack: Annotated[str | None, typer.Option("--stack", "-s", help="Stack, as in stacks/Pulumi.STACK.yaml.")] = None,
    all_stacks: Annotated[bool, typer.Option("--all", help="Every stack, here and there.")] = False,
    against: Annotated[
        str, typer.Option("--against", help="Git revision, or a file that `preview --format json` wrote.")
    ] = "HEAD",
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if anything changes, as git diff does.")
    ] = False,
    format: PreviewFormatOption = PreviewFormat.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Show what changes and why: decisions, operators, and resources field by field. Needs no cluster, state or
    credentials.
    """
    from airunway.cli.previews import show_difference

    if (stack is None) != all_stacks:
        raise typer.BadParameter("give --stack NAME or --all, one of the two", param_hint="--stack")
    if show_difference(project(cwd), stack, against, format) and exit_code:
        raise typer.Exit(1)


@app.command(epilog="Example: airunway explain llama-70b --stack prod")
def explain(
    name: NameArgument,
    stack: StackOption = "dev",
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Show why a deployment has its provider: every provider, every rule and its value, and the spec that the rules
    saw.
    """
    from airunway.cli.previews import show_explanation

    show_explanation(project(cwd), stack, name, format)


@app.command(epilog="Example: airunway select -f llama.yaml --format json")
def select(file: FilesOption, format: FormatOption = Format.TEXT) -> None:
    """Show which engine and provider ModelDeployment documents would get."""
    from airunway.cli.documents import show_selection

    show_selection(file, format)


@app.command(epilog="Example: kubectl get modeldeployment llama -o yaml | airunway render -f -")
def render(
    file: Annotated[
        list[str] | None, typer.Option("--file", "-f", help="ModelDeployment file; - is standard input; repeatable.")
    ] = None,
    stack: Annotated[
        str | None, typer.Option("--stack", "-s", help="A whole stack, as files for GitOps; with --output.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for the stack's files.")] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print the upstream objects of ModelDeployment documents as YAML, or write those of a stack as files for
    GitOps.
    """
    if (file is None) == (stack is None) or (stack is None) != (output is None):
        raise typer.BadParameter("give --file FILE, or --stack NAME with --output DIR", param_hint="--file")
    if file is not None:
        from airunway.cli.documents import show_objects

        show_objects(file)
    elif stack is not None and output is not None:
        from airunway.cli.previews import write_stack

        write_stack(project(cwd), stack, output)


@app.command(epilog="Example: airunway providers --stack prod")
def providers(
    stack: Annotated[
        str | None, typer.Option("--stack", "-s", help="As this stack has them. Default: the built-in ones.")
    ] = None,
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Show what each inference provider can run, when it is chosen and how its operator is installed."""
    from airunway.cli.documents import show_providers

    show_providers(project(cwd) if stack else None, stack, format)


@app.command(epilog="Example: airunway rbac --stack prod --service-account ci/deployer | kubectl apply -f -")
def rbac(
    stack: StackOption = "dev",
    service_account: AccountOption = "airunway-system/airunway",
    manifests: ManifestsOption = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="Also what this git revision or saved preview has, so that it can be removed."),
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print the RBAC objects that let a service account run `pulumi up` and `pulumi destroy` on a stack, and do nothing
    else.

    What a chart holds is in the chart: --manifests adds it, and what is missing is said, with the commands that give
    it.
    """
    from airunway.cli.rights import show_rbac

    namespace, slash, name = service_account.partition("/")
    if not (namespace and slash and name):
        raise typer.BadParameter(f"'{service_account}' given, must be NAMESPACE/NAME", param_hint="--service-account")
    charts = [(release, file) for release, _, file in (option.partition("=") for option in manifests or [])]
    if not all(release and file for release, file in charts):
        raise typer.BadParameter("RELEASE=FILE is wanted, as in my-operator=rendered.yaml", param_hint="--manifests")
    show_rbac(project(cwd), stack, (namespace, name), charts, against)


@app.command(epilog="Example: airunway status --stack dev prod --format json")
def status(
    stack: Annotated[
        list[str], typer.Option("--stack", "-s", help="Stack, as in stacks/Pulumi.STACK.yaml; repeatable.")
    ],
    more: Annotated[list[str] | None, typer.Argument(metavar="STACK", help="More stacks.")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on, and show each change.")] = False,
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Show what the cluster says of each deployment, whatever its provider, and of the operators. Status 0: all run, 3:
    some do not.
    """
    from airunway.cli.live import show_status

    show_status(project(cwd), [*stack, *(more or [])], format, watch=watch)


@app.command(epilog="Example: airunway wait --stack prod llama-70b --timeout 45m")
def wait(
    deployments: Annotated[
        list[str] | None, typer.Argument(metavar="DEPLOYMENT", help="Deployments. Default: all.")
    ] = None,
    stack: StackOption = "dev",
    timeout: Annotated[str, typer.Option("--timeout", help="How long, such as 90s, 45m or 2h.")] = "30m",
    cwd: ProjectOption = None,
) -> None:
    """Wait until deployments run, telling each change. Status 0: they run, 3: not in time."""
    from airunway.cli.live import wait_for

    wait_for(project(cwd), stack, deployments or [], _seconds(timeout))


@app.command(epilog='Example: export OPENAI_BASE_URL="$(airunway endpoint llama-70b --stack prod)"')
def endpoint(
    name: NameArgument,
    stack: StackOption = "dev",
    port_forward: Annotated[
        bool, typer.Option("--port-forward", help="Open it on 127.0.0.1 until interrupted.")
    ] = False,
    port: PortOption = 0,
    cwd: ProjectOption = None,
) -> None:
    """Print a deployment's OpenAI-compatible base URL: inside the cluster, or on this machine with --port-forward."""
    from airunway.cli.live import show_endpoint

    show_endpoint(project(cwd), stack, name, port if port_forward else None)


@app.command(epilog='Example: airunway chat llama-70b "Say hello." --stack prod')
def chat(
    name: NameArgument,
    text: Annotated[str, typer.Argument(help="What to say to it.")],
    stack: StackOption = "dev",
    model: Annotated[
        str | None, typer.Option("--model", help="Model name. Default: the first that the endpoint serves.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Base URL, for example of a gateway. Default: a port forward.")
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Say something to a deployment and print what it answers: a test of the whole way. OPENAI_API_KEY is sent where it
    is set.
    """
    from airunway.cli.live import chat_with

    chat_with(project(cwd), stack, name, text, model, url)


@app.command("import", epilog="Example: airunway import --stack prod --ids import.json > entries.yaml")
def import_(
    stack: StackOption = "dev",
    ids: Annotated[
        Path | None, typer.Option("--ids", help="Write the ids to this file, as `pulumi import --file` takes them.")
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print stack entries for what the cluster already serves, so that `pulumi up` takes it over as it is, and what
    can't be expressed.
    """
    from airunway.cli.live import show_import

    show_import(project(cwd), stack, ids)


@app.command(epilog="Example: airunway console --stack prod")
def console(
    stack: StackOption = "dev",
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on. Default: a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open it in the browser.")] = True,
    cwd: ProjectOption = None,
) -> None:
    """Open pages on this machine to see what runs, edit the stack file by form, and preview and apply it."""
    from airunway.console.serve import serve

    serve(project(cwd), stack, host, port, browser=browser)


@app.command(epilog="Example: airunway schema > stacks/stack.schema.json", hidden=True)
def schema(
    deployments: Annotated[
        bool, typer.Option("--deployments", help="Of the files that airunway:deploymentFiles names.")
    ] = False,
    project_file: Annotated[
        bool, typer.Option("--project", help="The project's Pulumi.yaml with its settings declared anew.")
    ] = False,
    argument_types: Annotated[
        Path | None,
        typer.Option("--argument-types", help="Write the components' argument types into this folder instead."),
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print the JSON Schema of stack files."""
    from airunway.cli.argument_types import write_argument_types
    from airunway.cli.schema import deployments_schema, project_text, schema_text, stack_schema
    from airunway.cli.streams import text_of

    if argument_types is not None:
        write_argument_types(argument_types)
    elif project_file:
        sys.stdout.write(project_text(text_of(str(project(cwd) / "Pulumi.yaml"))))
    else:
        sys.stdout.write(schema_text(deployments_schema() if deployments else stack_schema()))


def project(cwd: Path | None) -> Path:
    """The project folder: ``cwd``, or the nearest one above with a Pulumi.yaml. A usage error where there is none."""
    start = (cwd or Path.cwd()).resolve()
    for folder in [start] if cwd else [start, *start.parents]:
        if (folder / "Pulumi.yaml").exists():
            return folder
    raise typer.BadParameter(
        f"no Pulumi.yaml in {start}" + ("" if cwd else " or above; run it in the project or give --cwd"),
        param_hint="--cwd",
    )


def _seconds(text: str) -> int:
    """A duration in seconds. A usage error for what is none."""
    if not is_duration(text):
        raise typer.BadParameter(
            f"{format_value(text)} given; wanted: a duration such as 90s, 45m or 1h30m", param_hint="--timeout"
        )
    return seconds(text)


def main() -> None:
    """Run the command; status 0 fine, 1 input refused, cluster out of reach or a bug, 2 wrong usage, 3 not all running.

    With AIRUNWAY_DEBUG set, a bug shows its traceback too.
    """
    try:
        app()
    except InputError as error:
        count = len(error.problems)
        _fail(*map(str, error.problems), then=f"{count} problem{'s' * (count > 1)} found; nothing was done.")
    except ModuleNotFoundError as error:
        extra = next(
            (name for name, packages in _EXTRAS.items() if (error.name or "").partition(".")[0] in packages), None
        )
        if extra is None:
            raise
        _fail(f"this command needs more packages: pip install 'airunway[{extra}]'", then="Nothing was done.")
    except Exception as error:
        if os.environ.get(_DEBUG):
            traceback.print_exc()
        hint = "" if os.environ.get(_DEBUG) else f" ({_DEBUG}=1 shows where)"
        _fail(f"{type(error).__name__}: {error}", then=f"This is a bug of airunway; please report it{hint}.")


def _fail(*messages: str, then: str) -> NoReturn:
    from rich.markup import escape

    from airunway.text.terminal import console, one_line

    out = console(stderr=True)
    for message in messages:
        out.print(f"[red]error:[/red] {escape(one_line(message))}", soft_wrap=True)
    out.print(then)
    sys.exit(1)
