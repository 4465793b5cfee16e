"""The project that the console edits: its stacks, their plans, and unsaved changes of their files."""

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from airunway.assessment.assessment import Assessment
from airunway.console import stack_edit
from airunway.console.check import Context
from airunway.console.file_edit import FileEdit, read_text
from airunway.planning.catalog import provider_configs
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.entries import Entry, read_entries
from airunway.planning.locked_models import read_lock
from airunway.planning.plan import Plan, has_operator
from airunway.planning.settings import InstallationMode, ProviderSettings, StackSettings
from airunway.program.entry_texts import entry_texts
from airunway.program.stack_assessment import assess_stack
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
"""States of a provider in a stack, with their labels."""


@dataclass(frozen=True)
class Provider:
    """A provider in a stack: its ``state``, its deployments, and whether it has an operator."""

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
        """Names of all stacks."""
        return stack_names(self.root)

    def path(self, stack: str) -> Path:
        """Return the stack's file. Raises ``InputError`` for an unknown stack."""
        return stack_path(self.root, stack)

    def plan(self, stack: str) -> Plan:
        """Plan the stack. Raises ``InputError``."""
        return stack_plan(self.root, stack)

    def plan_after(self, stack: str, edit: FileEdit) -> Plan:
        """Plan the stack as it would be after ``edit``. Raises ``InputError``."""
        if edit.name is not None:
            return stack_plan(self.root, stack, edited={edit.name: edit.after})
        return stack_plan(self.root, stack, edit.after)

    def check(self, stack: str, edit: FileEdit) -> None:
        """Raise ``InputError`` if the stack would be invalid after ``edit``."""
        self.plan_after(stack, edit)
        if edit.name is not None:
            return
        sizes = [
            environment_size(read_stack(self.root, stack, text).without_secrets) for text in (edit.before, edit.after)
        ]
        if sizes[1] > sizes[0]:  # a change that makes it smaller may be saved even if it is still too large
            check_size(read_stack(self.root, stack, edit.after).without_secrets)

    def entries(self, stack: str) -> dict[str, Entry]:
        """Return the editable deployments by name, valid or not; of duplicate names, the first."""
        return {name: entry for name, entry in self._all_entries(stack).items() if not entry.location.document}

    def _all_entries(self, stack: str) -> dict[str, Entry]:
        settings, files = stack_settings(self.root, stack)
        entries, _ = read_entries(settings, files)
        named: dict[str, Entry] = {}
        for entry in entries:
            if entry.name is not None:
                named.setdefault(entry.name, entry)
        return named

    def file_of(self, stack: str, name: str) -> Path | None:
        """The file that a deployment is written in, editable or not; None if there is none of that name.

        It may be ``Pulumi.yaml``, whose settings are those of each stack that does not have its own. Raises
        ``InputError``.
        """
        entry = self._all_entries(stack).get(name)
        if entry is None:
            return None
        if file := entry.location.file or entry.location.manifest:
            return self.root / file
        path = self.path(stack)
        return path if name in (entry_texts(read_text(path)) or {}) else self.root / "Pulumi.yaml"

    def digest(self, stack: str) -> str:
        """A digest of what the stack's files say; other files, other text, another digest. Raises ``InputError``."""
        _, files = stack_settings(self.root, stack)
        own = self.path(stack).read_bytes()
        return hashlib.sha256(own + repr(sorted(files.texts.items())).encode()).hexdigest()

    def files(self, stack: str) -> list[str]:
        """Return the paths of the stack's deployment files in the project. Raises ``InputError``."""
        settings, files = stack_settings(self.root, stack)
        return list(files.select_texts("deploymentFiles", settings.deployment_files)[0])

    def other_stacks(self, stack: str, file: str) -> list[str]:
        """Return other stacks that use the same deployment file; skip unreadable ones."""
        names = []
        for other_stack in self.stacks:
            with contextlib.suppress(InputError):
                names += [other_stack] if other_stack != stack and file in self.files(other_stack) else []
        return names

    def context(self, stack: str) -> Context:
        """Return the context that the stack's forms are checked in. Raises ``InputError``."""
        lock, _ = read_lock(stack_settings(self.root, stack)[1])  # what is wrong with it is told with the plan
        return Context(
            replace(stack_target(self.root, stack), lock=lock),
            {name: entry.location.path for name, entry in self._all_entries(stack).items()},
        )

    def assessment(
        self, stack: str, settings: StackSettings, edited: PlannedDeployment, replacing: str | None
    ) -> Assessment:
        """Assess the stack with a deployment that is being edited; empty while the rest of the stack is invalid.

        ``settings`` are the stack's: where they have nothing to assess it by, and nothing is known of the model, the
        stack is not planned.
        """
        if not settings.is_assessed and edited.locked is None:
            return Assessment()
        try:
            plan = self.plan(stack)
        except InputError:
            return Assessment()
        others = tuple(d for d in plan.deployments if d.name not in (replacing, edited.name))
        return assess_stack(self.root, stack, replace(plan, deployments=(*others, edited)))

    def providers(self, stack: str) -> list[Provider]:
        """Return all providers, including disabled ones. Raises ``InputError``."""
        settings, files = stack_settings(self.root, stack)
        provider_map = {
            name: values.model_copy(update={"enabled": True}) for name, values in settings.providers.items()
        }
        configs = provider_configs(settings.model_copy(update={"providers": provider_map}), files, PROVIDERS)
        serves: dict[str, list[str]] = {}
        for planned in self.plan(stack).deployments:
            serves.setdefault(planned.request.selection.provider, []).append(planned.name)
        return [
            Provider(c, _state(settings, c.name), tuple(serves.get(c.name, ())), has_operator(c, PROVIDERS))
            for c in configs
        ]

    def plan_edit(self, stack: str, change: Mapping[str, Any]) -> FileEdit:
        """Apply ``change`` to the text of its file. Raises ``InputError`` for an invalid change."""
        match change:
            case {"kind": "deployment", "entry": dict(entry), "replacing": str(name)}:
                return self._edit(stack, self._file_of(stack, name), stack_edit.with_deployment, entry, name)
            case {"kind": "deployment", "entry": dict(entry), "replacing": None}:
                return self._edit(
                    stack, self._checked_file(stack, change.get("file")), stack_edit.with_deployment, entry, None
                )
            case {"kind": "remove", "name": str(name)}:
                return self._edit(stack, self._file_of(stack, name), stack_edit.without_deployment, name)
            case {"kind": "provider", "name": str(name), "state": str(state)} if state in STATES:
                if name not in {p.config.name for p in self.providers(stack)}:
                    raise InputError([Problem("provider", f"no provider {name!r}")])
                path = self.path(stack)
                text = read_text(path)
                return FileEdit(path, None, text, stack_edit.with_provider(text, name, state))
        raise InputError([Problem("change", "is not a change that the console makes")])

    def _edit(self, stack: str, file: str | None, change: Callable[..., str], *arguments: Any) -> FileEdit:
        path = self.path(stack) if file is None else self.root / file
        text = read_text(path)
        return FileEdit(path, file, text, change(text, *arguments, file))

    def _file_of(self, stack: str, name: str) -> str | None:
        """Return the deployment file of an entry, or None for the stack file."""
        entry = self.entries(stack).get(name)
        return entry.location.file if entry else None

    def _checked_file(self, stack: str, file: Any) -> str | None:
        """Return the file for a new entry. Raises ``InputError`` if it is not one of the stack's files."""
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
    provider_settings = settings.providers.get(name, ProviderSettings())
    return provider_settings.installation if provider_settings.enabled else stack_edit.OFF
