"""The command line of ``airunway``: every command with its options."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from airunway.cli.comment import comment
from airunway.cli.completion import stacks_to_complete
from airunway.cli.ending import run
from airunway.cli.init_command import init
from airunway.cli.live_commands import chat, endpoint, import_, logs, nodes, status, wait
from airunway.cli.options import (
    AccountOption,
    FilesOption,
    Format,
    FormatOption,
    LockPart,
    ManifestsOption,
    ProjectOption,
    StackArgument,
    StackOption,
    chosen_stack,
    find_project,
)
from airunway.cli.plan_commands import diff, explain, preview
from airunway.cli.policy_commands import policy
from airunway.cli.size_command import size
from airunway.cli.usage import run_app

app = typer.Typer(
    name="airunway",
    help="Deploy AI models to Kubernetes with Pulumi: preview, compare and watch stacks of model deployments.",
    epilog="Example: airunway preview dev",
    no_args_is_help=True,
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


app.command(epilog="Example: airunway init dev --context kind-dev --model Qwen/Qwen3-0.6B --gpus 1")(init)
app.command(epilog="Example: airunway preview dev --format json > dev.json")(preview)
app.command(epilog="Example: airunway diff prod --against origin/main")(diff)
app.command(epilog="Example: airunway comment 12 --against origin/main")(comment)
app.command(epilog="Example: airunway explain llama-70b --stack prod")(explain)
app.command(
    epilog="Example: airunway size llama-70b -s prod --ttft 1000 --tpot 30 --isl 4000 --osl 500 --request-rate 5"
)(size)
app.command(epilog="Example: airunway status dev prod --format json")(status)
app.command(epilog="Example: airunway wait --stack prod llama-70b --timeout 45m")(wait)
app.command(epilog='Example: export OPENAI_BASE_URL="$(airunway endpoint llama-70b --stack prod)"')(endpoint)
app.command(epilog='Example: airunway chat llama-70b "Say hello." --stack prod')(chat)
app.command(epilog="Example: airunway logs llama-70b --stack prod --previous")(logs)
app.command("import", epilog="Example: airunway import prod --ids import.json > entries.yaml")(import_)
app.command(epilog="Example: airunway nodes prod --write stacks/pools.prod.yaml")(nodes)
app.add_typer(policy, name="policy")


@app.command(epilog="Example: airunway select -f llama.yaml --format json")
def select(file: FilesOption, format: FormatOption = Format.TEXT) -> None:
    """Show the engine and provider for ModelDeployment files."""
    from airunway.cli.documents import show_selection

    show_selection(file, format)


@app.command(epilog="Example: kubectl get modeldeployment llama -o yaml | airunway render -f -")
def render(
    name: StackArgument = None,
    stack: StackOption = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="ModelDeployment file, or - for standard input; repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Folder to write the stack's files to.")
    ] = None,
    cwd: ProjectOption = None,
) -> None:
    """Render a stack for GitOps, or ModelDeployment files.

    With --output, writes one file per object of the stack and a kustomization.yaml. With --file, prints the objects of
    the files as YAML.
    """
    if file is not None:
        from airunway.cli.documents import show_objects

        if name is not None or stack is not None or output is not None:
            raise typer.BadParameter("give --file FILE, or --output DIR for a stack, not both", param_hint="--file")
        show_objects(file)
        return
    from airunway.cli.previews import write_stack

    chosen = chosen_stack(name, stack)
    if output is None:
        raise typer.BadParameter(
            f"give the folder to write stack {chosen} to, or --file FILE instead", param_hint="--output"
        )
    write_stack(find_project(cwd), chosen, output)


@app.command(epilog="Example: airunway providers prod")
def providers(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="STACK", help="Show them as this stack configures them.", autocompletion=stacks_to_complete
        ),
    ] = None,
    stack: StackOption = None,
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """List inference providers and their selection rules.

    Shows what each can run, when it is selected and how its operator is installed.
    """
    from airunway.cli.documents import show_providers

    chosen = None if name is None and stack is None else chosen_stack(name, stack)
    show_providers(find_project(cwd) if chosen else None, chosen, format)


@app.command(epilog="Example: airunway rbac prod --service-account ci/deployer | kubectl apply -f -")
def rbac(
    name: StackArgument = None,
    stack: StackOption = None,
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
    operate: Annotated[
        bool, typer.Option("--operate", help="Also allow what the console does with running deployments.")
    ] = False,
    cwd: ProjectOption = None,
) -> None:
    """Print the RBAC objects a service account needs for a stack.

    They grant what `pulumi up` and `pulumi destroy` need and nothing else. Pass rendered Helm charts with --manifests;
    notes on standard error name the missing ones and the commands that render them.
    """
    from airunway.cli.rights import show_rbac

    namespace, slash, account = service_account.partition("/")
    if not (namespace and slash and account):
        raise typer.BadParameter(f"'{service_account}' given, must be NAMESPACE/NAME", param_hint="--service-account")
    charts = [(release, file) for release, _, file in (option.partition("=") for option in manifests or [])]
    if not all(release and file for release, file in charts):
        raise typer.BadParameter("must be RELEASE=FILE, as in my-operator=rendered.yaml", param_hint="--manifests")
    show_rbac(find_project(cwd), chosen_stack(name, stack), (namespace, account), charts, against, operate=operate)


@app.command(epilog="Example: airunway lock --update Qwen/Qwen3-0.6B")
def lock(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if anything is missing or has moved upstream.")
    ] = False,
    update: Annotated[
        list[str] | None,
        typer.Option(
            "--update", metavar="NAME", help="Move this model or image to what is newest under its name; repeatable."
        ),
    ] = None,
    update_all: Annotated[bool, typer.Option("--update-all", help="Move all models and images.")] = False,
    only: Annotated[LockPart | None, typer.Option("--only", help="Lock this part; the other stays as it is.")] = None,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Ask no hub, but the cache that `hf download` fills (HF_HUB_CACHE), and no registry.",
        ),
    ] = False,
    cwd: ProjectOption = None,
) -> None:
    """Lock the models and images of all stacks.

    Writes commits of models and digests of images to stacks/models.lock.yaml. Stacks then deploy these, and `airunway
    diff` says what moved. Only this command asks the hub and the registries: it reads HF_ENDPOINT and HF_TOKEN, and
    logs in as `docker login` did.
    """
    from airunway.cli.lock import LockOptions, check_lock, lock_project

    if check and (update or update_all):
        raise typer.BadParameter("give --check alone", param_hint="--check")
    options, root = LockOptions(update or (), update_all, offline, only), find_project(cwd)
    if check_lock(root, options) if check else not lock_project(root, options):
        raise typer.Exit(1)


@app.command(epilog="Example: airunway console prod")
def console(
    name: StackArgument = None,
    stack: StackOption = None,
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

    serve(find_project(cwd), chosen_stack(name, stack), host, port, browser=browser)


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


def main() -> None:
    """Run the command line.

    Exits with 0 on success, 1 for invalid input, an unreachable cluster or a bug, 2 for wrong usage, and 3 if not all
    deployments run.
    """
    run(lambda: run_app(app))
