"""The project that the console edits: its stacks, what they plan, and changes of their files before they are saved."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airunway.console import stack_edit
from airunway.console.check import Context
from airunway.console.file_edit import FileEdit, read
from airunway.planning.catalog import provider_configs
from airunway.planning.entries import Entry, read_entries
from airunway.planning.plan import Plan, has_operator
from airunway.planning.settings import InstallationMode, ProviderSettings, StackSettings
from airunway.program.stack_file import read_stack, stack_names, stack_path
from airunway.program.stack_plan import stack_plan, stack_settings, stack_target
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.text.config_text import check_size, environment_size
from airunway.text.problems import InputError, Problem, format_value, suggest_name
from providers import PROVIDERS

STATES = {
    InstallationMode.MANAGED: "install it",
    InstallationMode.EXISTING: "it is there",
    stack_edit.OFF: "never choose it",
}
"""What a provider can be in a stack, each in words that say what to do about it."""


@dataclass(frozen=True)
class Provider:
    """One provider as a stack has it: its ``state``, the deployments that it serves, and whether it takes an
    operator.
    """

    config: InferenceProviderConfig
    state: str
    deployments: tuple[str, ...]
    operator: bool


class Project:
    """The project in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def stacks(self) -> list[str]:
        """Names of the stacks."""
        return stack_names(self.root)

    def path(self, stack: str) -> Path:
        """The stack's file. Raises ``InputError`` where there is no such stack."""
        return stack_path(self.root, stack)

    def plan(self, stack: str) -> Plan:
        """The stack's plan. Raises ``InputError``."""
        return stack_plan(self.root, stack)

    def check(self, stack: str, edit: FileEdit) -> None:
        """Raise ``InputError`` where the stack would not be right after ``edit``."""
        if edit.name is not None:
            stack_plan(self.root, stack, changed={edit.name: edit.after})
            return
        stack_plan(self.root, stack, edit.after)
        sizes = [
            environment_size(read_stack(self.root, stack, text).without_secrets) for text in (edit.before, edit.after)
        ]
        if sizes[1] > sizes[0]:  # what makes it smaller may be saved though it is too large still
            check_size(read_stack(self.root, stack, edit.after).without_secrets)

    def entries(self, stack: str) -> dict[str, Entry]:
        """The deployments that can be edited, by name, whether or not they are right; of two with one name the
        first.
        """
        return {name: entry for name, entry in self._all_entries(stack).items() if not entry.location.document}

    def _all_entries(self, stack: str) -> dict[str, Entry]:
        settings, files = stack_settings(self.root, stack)
        entries, _ = read_entries(settings, files)
        named: dict[str, Entry] = {}
        for entry in entries:
            if entry.name is not None:
                named.setdefault(entry.name, entry)
        return named

    def files(self, stack: str) -> list[str]:
        """The stack's deployment files, by their paths in the project. Raises ``InputError``."""
        settings, files = stack_settings(self.root, stack)
        return list(files.select_texts("deploymentFiles", settings.deployment_files)[0])

    def others(self, stack: str, file: str) -> list[str]:
        """Other stacks that read a deployment file too; one that can't be read itself is passed over."""
        names = []
        for other in self.stacks:
            with contextlib.suppress(InputError):
                names += [other] if other != stack and file in self.files(other) else []
        return names

    def context(self, stack: str) -> Context:
        """What a form for the stack is checked against. Raises ``InputError``."""
        return Context(
            stack_target(self.root, stack),
            {name: entry.location.path for name, entry in self._all_entries(stack).items()},
        )

    def providers(self, stack: str) -> list[Provider]:
        """Every provider, those that are off included. Raises ``InputError``."""
        settings, files = stack_settings(self.root, stack)
        on = {name: given.model_copy(update={"enabled": True}) for name, given in settings.providers.items()}
        configs = provider_configs(settings.model_copy(update={"providers": on}), files, PROVIDERS)
        serves: dict[str, list[str]] = {}
        for planned in self.plan(stack).deployments:
            serves.setdefault(planned.request.selection.provider, []).append(planned.name)
        return [
            Provider(c, _state(settings, c.name), tuple(serves.get(c.name, ())), has_operator(c, PROVIDERS))
            for c in configs
        ]

    def edited(self, stack: str, change: Mapping[str, Any]) -> FileEdit:
        """What ``change`` makes of the file that it is about. Raises ``InputError`` for one that is none or that can't
        be made.
        """
        match change:
            case {"kind": "deployment", "entry": dict(entry), "replacing": str(name)}:
                return self._edit(stack, self._file_of(stack, name), stack_edit.with_deployment, entry, name)
            case {"kind": "deployment", "entry": dict(entry), "replacing": None}:
                return self._edit(
                    stack, self._chosen(stack, change.get("file")), stack_edit.with_deployment, entry, None
                )
            case {"kind": "remove", "name": str(name)}:
                return self._edit(stack, self._file_of(stack, name), stack_edit.without_deployment, name)
            case {"kind": "provider", "name": str(name), "state": str(state)} if state in STATES:
                if name not in {p.config.name for p in self.providers(stack)}:
                    raise InputError([Problem("provider", f"no provider {name!r}")])
                path = self.path(stack)
                text = read(path)
                return FileEdit(path, None, text, stack_edit.with_provider(text, name, state))
        raise InputError([Problem("change", "is not one that the console makes")])

    def _edit(self, stack: str, file: str | None, change: Callable[..., str], *arguments: Any) -> FileEdit:
        path = self.path(stack) if file is None else self.root / file
        text = read(path)
        return FileEdit(path, file, text, change(text, *arguments, file))

    def _file_of(self, stack: str, name: str) -> str | None:
        """The deployment file that an entry stands in, or None for the stack file."""
        entry = self.entries(stack).get(name)
        return entry.location.file if entry else None

    def _chosen(self, stack: str, file: Any) -> str | None:
        """A file that a new entry is to stand in; only files of the stack can be chosen."""
        if file and file not in self.files(stack):
            raise InputError(
                [
                    Problem(
                        "file",
                        f"{format_value(file)} is no deployment file of stack {stack};"
                        f" {suggest_name(str(file), self.files(stack))}",
                    )
                ]
            )
        return file or None


def _state(settings: StackSettings, name: str) -> str:
    given = settings.providers.get(name, ProviderSettings())
    return given.installation if given.enabled else stack_edit.OFF
