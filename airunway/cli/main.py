"""The command line of ``airunway``: every command with its options."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from airunway.cli.comment import comment
from airunway.cli.ending import run
from airunway.cli.options import (
    AccountOption,
    FilesOption,
    Format,
    FormatOption,
    ManifestsOption,
    NameArgument,
    PortOption,
    ProjectOption,
    StackOption,
    find_project,
)
from airunway.cli.plan_commands import diff, explain, preview
from airunway.cli.policy_commands import policy
from airunway.spec.durations import is_duration, seconds
from airunway.text.problems import format_value

app = typer.Typer(
    name="airunway",
    help="Deploy AI models to Kubernetes with Pulumi: preview, compare and watch stacks of model deployments.",
    epilog="Example: airunway preview --stack dev",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(version("airunway"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


app.command(epilog="Example: airunway preview --stack dev --format json > dev.json")(preview)
app.command(epilog="Example: airunway diff --stack prod --against origin/main")(diff)
app.command(epilog="Example: airunway comment 12 --against origin/main")(comment)
app.command(epilog="Example: airunway explain llama-70b --stack prod")(explain)
app.add_typer(policy, name="policy")


@app.command(epilog="Example: airunway select -f llama.yaml --format json")
def select(file: FilesOption, format: FormatOption = Format.TEXT) -> None:
    """Show the engine and provider for ModelDeployment files."""
    from airunway.cli.documents import show_selection

    show_selection(file, format)


@app.command(epilog="Example: kubectl get modeldeployment llama -o yaml | airunway render -f -")
def render(
    file: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="ModelDeployment file, or - for standard input; repeatable."),
    ] = None,
    stack: Annotated[
        str | None, typer.Option("--stack", "-s", metavar="STACK", help="Stack to write; needs --output.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Folder to write the stack's files to.")
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Render ModelDeployment files, or a stack for GitOps.

    With --file, prints the objects as YAML. With --stack, writes one file per object and a kustomization.yaml.
    """
    if (file is None) == (stack is None) or (stack is None) != (output is None):
        raise typer.BadParameter("give --file FILE, or --stack NAME with --output DIR", param_hint="--file")
    if file is not None:
        from airunway.cli.documents import show_objects

        show_objects(file)
    elif stack is not None and output is not None:
        from airunway.cli.previews import write_stack

        write_stack(find_project(cwd), stack, output)


@app.command(epilog="Example: airunway providers --stack prod")
def providers(
    stack: Annotated[
        str | None,
        typer.Option("--stack", "-s", metavar="STACK", help="Show them as this stack configures them."),
    ] = None,
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """List inference providers and their selection rules.

    Shows what each can run, when it is selected and how its operator is installed.
    """
    from airunway.cli.documents import show_providers

    show_providers(find_project(cwd) if stack else None, stack, format)


@app.command(epilog="Example: airunway rbac --stack prod --service-account ci/deployer | kubectl apply -f -")
def rbac(
    stack: StackOption = "dev",
    service_account: AccountOption = "airunway-system/airunway",
    manifests: ManifestsOption = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="REVISION|FILE",
            help="Also allow deleting what this git revision or saved preview has.",
        ),
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print the RBAC objects a service account needs for a stack.

    They grant what `pulumi up` and `pulumi destroy` need and nothing else. Pass rendered Helm charts with --manifests;
    notes on standard error name the missing ones and the commands that render them.
    """
    from airunway.cli.rights import show_rbac

    namespace, slash, name = service_account.partition("/")
    if not (namespace and slash and name):
        raise typer.BadParameter(f"'{service_account}' given, must be NAMESPACE/NAME", param_hint="--service-account")
    charts = [(release, file) for release, _, file in (option.partition("=") for option in manifests or [])]
    if not all(release and file for release, file in charts):
        raise typer.BadParameter("must be RELEASE=FILE, as in my-operator=rendered.yaml", param_hint="--manifests")
    show_rbac(find_project(cwd), stack, (namespace, name), charts, against)


@app.command(epilog="Example: airunway status --stack dev prod --format json")
def status(
    stack: Annotated[
        list[str],
        typer.Option("--stack", "-s", metavar="STACK", help="Stack of stacks/Pulumi.STACK.yaml; repeatable."),
    ],
    more: Annotated[list[str] | None, typer.Argument(metavar="STACK", help="More stacks.")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep running and print each change.")] = False,
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Show the live status of deployments and operators.

    Exits with 0 if all deployments run, and with 3 if some do not.
    """
    from airunway.cli.live import show_status

    show_status(find_project(cwd), [*stack, *(more or [])], format, watch=watch)


@app.command(epilog="Example: airunway wait --stack prod llama-70b --timeout 45m")
def wait(
    deployments: Annotated[
        list[str] | None, typer.Argument(metavar="DEPLOYMENT", help="Deployments to wait for. Default: all.")
    ] = None,
    stack: StackOption = "dev",
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="Longest wait, such as 90s, 45m or 2h.")
    ] = "30m",
    cwd: ProjectOption = None,
) -> None:
    """Wait until deployments run, printing each change.

    Exits with 0 if they run, and with 3 on timeout.
    """
    from airunway.cli.live import wait_for

    wait_for(find_project(cwd), stack, deployments or [], _parse_seconds(timeout))


@app.command(epilog='Example: export OPENAI_BASE_URL="$(airunway endpoint llama-70b --stack prod)"')
def endpoint(
    name: NameArgument,
    stack: StackOption = "dev",
    port_forward: Annotated[
        bool, typer.Option("--port-forward", help="Forward a local port until interrupted.")
    ] = False,
    port: PortOption = 0,
    cwd: ProjectOption = None,
) -> None:
    """Print a deployment's OpenAI-compatible base URL.

    The URL works inside the cluster; with --port-forward, on this machine.
    """
    from airunway.cli.live import show_endpoint

    show_endpoint(find_project(cwd), stack, name, port if port_forward else None)


@app.command(epilog='Example: airunway chat llama-70b "Say hello." --stack prod')
def chat(
    name: NameArgument,
    text: Annotated[str, typer.Argument(metavar="PROMPT", help="Text to send.")],
    stack: StackOption = "dev",
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Model name. Default: the endpoint's first model.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Base URL, such as a gateway's. Default: a port forward.")
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Send a prompt to a deployment and print the answer.

    Tests the model end to end. OPENAI_API_KEY is sent if it is set.
    """
    from airunway.cli.live import chat_with

    chat_with(find_project(cwd), stack, name, text, model, url)


@app.command("import", epilog="Example: airunway import --stack prod --ids import.json > entries.yaml")
def import_(
    stack: StackOption = "dev",
    ids: Annotated[
        Path | None,
        typer.Option("--ids", metavar="FILE", help="Write the ids for `pulumi import --file` to this file."),
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print stack entries for models the cluster already serves.

    With these entries `pulumi up` takes the objects over unchanged. Comments list objects that no entry matches.
    """
    from airunway.cli.live import show_import

    show_import(find_project(cwd), stack, ids)


@app.command(epilog="Example: airunway nodes --stack prod --write stacks/pools.prod.yaml")
def nodes(
    stack: StackOption = "dev",
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FILE", help="Write them to this file, which keeps its prices."),
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print the node pools of a stack's cluster, for airunway:nodePoolFiles.

    Previews then say where each model runs, what it costs, and what the cluster has no GPUs for.
    """
    from airunway.cli.live import show_nodes

    show_nodes(find_project(cwd), stack, write)


@app.command(epilog="Example: airunway lock --update Qwen/Qwen3-0.6B")
def lock(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if models are missing or have moved upstream.")
    ] = False,
    update: Annotated[
        list[str] | None,
        typer.Option("--update", metavar="MODEL", help="Move this model to its newest commit; repeatable."),
    ] = None,
    update_all: Annotated[bool, typer.Option("--update-all", help="Move all models to their newest commits.")] = False,
    cwd: ProjectOption = None,
) -> None:
    """Write the commits of all stacks' models to stacks/models.lock.yaml.

    Stacks then deploy these commits, and `airunway diff` says which model moved. Only this command asks the hub: it
    reads HF_ENDPOINT and HF_TOKEN.
    """
    from airunway.cli.lock import check_lock, lock_models

    if check and (update or update_all):
        raise typer.BadParameter("give --check alone", param_hint="--check")
    if not check:
        lock_models(find_project(cwd), update or (), update_all=update_all)
    elif check_lock(find_project(cwd)):
        raise typer.Exit(1)


@app.command(epilog="Example: airunway console --stack prod")
def console(
    stack: StackOption = "dev",
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, show_default="a free port", help="Port to listen on.")
    ] = 0,
    browser: Annotated[bool, typer.Option(help="Open the console in the browser.")] = True,
    cwd: ProjectOption = None,
) -> None:
    """Start a local web console for a stack.

    Shows what runs, edits stack files with forms, and previews and applies changes.
    """
    from airunway.console.serve import serve

    serve(find_project(cwd), stack, host, port, browser=browser)


@app.command(epilog="Example: airunway schema > stacks/stack.schema.json", hidden=True)
def schema(
    deployments: Annotated[
        bool, typer.Option("--deployments", help="Print the schema of deployment files instead.")
    ] = False,
    project_file: Annotated[
        bool, typer.Option("--project", help="Print Pulumi.yaml with updated setting declarations instead.")
    ] = False,
    argument_types: Annotated[
        Path | None,
        typer.Option("--argument-types", metavar="DIR", help="Write the components' argument types to DIR instead."),
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print the JSON Schema of stack files."""
    from airunway.cli.argument_types import write_argument_types
    from airunway.cli.schema import deployments_schema, project_text, schema_text, stack_schema
    from airunway.cli.streams import read_text

    if argument_types is not None:
        write_argument_types(argument_types)
    elif project_file:
        sys.stdout.write(project_text(read_text(str(find_project(cwd) / "Pulumi.yaml"))))
    else:
        sys.stdout.write(schema_text(deployments_schema() if deployments else stack_schema()))


def _parse_seconds(text: str) -> int:
    """Convert a duration to seconds. Raises a usage error for an invalid one."""
    if not is_duration(text):
        raise typer.BadParameter(
            f"{format_value(text)} given; wanted: a duration such as 90s, 45m or 1h30m", param_hint="--timeout"
        )
    return seconds(text)


def main() -> None:
    """Run the command line.

    Exits with 0 on success, 1 for invalid input, an unreachable cluster or a bug, 2 for wrong usage, and 3 if not all
    deployments run.
    """
    run(app)
