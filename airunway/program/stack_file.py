"""Read project and stack files as the Pulumi CLI does, without decrypting secrets."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airunway.text.bounded_files import MAX_STACK, UnreadableFileError, read_text_file
from airunway.text.config_text import config_text
from airunway.text.placeholders import ENCRYPTED, encrypted_placeholder
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.yaml_reading import StackLoader, read_document

_STACK_KEYS = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")
"""Keys of a stack file (Pulumi's ProjectStack, 3.259)."""


@dataclass(frozen=True)
class StackConfig:
    """A stack's configuration as the program receives it: texts by key, and the keys of secrets."""

    project: str
    stack: str
    values: dict[str, str]
    secrets: tuple[str, ...]

    @property
    def without_secrets(self) -> dict[str, str]:
        """The texts with empty secrets, whose length only Pulumi knows."""
        return {key: ENCRYPTED.sub("", text) for key, text in self.values.items()}


@dataclass(frozen=True)
class _Project:
    """A ``Pulumi.yaml``: ``folder`` contains the stack files, ``declared`` the project's default settings."""

    name: str
    folder: Path
    declared: dict[str, Any]

    @property
    def stacks(self) -> list[str]:
        """Return the names of all stacks."""
        matches = (re.fullmatch(r"Pulumi\.(.+)\.yaml", path.name) for path in self.folder.glob("Pulumi.*.yaml"))
        return sorted(match[1] for match in matches if match)

    def path(self, stack: str) -> Path:
        """Return the file of ``stack``. Raises ``InputError`` if there is none."""
        path, names = self.folder / f"Pulumi.{stack}.yaml", self.stacks
        if stack not in names:
            hint = suggest_name(stack, names) if names else "the project has no stacks"
            raise InputError([Problem("--stack", f"no stack '{stack}' ({path} does not exist); {hint}")])
        return path


def _project(root: Path) -> _Project:
    path = root / "Pulumi.yaml"
    content = _read_map(path)
    name, folder, config = content.get("name"), content.get("stackConfigDir") or ".", content.get("config") or {}
    problems = [
        Problem(f"{path}: {key}", f"must be {expected}")
        for key, value, expected, kind in (
            ("name", name, "text", str),
            ("stackConfigDir", folder, "text", str),
            ("config", config, "a map", dict),
        )
        if not isinstance(value, kind)
    ]
    if problems:
        raise InputError(problems)
    declared: dict[str, Any] = {}
    for key, entry in config.items():
        # Either a declaration with a default, or a plain value for every stack.
        values = [entry[part] for part in ("value", "default") if part in entry] if isinstance(entry, dict) else [entry]
        declared |= {key: values[0]} if values else {}
    return _Project(str(name), root / str(folder), declared)


def stack_names(root: Path) -> list[str]:
    """Return the names of all stacks."""
    return _project(root).stacks


def stack_path(root: Path, stack: str) -> Path:
    """Return the file of ``stack`` in the project at ``root``. Raises ``InputError`` if there is none."""
    return _project(root).path(stack)


def read_stack(root: Path, stack: str, text: str | None = None) -> StackConfig:
    """Read the configuration of ``stack``, or that in ``text`` if given. Raises ``InputError``."""
    project = _project(root)
    path = project.path(stack)
    values: dict[str, str] = {}
    secrets: list[str] = []
    content = _read_map(path, text)
    if misplaced := [str(key) for key in content if key not in _STACK_KEYS]:
        raise InputError([_misplaced(path, key, project.name) for key in misplaced])
    config = content.get("config") or {}
    if not isinstance(config, dict):
        raise InputError([Problem(f"{path}: config", "must be a map")])
    for key, value in {**project.declared, **config}.items():
        masked, secret = _mask_secrets(value)
        key = key if ":" in key else f"{project.name}:{key}"
        values[key] = masked if isinstance(masked, str) else "" if masked is None else config_text(masked)
        if secret:
            secrets.append(key)
    return StackConfig(project.name, stack, values, tuple(secrets))


def _misplaced(path: Path, key: str, project: str) -> Problem:
    """What is wrong with a key beside ``config:``, which the Pulumi CLI passes over (3.259)."""
    setting = key if ":" in key else f"{project}:{key}"
    message = f"stands beside config:, where nobody reads it; write {setting} below config:"
    return Problem(f"{path}: {key}", f"{message}, or one of {', '.join(_STACK_KEYS)}")


def _mask_secrets(value: Any) -> tuple[Any, bool]:
    """Replace each encrypted part of ``value`` with a digest; return whether there was one."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            # Not the value, only a digest that shows whether it changed.
            return encrypted_placeholder(hashlib.sha256(str(value["secure"]).encode()).hexdigest()), True
        parts = {key: _mask_secrets(inner) for key, inner in value.items()}
        return {key: part for key, (part, _) in parts.items()}, any(secret for _, secret in parts.values())
    if isinstance(value, list):
        elements = [_mask_secrets(inner) for inner in value]
        return [part for part, _ in elements], any(secret for _, secret in elements)
    return value, False


def _read_map(path: Path, text: str | None = None) -> dict[str, Any]:
    try:
        content = read_document(read_text_file(path, MAX_STACK) if text is None else text, str(path), StackLoader)
    except UnreadableFileError as error:
        raise InputError([Problem(str(path), str(error))]) from error
    if not isinstance(content, dict):
        raise InputError([Problem(str(path), "must be a map")])
    return content
