"""Read a stack's configuration from Pulumi."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime.config as runtime_config
from pydantic import TypeAdapter

from airunway.assessment.model_lock import LOCK_FILE
from airunway.planning.catalog import provider_configs
from airunway.planning.deployment import PlanContext
from airunway.planning.files import Files
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.planning.settings import PASSWORD_SETTING, SECRET_SETTINGS, TOKEN_SETTING, StackSettings
from airunway.program.encrypted_values import encrypted_texts, nested_secrets, place_problems, unknown_problems
from airunway.program.problem_places import located_problems
from airunway.program.project_files import read_files
from airunway.program.stack_file import StackConfig, read_stack
from airunway.text.config_text import size_warnings
from airunway.text.json_reading import read_json_or_text
from airunway.text.problems import InputError, Problem, suggest_name
from providers import PROVIDERS

_PREFIX = "airunway:"
_LIKENESS = 0.75
"""How much a namespace is like ours that is taken for a mistyped one, as difflib's ratio."""


def plan_from_config() -> tuple[Plan, Mapping[str, pulumi.Output[str]]]:
    """Plan the current stack; return the plan, and its secrets by setting or by placeholder in the plan.

    Raises ``pulumi.RunError``, which Pulumi shows without a traceback, with every problem of the configuration.
    """
    try:
        with located_problems(Path.cwd(), pulumi.get_stack()):  # Pulumi runs a program in its folder
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
    encrypted = _encrypted(config_texts)
    plan = plan_of({**config_texts, **encrypted.values}, Path.cwd())
    config = pulumi.Config("airunway")
    outputs = {placeholder: pulumi.Output.secret(text) for placeholder, text in encrypted.texts.items()}
    return plan, {key: config.require_secret(key) for key in secret_keys} | outputs


@dataclass(frozen=True)
class _Encrypted:
    """Settings with placeholders for the encrypted values inside them, and their decrypted texts by placeholder."""

    values: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def _encrypted(config: Mapping[str, str]) -> _Encrypted:
    """Find the encrypted values inside the settings that Pulumi handed over. Raises ``InputError``."""
    keys = nested_secrets(key for key in config if runtime_config.is_config_secret(key))
    if not keys:
        return _Encrypted()
    file = _own_file()
    problems = unknown_problems(keys, file)
    if file is None or problems:
        raise InputError(problems)
    check_places(file)
    return _Encrypted({key: file.values[key] for key in keys}, encrypted_texts(config, file))


def check_places(config: StackConfig) -> None:
    """Refuse encrypted values where they would end up in clear text. Raises ``InputError``."""
    problems = place_problems(config.values, config.secrets)
    if problems:
        raise InputError(problems)


def _own_file() -> StackConfig | None:
    """Return the current stack's own file without decrypting; None if there is none."""
    try:
        return read_stack(Path.cwd(), pulumi.get_stack())  # Pulumi runs a program in its folder
    except InputError:
        return None


def plan_of(
    config: Mapping[str, Any], root: Path, edited: Mapping[str, str] | None = None, *, is_locked: bool = True
) -> Plan:
    """Plan a configuration in the project at ``root``, without the values of secrets. Raises ``InputError``.

    ``edited`` are unsaved texts of files, by their paths in the project. Unless ``is_locked``, there is no lock.
    """
    try:
        settings, files = settings_of(config, root, edited)
    except InputError as error:
        raise InputError([*error.problems, *_other_problems(config, error.problems, root, edited)]) from error
    if not is_locked:
        settings = settings.model_copy(update={"locked": False})
        files = replace(files, texts={name: text for name, text in files.texts.items() if name != LOCK_FILE})
    plan = plan_stack(
        settings, files, PROVIDERS, has_token=_has(config, TOKEN_SETTING), has_password=_has(config, PASSWORD_SETTING)
    )
    return replace(plan, warnings=(*plan.warnings, *size_warnings(config)))


def _other_problems(
    config: Mapping[str, Any], found: Sequence[Problem], root: Path, edited: Mapping[str, str] | None
) -> Iterator[Problem]:
    """The problems of a configuration besides those ``found`` in its settings, which hide the others."""
    broken = {_setting(problem) for problem in found}
    rest = {key: value for key, value in config.items() if key.removeprefix(_PREFIX) not in broken}
    if not broken or len(rest) == len(config):
        return
    if "cluster" in broken:
        rest[f"{_PREFIX}cluster"] = '{"context": "unknown"}'
    try:
        plan_of(rest, root, edited)
    except InputError as error:
        yield from (problem for problem in error.problems if _setting(problem) not in broken)


def _setting(problem: Problem) -> str:
    return re.split(r"[.\[:]", problem.field.removeprefix(_PREFIX))[0]


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
    unknown += _mistyped(config, valid)
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
        *settings.node_pool_files,
        *settings.policy_files,
    ]
    if (root / LOCK_FILE).exists():
        patterns.append(LOCK_FILE)
    return settings, read_files(root, patterns, edited)


def _mistyped(config: Mapping[str, Any], valid: Collection[str]) -> Iterator[Problem]:
    """Our settings under a namespace that is meant to be ours: Pulumi hands over any, and nobody would read these."""
    for key in sorted(config):
        namespace, _, name = key.rpartition(":")
        is_ours = f"{namespace}:" == _PREFIX or not get_close_matches(namespace.lower(), [_PREFIX[:-1]], 1, _LIKENESS)
        meant = [] if is_ours else get_close_matches(name, valid, 1)
        if meant:
            yield Problem(key, f"nobody reads settings of '{namespace}'; did you mean {_PREFIX}{meant[0]}?")


def _value(key: str, text: Any) -> Any:
    """Parse a setting's value: text for a string setting, otherwise Pulumi's JSON."""
    field = next(f for name, f in StackSettings.model_fields.items() if key in (f.alias, name))
    types = {part.get("type") for part in _types(field.annotation)}
    return text if "string" in types else read_json_or_text(text)


def _types(annotation: Any) -> list[dict[str, Any]]:
    schema = TypeAdapter(annotation).json_schema()
    return list(schema.get("anyOf", [schema]))
