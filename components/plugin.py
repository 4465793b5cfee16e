"""The components as a Pulumi provider plugin: its schema, and its errors."""

import json
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pulumi
from pulumi.provider import ConstructResult
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError

from airunway.text.descriptions import with_one_line_paragraphs
from components.arguments import ArgumentError
from components.model_deployment import ModelDeployment
from components.model_serving import ModelServing

PACKAGE = "airunway"
"""Name of the package, and first part of its type tokens."""


class Plugin(ComponentProvider):
    """Hosts ``ModelDeployment`` and ``ModelServing``."""

    def __init__(self, version: str) -> None:
        super().__init__([ModelDeployment, ModelServing], PACKAGE, version=version)
        # Pulumi keeps the indentation of docstrings (3.259, analyzer.py).
        self.schema = json.dumps(with_one_line_paragraphs(json.loads(self.schema or "{}")))

    def construct(
        self, name: str, resource_type: str, inputs: pulumi.Inputs, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Create a component, reporting invalid arguments by property path."""
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if not isinstance(error.inner, ArgumentError):
                raise
            problems: Any = [{"property_path": p.field, "reason": p.message} for p in error.inner.problems]
            raise pulumi.InputPropertiesError(f"{name} has invalid arguments", problems) from error


def plugin() -> Plugin:
    """Create the plugin with the version of the installed or checked-out release."""
    return Plugin(_version())


def schema() -> str:
    """Return the package's schema as stored in ``components/schema.json``."""
    return json.dumps(json.loads(plugin().schema or "{}"), indent=2, sort_keys=True) + "\n"


def _version() -> str:
    project = Path(__file__).resolve().parents[1] / "pyproject.toml"
    if project.exists():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "0.0.0"
