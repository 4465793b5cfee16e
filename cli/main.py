"""``airunway``: preview a stack without an engine, and select or render ModelDeployment files without a stack."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from providers.problems import InputError

app = typer.Typer(
    name="airunway",
    help="Model deployments on Kubernetes as a Pulumi program: which provider serves which model, and what that takes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """Output formats."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print it.")]
StackOption = Annotated[str, typer.Option("--stack", "-s", help="Stack, as in stacks/Pulumi.STACK.yaml.")]
ProjectOption = Annotated[Path | None, typer.Option("--cwd", "-C", help="Project folder. Default: the nearest one with a Pulumi.yaml.")]
AccountOption = Annotated[str, typer.Option("--service-account", help="Who gets the rights, as NAMESPACE/NAME.")]
FilesOption = Annotated[list[str], typer.Option("--file", "-f", help="ModelDeployment file; - is standard input; repeatable.")]


@app.command(epilog="Example: airunway preview --stack dev --format json > dev.json")
def preview(stack: StackOption = "dev", format: FormatOption = Format.TEXT, cwd: ProjectOption = None) -> None:
    """Show what a stack is: each deployment's provider and why, and the graph of resources. Needs no cluster, state or credentials."""
    from cli.commands import show_preview

    show_preview(project(cwd), stack, format)


@app.command(epilog="Example: airunway select -f llama.yaml --format json")
def select(file: FilesOption, format: FormatOption = Format.TEXT) -> None:
    """Show which engine and provider ModelDeployment documents would get."""
    from cli.commands import show_selection

    show_selection(file, format)


@app.command(epilog="Example: kubectl get modeldeployment llama -o yaml | airunway render -f -")
def render(file: FilesOption) -> None:
    """Print the upstream objects of ModelDeployment documents as YAML."""
    from cli.commands import show_objects

    show_objects(file)


@app.command(epilog="Example: airunway providers --stack prod")
def providers(
    stack: Annotated[str | None, typer.Option("--stack", "-s", help="As this stack has them. Default: the built-in ones.")] = None,
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Show what each inference provider can run, when it is chosen and how its operator is installed."""
    from cli.commands import show_providers

    show_providers(project(cwd) if stack else None, stack, format)


@app.command(epilog="Example: airunway rbac --stack prod --service-account ci/deployer | kubectl apply -f -")
def rbac(
    stack: StackOption = "dev",
    service_account: Annotated[
        str, typer.Option("--service-account", help="Who gets the rights, as NAMESPACE/NAME.")
    ] = "airunway-system/airunway",
    cwd: ProjectOption = None,
) -> None:
    """Print the RBAC objects that let a service account run `pulumi up` and `pulumi destroy` on a stack, and do nothing else."""
    from cli.commands import show_rbac

    namespace, slash, name = service_account.partition("/")
    if not (namespace and slash and name):
        raise typer.BadParameter(f"'{service_account}' given, NAMESPACE/NAME is wanted", param_hint="--service-account")
    show_rbac(project(cwd), stack, (namespace, name))


@app.command(epilog="Example: airunway schema > stacks/stack.schema.json", hidden=True)
def schema() -> None:
    """Print the JSON Schema of stack files."""
    from cli.schema import stack_schema_text

    sys.stdout.write(stack_schema_text())


def project(cwd: Path | None) -> Path:
    """The project folder: ``cwd``, or the nearest one above with a Pulumi.yaml. A usage error where there is none."""
    start = (cwd or Path.cwd()).resolve()
    for folder in [start] if cwd else [start, *start.parents]:
        if (folder / "Pulumi.yaml").exists():
            return folder
    raise typer.BadParameter(
        f"no Pulumi.yaml in {start}" + ("" if cwd else " or above; run it in the project or give --cwd"), param_hint="--cwd"
    )


def main() -> None:
    """Run the command; status 0 fine, 1 input refused, 2 wrong usage."""
    try:
        app()
    except InputError as error:
        from preview.text import console

        out = console(stderr=True)
        for problem in error.problems:
            out.print(f"[red]error:[/red] {_escaped(str(problem))}", soft_wrap=True)
        count = len(error.problems)
        out.print(f"{count} problem{'s' * (count > 1)} found; nothing was done.")
        sys.exit(1)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
