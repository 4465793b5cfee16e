"""Engine arguments from a spec: the flags for its fields and the user's own, as a command line or as keywords."""

import contextlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from airunway.provider.engine_flags import ARGUMENT_FIELDS as ARGUMENT_FIELDS
from airunway.provider.engine_flags import Flag as Flag
from airunway.provider.engine_flags import derived_flags, flag_table
from airunway.provider.parallelism import Devices as Devices
from airunway.provider.parallelism import divide, has_leading_zero
from airunway.provider.user_flags import UserFlag, duplicate_problems, is_flag, is_negative, user_flags
from airunway.provider.worker_flags import WorkerFlags
from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import Problem, format_value
from airunway.text.yaml_reading import plain_value


@dataclass(frozen=True)
class EngineFlags:
    """The flags of one worker in rendering order, without ``engine.extraArgs``, and problems and warnings."""

    flags: list[Flag]
    problems: list[Problem]
    warnings: list[str]


def engine_flags(
    engine: Engine,
    spec: ModelDeploymentSpec,
    devices: Devices | None,
    *added_flags: Flag,
    worker: WorkerFlags | None = None,
    image: str = "",
) -> EngineFlags:
    """All flags in order: the spec's, ``added_flags``, then ``engine.args`` by name.

    A user's flag replaces a derived flag. A user's flag that a spec field sets too is a problem, and so is one that the
    ``worker`` does not have, if ``image`` is of its release. Without ``devices``, tensor parallelism is not derived.
    """
    written = user_flags(engine, spec)
    problems = list(duplicate_problems(engine, written, worker.repeated if worker else ()))
    args = [flag.flag for flag in written if flag.field.startswith("engine.args.")]
    if worker:
        args = [worker.without_switch_value(flag) for flag in args]
        written = [*map(_with_flag, written, args), *written[len(args) :]]
        problems += [*_leading_value(spec), *worker.problems(written, image)]
    division = divide(engine, devices.total, [flag.flag for flag in written]) if devices else None
    spec_flags = [*derived_flags(engine, spec, division.tensor if division else 1), *added_flags]
    problems += _field_conflicts(engine, spec_flags, written)
    if devices and division:
        problems += division.problems(devices)
    replaced = {flag_table().key(engine, flag.flag.name) for flag in written}
    derived = [flag for flag in spec_flags if flag_table().key(engine, flag.name) not in replaced]
    warnings = division.warnings(devices) if devices and division else []
    return EngineFlags([*derived, *args], problems, warnings)


def _leading_value(spec: ModelDeploymentSpec) -> list[Problem]:
    extra_args = spec.engine.extra_args
    if not extra_args or is_flag(extra_args[0]):
        return []
    return [Problem("engine.extraArgs[0]", f"{format_value(extra_args[0])} given, must be a flag")]


def _with_flag(user_flag: UserFlag, flag: Flag) -> UserFlag:
    return UserFlag(user_flag.field, flag, user_flag.written)


def _field_conflicts(engine: Engine, spec_flags: Sequence[Flag], written: Sequence[UserFlag]) -> list[Problem]:
    fields = {flag_table().key(engine, flag.name): flag for flag in spec_flags if flag.field is not None}
    pairs = [(user_flag, fields.get(flag_table().key(engine, user_flag.flag.name))) for user_flag in written]
    return [
        Problem(user.field, f"{flag.field} sets --{flag.name} already; give it once") for user, flag in pairs if flag
    ]


def command_arguments(flags: Sequence[Flag], spec: ModelDeploymentSpec) -> list[str]:
    """The flags as command-line arguments, ``engine.extraArgs`` last."""
    return [argument for flag in flags for argument in flag_arguments(flag)] + list(spec.engine.extra_args)


def flag_arguments(flag: Flag) -> list[str]:
    """One flag as command-line arguments; ``--flag=value`` if Python's argparse would mistake the value for a flag."""
    if flag.value is None:
        return [f"--{flag.name}"]
    text = str(flag.value)
    return [f"--{flag.name}={text}"] if text.startswith("-") and not is_negative(text) else [f"--{flag.name}", text]


def keyword_arguments(
    flags: Sequence[Flag], spec: ModelDeploymentSpec, provider: str, texts: Collection[str] = ()
) -> tuple[dict[str, Any], list[Problem]]:
    """The flags as vLLM keyword arguments; extra arguments are ``--key=value``, ``--key value`` or ``--flag``.

    ``texts`` are the flags whose value is text, whatever it looks like.
    """
    problems: list[Problem] = []
    result: dict[str, Any] = {}
    for flag in flags:
        result |= keyword_argument(flag, texts)
    index = 0
    extra = spec.engine.extra_args
    while index < len(extra):
        token = extra[index]
        name, equals, value = token[2:].partition("=")
        if not token.startswith("--") or not name:
            message = f"{token!r} given; provider {provider} takes --key=value, --key value or --flag"
            problems.append(Problem(f"engine.extraArgs[{index}]", message))
            index += 1
            continue
        if not equals and index + 1 < len(extra) and not is_flag(extra[index + 1]):
            index, value = index + 1, extra[index + 1]
        result |= keyword_argument(Flag(flag_table().spelling(Engine.VLLM, name), value or None), texts)
        index += 1
    return result, problems


def keyword_argument(flag: Flag, texts: Collection[str] = ()) -> dict[str, Any]:
    """A flag as vLLM's keyword argument."""
    name = flag.name.replace("-", "_")
    if flag.value is None:
        return {name.removeprefix("no_"): False} if name.startswith("no_") else {name: True}
    # The value of a spec field stays text; a user's value is parsed as on vLLM's command line: JSON, number, boolean or
    # text.
    if not isinstance(flag.value, str) or flag.field is not None or name.replace("_", "-") in texts:
        return {name: flag.value}
    return {name: _parse_value(flag.value)}


def _parse_value(text: str) -> Any:
    if text.startswith(("{", "[")):
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text)
    # YAML reads such a number as octal, Python's int as decimal.
    return text if has_leading_zero(text) else plain_value(text)
