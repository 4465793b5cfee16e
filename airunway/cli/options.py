"""Options that several commands share, and the formats that they print in."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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
PreviewFormatOption = Annotated[
    PreviewFormat, typer.Option("--format", help="How to print it; html is one page that needs no network.")
]
StackOption = Annotated[str, typer.Option("--stack", "-s", help="Stack, as in stacks/Pulumi.STACK.yaml.")]
ProjectOption = Annotated[
    Path | None, typer.Option("--cwd", "-C", help="Project folder. Default: the nearest one with a Pulumi.yaml.")
]
AccountOption = Annotated[str, typer.Option("--service-account", help="Who gets the rights, as NAMESPACE/NAME.")]
ManifestsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--manifests",
        metavar="RELEASE=FILE",
        help="What `helm template` prints for a release; - is standard input; repeatable.",
    ),
]
NameArgument = Annotated[str, typer.Argument(help="Deployment of the stack.")]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Local port of --port-forward. Default: a free one.")
]
FilesOption = Annotated[
    list[str], typer.Option("--file", "-f", help="ModelDeployment file; - is standard input; repeatable.")
]
