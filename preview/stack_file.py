"""Project and stack files as the Pulumi CLI reads them: defaults of the project, values of the stack, secrets left alone."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from providers.problems import InputError, Problem, nearest

# Ten times quicker where PyYAML was built with libyaml, as its wheels are.
SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

SECRET = "[secret]"
"""What stands for a secret's value wherever one would be printed."""


@dataclass(frozen=True)
class StackConfig:
    """A stack's configuration as the program gets it: texts by key, and which of them are secrets."""

    project: str
    stack: str
    values: dict[str, str]
    secrets: tuple[str, ...]


def stack_names(root: Path) -> list[str]:
    """Names of the stacks that have a file."""
    folder = root / _load(root / "Pulumi.yaml").get("stackConfigDir", ".")
    return sorted(found[1] for path in folder.glob("Pulumi.*.yaml") if (found := re.fullmatch(r"Pulumi\.(.+)\.yaml", path.name)))


def stack_path(root: Path, stack: str) -> Path:
    """The file of ``stack`` of the project at ``root``. Raises ``InputError`` where there is none."""
    path: Path = root / _load(root / "Pulumi.yaml").get("stackConfigDir", ".") / f"Pulumi.{stack}.yaml"
    if stack not in stack_names(root):
        raise InputError([Problem("--stack", f"no stack '{stack}' ({path} does not exist); {nearest(stack, stack_names(root))}")])
    return path


def read_stack(root: Path, stack: str, text: str | None = None) -> StackConfig:
    """The configuration of ``stack`` of the project at ``root``, with ``text`` for its file where that is given. Raises ``InputError``."""
    project = _load(root / "Pulumi.yaml")
    path = stack_path(root, stack)
    values: dict[str, str] = {}
    secrets: list[str] = []
    declared = {key: entry["default"] for key, entry in (project.get("config") or {}).items() if "default" in (entry or {})}
    config = _load(path, text).get("config") or {}
    if not isinstance(config, dict):
        raise InputError([Problem(f"{path}: config", "a map is wanted")])
    for key, value in {**declared, **config}.items():
        plain, secret = _revealed(value)
        key = key if ":" in key else f"{project['name']}:{key}"
        values[key] = plain if isinstance(plain, str) else json.dumps(plain)
        if secret:
            secrets.append(key)
    return StackConfig(str(project["name"]), stack, values, tuple(secrets))


def _revealed(value: Any) -> tuple[Any, bool]:
    """``value`` with each encrypted part replaced, and whether there was one."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            # Not the value, only a mark by which another one is told apart.
            return f"{SECRET} {hashlib.sha256(str(value['secure']).encode()).hexdigest()[:12]}", True
        parts = {key: _revealed(inner) for key, inner in value.items()}
        return {key: part for key, (part, _) in parts.items()}, any(secret for _, secret in parts.values())
    if isinstance(value, list):
        elements = [_revealed(inner) for inner in value]
        return [part for part, _ in elements], any(secret for _, secret in elements)
    return value, False


def _load(path: Path, text: str | None = None) -> dict[str, Any]:
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8") if text is None else text, Loader=SafeLoader)  # noqa: S506 - one of the two safe ones
    except OSError as error:
        raise InputError([Problem(str(path), f"can't be read: {error.strerror}")]) from error
    except yaml.YAMLError as error:
        raise InputError([Problem(str(path), f"not YAML: {' '.join(str(error).split())}")]) from error
    if not isinstance(loaded, dict):
        raise InputError([Problem(str(path), "a map is wanted")])
    return loaded
