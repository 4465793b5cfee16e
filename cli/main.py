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
    """Output formats of most commands."""

    TEXT = "text"
    JSON = "json"


class PreviewFormat(StrEnum):
    """Output formats of previews and differences."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    MERMAID = "mermaid"
    HTML = "html"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print it.")]
PreviewFormatOption = Annotated[PreviewFormat, typer.Option("--format", help="How to print it; html is one page that needs no network.")]
StackOption = Annotated[str, typer.Option("--stack", "-s", help="Stack, as in stacks/Pulumi.STACK.yaml.")]
ProjectOption = Annotated[Path | None, typer.Option("--cwd", "-C", help="Project folder. Default: the nearest one with a Pulumi.yaml.")]
AccountOption = Annotated[str, typer.Option("--service-account", help="Who gets the rights, as NAMESPACE/NAME.")]
FilesOption = Annotated[list[str], typer.Option("--file", "-f", help="ModelDeployment file; - is standard input; repeatable.")]


@app.command(epilog="Example: airunway preview --stack dev --format json > dev.json")
def preview(stack: StackOption = "dev", format: PreviewFormatOption = PreviewFormat.TEXT, cwd: ProjectOption = None) -> None:
    """Show what a stack is: each deployment's provider and why, and the graph of resources. Needs no cluster, state or credentials."""
    from cli.previews import show_preview

    show_preview(project(cwd), stack, format)


@app.command(epilog="Example: airunway diff --stack prod --against origin/main")
def diff(
    stack: Annotated[str | None, typer.Option("--stack", "-s", help="Stack, as in stacks/Pulumi.STACK.yaml.")] = None,
    all_stacks: Annotated[bool, typer.Option("--all", help="Every stack, here and there.")] = False,
    against: Annotated[str, typer.Option("--against", help="Git revision, or a file that `preview --format json` wrote.")] = "HEAD",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if anything changes, as git diff does.")] = False,
    format: PreviewFormatOption = PreviewFormat.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Show what changes and why: decisions, operators, and resources field by field. Needs no cluster, state or credentials."""
    from cli.previews import show_difference

    if (stack is None) != all_stacks:
        raise typer.BadParameter("give --stack NAME or --all, one of the two", param_hint="--stack")
    if show_difference(project(cwd), stack, against, format) and exit_code:
        raise typer.Exit(1)


@app.command(epilog="Example: airunway explain llama-70b --stack prod")
def explain(
    name: Annotated[str, typer.Argument(help="Deployment of the stack.")],
    stack: StackOption = "dev",
    format: FormatOption = Format.TEXT,
    cwd: ProjectOption = None,
) -> None:
    """Show why a deployment has its provider: every provider, every rule and its value, and the spec that the rules saw."""
    from cli.previews import show_explanation

    show_explanation(project(cwd), stack, name, format)


@app.command(epilog="Example: airunway select -f llama.yaml --format json")
def select(file: FilesOption, format: FormatOption = Format.TEXT) -> None:
    """Show which engine and provider ModelDeployment documents would get."""
    from cli.commands import show_selection

    show_selection(file, format)


@app.command(epilog="Example: kubectl get modeldeployment llama -o yaml | airunway render -f -")
def render(
    file: Annotated[list[str] | None, typer.Option("--file", "-f", help="ModelDeployment file; - is standard input; repeatable.")] = None,
    stack: Annotated[str | None, typer.Option("--stack", "-s", help="A whole stack, as files for GitOps; with --output.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for the stack's files.")] = None,
    cwd: ProjectOption = None,
) -> None:
    """Print the upstream objects of ModelDeployment documents as YAML, or write those of a stack as files for GitOps."""
    if (file is None) == (stack is None) or (stack is None) != (output is None):
        raise typer.BadParameter("give --file FILE, or --stack NAME with --output DIR", param_hint="--file")
    if file is not None:
        from cli.commands import show_objects

        show_objects(file)
    elif stack is not None and output is not None:
        from cli.previews import write_stack

        write_stack(project(cwd), stack, output)


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
    from cli.previews import show_rbac

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
