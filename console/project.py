"""The project that the console edits: its stacks, what they plan, and changes of their files before they are saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console import stack_edit
from console.check import Context
from preview.stack_file import stack_names, stack_path
from preview.stack_plan import stack_plan, stack_settings, stack_target
from providers.plan import Plan, provider_configs
from providers.problems import InputError, Problem
from providers.provider_config import InferenceProviderConfig
from providers.stack import ProviderSettings, StackSettings

STATES = ("managed", "existing", stack_edit.OFF)
"""What a provider can be in a stack."""


@dataclass(frozen=True)
class Provider:
    """One provider as a stack has it: its ``state``, and the deployments that it serves."""

    config: InferenceProviderConfig
    state: str
    deployments: tuple[str, ...]


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

    def text(self, stack: str) -> str:
        """What the stack's file holds."""
        return self.path(stack).read_text(encoding="utf-8")

    def plan(self, stack: str, text: str | None = None) -> Plan:
        """The stack's plan, as if its file held ``text`` where that is given. Raises ``InputError``."""
        return stack_plan(self.root, stack, text)

    def entries(self, stack: str) -> dict[str, dict[str, Any]]:
        """The deployments that stand in the stack's file, by name, whether or not they are right."""
        settings, _ = stack_settings(self.root, stack)
        return _entries(settings)

    def context(self, stack: str) -> Context:
        """What a form for the stack is checked against. Raises ``InputError``."""
        target = stack_target(self.root, stack)
        return Context(target, frozenset(_entries(target.settings)))

    def providers(self, stack: str) -> list[Provider]:
        """Every provider, those that are off included. Raises ``InputError``."""
        settings, files = stack_settings(self.root, stack)
        on = {name: given.model_copy(update={"enabled": True}) for name, given in settings.providers.items()}
        configs, problems = provider_configs(settings.model_copy(update={"providers": on}), files)
        if problems:
            raise InputError(problems)
        serves: dict[str, list[str]] = {}
        for planned in self.plan(stack).deployments:
            serves.setdefault(planned.deployment.selection.provider, []).append(planned.name)
        return [Provider(c, _state(settings, c.name), tuple(serves.get(c.name, ()))) for c in configs]

    def changed(self, stack: str, change: Mapping[str, Any]) -> str:
        """The text of the stack's file after ``change``. Raises ``InputError`` for one that is none or that can't be made."""
        text = self.text(stack)
        match change:
            case {"kind": "deployment", "entry": dict(entry), "replacing": str() | None as replacing}:
                return stack_edit.with_deployment(text, entry, replacing)
            case {"kind": "remove", "name": str(name)}:
                return stack_edit.without_deployment(text, name)
            case {"kind": "provider", "name": str(name), "state": str(state)} if state in STATES:
                if name not in {p.config.name for p in self.providers(stack)}:
                    raise InputError([Problem("provider", f"no provider {name!r}")])
                return stack_edit.with_provider(text, name, state)
        raise InputError([Problem("change", "is not one that the console makes")])


def _entries(settings: StackSettings) -> dict[str, dict[str, Any]]:
    return {str(e["name"]): e for e in settings.deployments if isinstance(e, dict) and e.get("name")}


def _state(settings: StackSettings, name: str) -> str:
    given = settings.providers.get(name, ProviderSettings())
    return given.installation if given.enabled else stack_edit.OFF
