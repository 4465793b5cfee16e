"""A stack's configuration, read from Pulumi."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime.config as runtime_config
from pydantic import TypeAdapter

from airunway.planning.catalog import provider_configs
from airunway.planning.deployment import PlanContext
from airunway.planning.files import Files
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.planning.settings import PASSWORD_SETTING, SECRET_SETTINGS, TOKEN_SETTING, StackSettings
from airunway.program.project_files import read_files
from airunway.text.config_text import size_warnings
from airunway.text.problems import InputError, Problem, suggest_name
from providers import PROVIDERS

_PREFIX = "airunway:"


def plan_from_config() -> tuple[Plan, Mapping[str, pulumi.Output[str]]]:
    """The plan of the current stack and its secrets by setting.

    Raises ``pulumi.RunError``, which Pulumi shows without a traceback, with every problem of the configuration.
    """
    try:
        return _plan()
    except InputError as error:
        raise pulumi.RunError(str(error)) from error


def _plan() -> tuple[Plan, Mapping[str, pulumi.Output[str]]]:
    everything = runtime_config.get_config_env() | runtime_config.CONFIG.get()
    given = [key for key in SECRET_SETTINGS if everything.get(_PREFIX + key)]
    clear = [key for key in given if not runtime_config.is_config_secret(_PREFIX + key)]
    if clear:
        raise InputError(
            [
                Problem(key, f"is in clear text; set it with `pulumi config set --secret {_PREFIX}{key}`")
                for key in clear
            ]
        )
    plan = plan_of(everything, Path.cwd())  # where Pulumi runs a program
    config = pulumi.Config("airunway")
    return plan, {key: config.require_secret(key) for key in given}


def plan_of(config: Mapping[str, Any], root: Path, changed: Mapping[str, str] | None = None) -> Plan:
    """The plan for a configuration's texts in the project at ``root``; of a secret it counts only that it is there.
    Raises ``InputError``.

    ``changed`` are texts of files that are not written yet, by their paths in the project.
    """
    settings, files = settings_of(config, root, changed)
    plan = plan_stack(
        settings, files, PROVIDERS, has_token=_has(config, TOKEN_SETTING), has_password=_has(config, PASSWORD_SETTING)
    )
    return replace(plan, warnings=(*plan.warnings, *size_warnings(config)))


def target_of(config: Mapping[str, Any], root: Path) -> PlanContext:
    """What an entry is planned for in a stack with a configuration's texts. Raises ``InputError``."""
    settings, files = settings_of(config, root)
    return PlanContext(PROVIDERS, provider_configs(settings, files, PROVIDERS), settings, _has(config, TOKEN_SETTING))


def _has(config: Mapping[str, Any], secret: str) -> bool:
    return bool(config.get(_PREFIX + secret))


def settings_of(
    config: Mapping[str, Any], root: Path, changed: Mapping[str, str] | None = None
) -> tuple[StackSettings, Files]:
    """The settings among a configuration's texts, and the files that they name, as ``plan_of``. Raises
    ``InputError``.
    """
    raw = {key.removeprefix(_PREFIX): value for key, value in config.items() if key.startswith(_PREFIX)}
    known = {field.alias or name for name, field in StackSettings.model_fields.items()} | set(SECRET_SETTINGS)
    unknown = [Problem(key, f"unknown setting; {suggest_name(key, known)}") for key in sorted(raw) if key not in known]
    if unknown:
        raise InputError(unknown)
    settings = parse_settings(
        {key: _value(key, text) for key, text in raw.items() if text != "" and key not in SECRET_SETTINGS}
    )
    patterns = [
        *settings.deployment_files,
        *settings.manifests,
        *settings.provider_files,
        *settings.controller.manifests,
    ]
    return settings, read_files(root, patterns, changed)


def _value(key: str, text: Any) -> Any:
    """A setting's value: text as it is where a string is wanted, else the JSON that Pulumi hands over."""
    field = next(f for name, f in StackSettings.model_fields.items() if key in (f.alias, name))
    types = {part.get("type") for part in _types(field.annotation)}
    if "string" in types or not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _types(annotation: Any) -> list[dict[str, Any]]:
    schema = TypeAdapter(annotation).json_schema()
    return list(schema.get("anyOf", [schema]))
