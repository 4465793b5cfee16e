"""Read a stack's configuration from Pulumi."""

from collections.abc import Iterable, Mapping
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
from airunway.text.json_reading import read_json
from airunway.text.problems import InputError, Problem, suggest_name
from providers import PROVIDERS

_PREFIX = "airunway:"


def plan_from_config() -> tuple[Plan, Mapping[str, pulumi.Output[str]]]:
    """Plan the current stack; return the plan and its secrets by setting.

    Raises ``pulumi.RunError``, which Pulumi shows without a traceback, with every problem of the configuration.
    """
    try:
        return _plan()
    except InputError as error:
        raise pulumi.RunError(str(error)) from error


def _plan() -> tuple[Plan, Mapping[str, pulumi.Output[str]]]:
    config_texts = runtime_config.get_config_env() | runtime_config.CONFIG.get()
    secret_keys = [key for key in SECRET_SETTINGS if config_texts.get(_PREFIX + key)]
    plain_keys = [key for key in secret_keys if not runtime_config.is_config_secret(_PREFIX + key)]
    if plain_keys:
        raise InputError(
            [
                Problem(key, f"is in clear text; set it with `pulumi config set --secret {_PREFIX}{key}`")
                for key in plain_keys
            ]
        )
    check_secrets(key for key in config_texts if runtime_config.is_config_secret(key))
    plan = plan_of(config_texts, Path.cwd())  # Pulumi runs a program in its folder
    config = pulumi.Config("airunway")
    return plan, {key: config.require_secret(key) for key in secret_keys}


def check_secrets(keys: Iterable[str]) -> None:
    """Refuse encrypted values in settings that become plain inputs of resources. Raises ``InputError``.

    ``keys`` are the settings with encrypted values. Pulumi hands a setting over as a whole and decrypted, so that the
    value would be in clear text in the state and in saved plans (seen with pulumi 3.259, `preview --json`).
    """
    secrets = " or ".join(f"{_PREFIX}{key}" for key in SECRET_SETTINGS)
    message = (
        f"holds an encrypted value, which Pulumi's state would have in clear text; only {secrets} may be encrypted. Put"
        " the value into a Secret of the cluster and refer to it, as env[].valueFrom.secretKeyRef does"
    )
    names = (key.removeprefix(_PREFIX) for key in keys if key.startswith(_PREFIX))
    problems = [Problem(name, message) for name in sorted(names) if name not in SECRET_SETTINGS]
    if problems:
        raise InputError(problems)


def plan_of(config: Mapping[str, Any], root: Path, edited: Mapping[str, str] | None = None) -> Plan:
    """Plan a configuration in the project at ``root``, without the values of secrets. Raises ``InputError``.

    ``edited`` are unsaved texts of files, by their paths in the project.
    """
    settings, files = settings_of(config, root, edited)
    plan = plan_stack(
        settings, files, PROVIDERS, has_token=_has(config, TOKEN_SETTING), has_password=_has(config, PASSWORD_SETTING)
    )
    return replace(plan, warnings=(*plan.warnings, *size_warnings(config)))


def target_of(config: Mapping[str, Any], root: Path) -> PlanContext:
    """Return the target that entries of a configuration are planned for. Raises ``InputError``."""
    settings, files = settings_of(config, root)
    return PlanContext(PROVIDERS, provider_configs(settings, files, PROVIDERS), settings, _has(config, TOKEN_SETTING))


def _has(config: Mapping[str, Any], secret: str) -> bool:
    return bool(config.get(_PREFIX + secret))


def settings_of(
    config: Mapping[str, Any], root: Path, edited: Mapping[str, str] | None = None
) -> tuple[StackSettings, Files]:
    """Parse the settings of a configuration and read the files that they name. Raises ``InputError``."""
    texts = {key.removeprefix(_PREFIX): value for key, value in config.items() if key.startswith(_PREFIX)}
    valid = {field.alias or name for name, field in StackSettings.model_fields.items()} | set(SECRET_SETTINGS)
    unknown = [
        Problem(key, f"unknown setting; {suggest_name(key, valid)}") for key in sorted(texts) if key not in valid
    ]
    if unknown:
        raise InputError(unknown)
    settings = parse_settings(
        {key: _value(key, text) for key, text in texts.items() if text != "" and key not in SECRET_SETTINGS}
    )
    patterns = [
        *settings.deployment_files,
        *settings.manifests,
        *settings.provider_files,
        *settings.controller.manifests,
    ]
    return settings, read_files(root, patterns, edited)


def _value(key: str, text: Any) -> Any:
    """Parse a setting's value: text for a string setting, otherwise Pulumi's JSON."""
    field = next(f for name, f in StackSettings.model_fields.items() if key in (f.alias, name))
    types = {part.get("type") for part in _types(field.annotation)}
    if "string" in types or not isinstance(text, str):
        return text
    try:
        return read_json(text)
    except ValueError:
        return text


def _types(annotation: Any) -> list[dict[str, Any]]:
    schema = TypeAdapter(annotation).json_schema()
    return list(schema.get("anyOf", [schema]))
