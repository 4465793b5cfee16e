"""Project and stack files as the Pulumi CLI reads them: defaults of the project, values of the stack, secrets left
alone.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airunway.text.config_text import config_text
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.yaml_reading import StackLoader, read_document

SECRET = "[secret]"
"""What stands for a secret's value wherever one would be printed."""
_MARK = re.compile(rf"{re.escape(SECRET)} [0-9a-f]{{12}}")


@dataclass(frozen=True)
class StackConfig:
    """A stack's configuration as the program gets it: texts by key, and which of them are secrets."""

    project: str
    stack: str
    values: dict[str, str]
    secrets: tuple[str, ...]

    @property
    def without_secrets(self) -> dict[str, str]:
        """The texts, each secret in them empty: how long one is, only Pulumi knows."""
        return {key: _MARK.sub("", text) for key, text in self.values.items()}


@dataclass(frozen=True)
class _Project:
    """What ``Pulumi.yaml`` says: ``folder`` has the stack files, ``declared`` the settings of every stack."""

    name: str
    folder: Path
    declared: dict[str, Any]

    @property
    def stacks(self) -> list[str]:
        """Names of the stacks that have a file."""
        found = (re.fullmatch(r"Pulumi\.(.+)\.yaml", path.name) for path in self.folder.glob("Pulumi.*.yaml"))
        return sorted(match[1] for match in found if match)

    def path(self, stack: str) -> Path:
        """The file of ``stack``. Raises ``InputError`` where there is none."""
        path, names = self.folder / f"Pulumi.{stack}.yaml", self.stacks
        if stack not in names:
            others = suggest_name(stack, names) if names else "there is none"
            raise InputError([Problem("--stack", f"no stack '{stack}' ({path} does not exist); {others}")])
        return path


def _project(root: Path) -> _Project:
    path = root / "Pulumi.yaml"
    content = _load(path)
    name, folder, config = content.get("name"), content.get("stackConfigDir") or ".", content.get("config") or {}
    wrong = [
        Problem(f"{path}: {key}", f"must be {wanted}")
        for key, value, wanted, kind in (
            ("name", name, "text", str),
            ("stackConfigDir", folder, "text", str),
            ("config", config, "a map", dict),
        )
        if not isinstance(value, kind)
    ]
    if wrong:
        raise InputError(wrong)
    declared: dict[str, Any] = {}
    for key, entry in config.items():
        # Declared with a type and a default, or set in short for every stack.
        given = [entry[part] for part in ("value", "default") if part in entry] if isinstance(entry, dict) else [entry]
        declared |= {key: given[0]} if given else {}
    return _Project(str(name), root / str(folder), declared)


def stack_names(root: Path) -> list[str]:
    """Names of the stacks that have a file."""
    return _project(root).stacks


def stack_path(root: Path, stack: str) -> Path:
    """The file of ``stack`` of the project at ``root``. Raises ``InputError`` where there is none."""
    return _project(root).path(stack)


def read_stack(root: Path, stack: str, text: str | None = None) -> StackConfig:
    """The configuration of ``stack`` of the project at ``root``, with ``text`` for its file where that is given. Raises
    ``InputError``.
    """
    project = _project(root)
    path = project.path(stack)
    values: dict[str, str] = {}
    secrets: list[str] = []
    config = _load(path, text).get("config") or {}
    if not isinstance(config, dict):
        raise InputError([Problem(f"{path}: config", "must be a map")])
    for key, value in {**project.declared, **config}.items():
        plain, secret = _revealed(value)
        key = key if ":" in key else f"{project.name}:{key}"
        values[key] = plain if isinstance(plain, str) else "" if plain is None else config_text(plain)
        if secret:
            secrets.append(key)
    return StackConfig(project.name, stack, values, tuple(secrets))


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
        loaded = read_document(path.read_text(encoding="utf-8") if text is None else text, str(path), StackLoader)
    except OSError as error:
        raise InputError([Problem(str(path), f"can't be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(str(path), f"not UTF-8: {error.reason} at byte {error.start}")]) from error
    if not isinstance(loaded, dict):
        raise InputError([Problem(str(path), "must be a map")])
    return loaded
