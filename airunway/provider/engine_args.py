"""Engine arguments from a spec: the flags for its fields and the user's own, as a command line or as keywords."""

import contextlib
import json
import re
from typing import Any

from airunway.provider.engine_flags import ARGUMENT_FIELDS as ARGUMENT_FIELDS
from airunway.provider.engine_flags import Flag as Flag
from airunway.provider.engine_flags import derived_flags
from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import Problem
from airunway.text.yaml_reading import plain_value


def flags(engine: Engine, spec: ModelDeploymentSpec, gpus: int, *added_flags: Flag) -> tuple[list[Flag], list[Problem]]:
    """All flags in order (the spec's, ``added_flags``, then ``engine.args`` by name), and conflicts between them.

    A user's flag replaces a derived flag. A user's flag that a spec field sets too is a problem.
    """
    spec_flags = [*derived_flags(engine, spec, gpus), *added_flags]
    written_flags = user_flags(spec)
    problems = []
    for field, flag in written_flags:
        spec_flag = next((f for f in spec_flags if f.key == flag.key), None)
        if spec_flag is not None and spec_flag.field is not None:
            problems.append(Problem(field, f"{spec_flag.field} sets --{spec_flag.name} already; give it once"))
    replaced = {flag.key for _, flag in written_flags}
    args = [Flag(key, value or None) for key, value in sorted(spec.engine.args.items())]
    return [*(f for f in spec_flags if f.key not in replaced), *args], problems


def user_flags(spec: ModelDeploymentSpec) -> list[tuple[str, Flag]]:
    """The flags in ``engine.args`` and, without their values, in ``engine.extraArgs``, each with its field."""
    args = [(f"engine.args.{key}", Flag(key, value or None)) for key, value in sorted(spec.engine.args.items())]
    extra_args = [
        (f"engine.extraArgs[{i}]", argument)
        for i, argument in enumerate(spec.engine.extra_args)
        if argument.startswith("--")
    ]
    return [*args, *((field, Flag(argument[2:].partition("=")[0])) for field, argument in extra_args)]


def command_arguments(engine_flags: list[Flag], spec: ModelDeploymentSpec) -> list[str]:
    """The flags as command-line arguments, ``engine.extraArgs`` last."""
    return [argument for flag in engine_flags for argument in flag_arguments(flag)] + list(spec.engine.extra_args)


def flag_arguments(flag: Flag) -> list[str]:
    """One flag as command-line arguments; ``--flag=value`` if Python's argparse would mistake the value for a flag."""
    if flag.value is None:
        return [f"--{flag.name}"]
    text = str(flag.value)
    return [f"--{flag.name}={text}"] if text.startswith("-") and not _NEGATIVE.match(text) else [f"--{flag.name}", text]


_NEGATIVE = re.compile(r"-[0-9]+$|-[0-9]*\.[0-9]+$")


def keyword_arguments(
    engine_flags: list[Flag], spec: ModelDeploymentSpec, provider: str
) -> tuple[dict[str, Any], list[Problem]]:
    """The flags as vLLM keyword arguments; extra arguments are ``--key=value``, ``--key value`` or ``--flag``."""
    problems: list[Problem] = []
    result: dict[str, Any] = {}
    for flag in engine_flags:
        result |= keyword_argument(flag)
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
        if not equals and index + 1 < len(extra) and not extra[index + 1].startswith("--"):
            index, value = index + 1, extra[index + 1]
        result |= keyword_argument(Flag(name, value or None))
        index += 1
    return result, problems


def keyword_argument(flag: Flag) -> dict[str, Any]:
    """A flag as vLLM's keyword argument."""
    name = flag.name.replace("-", "_")
    if flag.value is None:
        return {name.removeprefix("no_"): False} if name.startswith("no_") else {name: True}
    # The value of a spec field stays text; a user's value is parsed as on vLLM's command line: JSON, number, boolean or
    # text.
    return {name: _parse_value(flag.value) if isinstance(flag.value, str) and flag.field is None else flag.value}


def _parse_value(text: str) -> Any:
    if text.startswith(("{", "[")):
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text)
    return plain_value(text)
