"""What a deployment may do only where the stack allows it: leave its pod's isolation, or use a namespace of the system.

A guard rail, not a boundary: who writes a deployment may often write the stack's settings too. It makes them say so.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from airunway.planning.catalog import provider_settings
from airunway.planning.image_build import NAMESPACE
from airunway.planning.settings import InstallationMode, StackSettings
from airunway.provider.overrides import PREFIX
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.entry import DeploymentEntry
from airunway.text.problems import Problem, join, suggest_name
from airunway.text.yaml_reading import load_data

_OVERRIDES, _NAMESPACES = "allowed.overrides", "allowed.namespaces"


@cache
def guarded() -> dict[str, tuple[str, ...]]:
    """Keys of overrides, and namespaces, that a stack has to allow."""
    return {name: tuple(values) for name, values in load_data(Path(__file__).with_suffix(".yaml")).items()}


def allowed_problems(settings: StackSettings) -> Iterator[Problem]:
    """A problem for each override in the settings that is allowed anyway."""
    for index, key in enumerate(settings.allowed.overrides):
        if key not in guarded()["overrides"]:
            hint = suggest_name(key, guarded()["overrides"])
            yield Problem(f"{_OVERRIDES}[{index}]", f"no guarded key '{key}'; {hint}")


def isolation_problems(
    entry: DeploymentEntry, settings: StackSettings, configs: Sequence[InferenceProviderConfig]
) -> Iterator[Problem]:
    """A problem for each guarded key in the overrides, and for a reserved namespace, that the stack does not allow."""
    for field, key in _guarded_keys(entry.provider.overrides, PREFIX):
        if key not in settings.allowed.overrides:
            reason = f"can't be overridden for security reasons, unless airunway:{_OVERRIDES} lists {key}"
            yield Problem(field, reason)
    namespace = entry.namespace or settings.namespace
    if namespace in _reserved(settings, configs) and namespace not in settings.allowed.namespaces:
        reason = f"'{namespace}' is reserved for the system, unless airunway:{_NAMESPACES} lists it"
        yield Problem("namespace", reason)


def isolation_warnings(entry: DeploymentEntry, settings: StackSettings) -> Iterator[str]:
    """A warning for each guarded key in the overrides that the stack allows."""
    for field, key in _guarded_keys(entry.provider.overrides, PREFIX):
        if key in settings.allowed.overrides:
            yield f"{field}: allowed by airunway:{_OVERRIDES}"


def _guarded_keys(value: Any, field: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from _guarded_keys(element, f"{field}[{index}]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in guarded()["overrides"]:
                yield join(field, str(key)), key
            else:
                yield from _guarded_keys(inner, join(field, str(key)))


def _reserved(settings: StackSettings, configs: Sequence[InferenceProviderConfig]) -> set[str]:
    installed = {
        chart.namespace
        for config in configs
        if provider_settings(settings, config.name).installation is InstallationMode.MANAGED
        for chart in config.spec.installation.helm_charts
    }
    return {*guarded()["namespaces"], NAMESPACE, *filter(None, installed)}
