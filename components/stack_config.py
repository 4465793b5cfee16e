"""A stack's configuration, read from Pulumi."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime.config as runtime_config
from pydantic import TypeAdapter

from providers.plan import Files, Plan, parse_settings, plan_stack
from providers.problems import InputError, Problem, nearest
from providers.stack import TOKEN_SETTING, StackSettings

_PREFIX = "airunway:"


def plan_from_config() -> tuple[Plan, pulumi.Output[str] | None]:
    """The plan of the current stack and its Hugging Face token, a secret.

    Raises ``pulumi.RunError``, which Pulumi shows without a traceback, with every problem of the configuration.
    """
    try:
        return _plan()
    except InputError as error:
        raise pulumi.RunError(str(error)) from error


def _plan() -> tuple[Plan, pulumi.Output[str] | None]:
    everything = runtime_config.get_config_env() | runtime_config.CONFIG.get()
    token = everything.get(_PREFIX + TOKEN_SETTING)
    if token and not runtime_config.is_config_secret(_PREFIX + TOKEN_SETTING):
        raise InputError([Problem(TOKEN_SETTING, f"is in clear text; set it with `pulumi config set --secret {_PREFIX}{TOKEN_SETTING}`")])
    settings, files = settings_of(everything)
    plan = plan_stack(settings, files, has_token=bool(token))
    return plan, pulumi.Config("airunway").require_secret(TOKEN_SETTING) if token else None


def settings_of(config: Mapping[str, Any]) -> tuple[StackSettings, Files]:
    """The settings among a configuration's texts, and the files that they name. Raises ``InputError``."""
    raw = {key.removeprefix(_PREFIX): value for key, value in config.items() if key.startswith(_PREFIX)}
    known = {field.alias or name for name, field in StackSettings.model_fields.items()} | {TOKEN_SETTING}
    unknown = [Problem(key, f"unknown setting; {nearest(key, known)}") for key in sorted(raw) if key not in known]
    if unknown:
        raise InputError(unknown)
    settings = parse_settings({key: _value(key, text) for key, text in raw.items() if text != "" and key != TOKEN_SETTING})
    return settings, read_files([*settings.manifests, *settings.provider_files])


def read_files(names: list[str]) -> Files:
    """The files that a stack names, relative to the working directory, which is the project's."""
    return {name: _read(Path(name)) for name in names}


def _read(path: Path) -> str | OSError:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        return error


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
