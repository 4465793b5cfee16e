"""A spec as an engine's arguments: what its fields mean as flags, together with the user's own, as words or as keyword
arguments.
"""

import contextlib
import json
import re
from typing import Any

from airunway.provider.engine_flags import ARGUMENTS as ARGUMENTS
from airunway.provider.engine_flags import Flag as Flag
from airunway.provider.engine_flags import derived
from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import Problem
from airunway.text.yaml_reading import plain_value


def flags(engine: Engine, spec: ModelDeploymentSpec, gpus: int, *more: Flag) -> tuple[list[Flag], list[Problem]]:
    """All flags in order (the spec's, ``more``, the user's ``engine.args`` by name) and the clashes between them.

    A user's flag replaces a derived one; one that a spec field sets too is a problem.
    """
    own = [*derived(engine, spec, gpus), *more]
    user = users_flags(spec)
    problems = []
    for path, flag in user:
        same = next((f for f in own if f.key == flag.key), None)
        if same is not None and same.field is not None:
            problems.append(Problem(path, f"{same.field} sets --{same.name} already; give it once"))
    replaced = {flag.key for _, flag in user}
    args = [Flag(key, value or None) for key, value in sorted(spec.engine.args.items())]
    return [*(f for f in own if f.key not in replaced), *args], problems


def users_flags(spec: ModelDeploymentSpec) -> list[tuple[str, Flag]]:
    """The flags of ``engine.args`` and, without their values, of ``engine.extraArgs``, each with its path."""
    args = [(f"engine.args.{key}", Flag(key, value or None)) for key, value in sorted(spec.engine.args.items())]
    words = [(f"engine.extraArgs[{i}]", word) for i, word in enumerate(spec.engine.extra_args) if word.startswith("--")]
    return [*args, *((path, Flag(word[2:].partition("=")[0])) for path, word in words)]


def tokens(found: list[Flag], spec: ModelDeploymentSpec) -> list[str]:
    """The flags as command-line arguments, ``engine.extraArgs`` last."""
    return [word for flag in found for word in words_of(flag)] + list(spec.engine.extra_args)


def words_of(flag: Flag) -> list[str]:
    """One flag as command-line arguments. A value that Python's argparse would take for a flag is bound to its own."""
    if flag.value is None:
        return [f"--{flag.name}"]
    text = str(flag.value)
    return [f"--{flag.name}={text}"] if text.startswith("-") and not _NEGATIVE.match(text) else [f"--{flag.name}", text]


_NEGATIVE = re.compile(r"-[0-9]+$|-[0-9]*\.[0-9]+$")


def keyword_arguments(
    found: list[Flag], spec: ModelDeploymentSpec, provider: str
) -> tuple[dict[str, Any], list[Problem]]:
    """The flags as vLLM engine keyword arguments; raw arguments are read as ``--key=value``, ``--key value`` or
    ``--flag``.
    """
    problems: list[Problem] = []
    result: dict[str, Any] = {}
    for flag in found:
        result |= keyword(flag)
    index = 0
    extra = spec.engine.extra_args
    while index < len(extra):
        token = extra[index]
        name, equals, value = token[2:].partition("=")
        if not token.startswith("--") or not name:
            wanted = f"{token!r} given; provider {provider} takes --key=value, --key value or --flag"
            problems.append(Problem(f"engine.extraArgs[{index}]", wanted))
            index += 1
            continue
        if not equals and index + 1 < len(extra) and not extra[index + 1].startswith("--"):
            index, value = index + 1, extra[index + 1]
        result |= keyword(Flag(name, value or None))
        index += 1
    return result, problems


def keyword(flag: Flag) -> dict[str, Any]:
    """A flag as vLLM's keyword argument."""
    name = flag.name.replace("-", "_")
    if flag.value is None:
        return {name.removeprefix("no_"): False} if name.startswith("no_") else {name: True}
    # A field's text is text; a user's is what vLLM's command line would make of it: JSON, else a number, truth value or
    # text.
    return {name: _read(flag.value) if isinstance(flag.value, str) and flag.field is None else flag.value}


def _read(text: str) -> Any:
    if text.startswith(("{", "[")):
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text)
    return plain_value(text)
