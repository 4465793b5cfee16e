"""Resource names of kinds, as the API and RBAC use them, from a table."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import load_data


def table() -> dict[str, dict[str, str]]:
    """Return resource names by API group and kind."""
    return load_data(Path(__file__).with_name("resources.yaml"))


@cache
def _by_kind() -> dict[str, str]:
    return {kind: name for kinds in table().values() for kind, name in kinds.items()}


def plural(kind: str, defined: Mapping[str, str] | None = None) -> str:
    """Return the resource name of ``kind``, from ``defined`` or the table. Raises ``InputError`` if unknown."""
    name = (defined or {}).get(kind) or _by_kind().get(kind)
    if name is None:
        fix = "list its CustomResourceDefinition in airunway:controller.manifests"
        raise InputError([Problem(f"kind {kind}", f"its resource name is unknown, so no RBAC rule can name it; {fix}")])
    return name


def defined_names(manifests: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return resource names by kind, from the CustomResourceDefinitions among ``manifests``."""
    specs = [m.get("spec") for m in manifests if m.get("kind") == "CustomResourceDefinition"]
    names = [spec.get("names") for spec in specs if isinstance(spec, Mapping)]
    pairs = [(n.get("kind"), n.get("plural")) for n in names if isinstance(n, Mapping)]
    return {kind: name for kind, name in pairs if isinstance(kind, str) and isinstance(name, str)}
