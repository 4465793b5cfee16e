"""The command line of ``vllm serve``; checks the user's flags so that containers don't exit because of them.

The model is the first argument. The flags of vLLM's parser are listed in ``flags.yaml``.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from airunway.provider.engine_args import Flag, command_arguments, flags
from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import Problem, suggest_name
from airunway.text.yaml_reading import load_data

_SIZE = re.compile(r"[1-9][0-9]{0,5}")
PORT = 8000
PORT_FLAG = Flag("port", PORT)
"""The flag that every command line has in addition to the spec's."""


@dataclasses.dataclass
class CommandLine:
    """Arguments of ``vllm serve``, with problems and warnings."""

    arguments: list[str] = dataclasses.field(default_factory=list)
    problems: list[Problem] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)


@cache
def flag_data() -> dict[str, Any]:
    """The flags of one vLLM release."""
    return load_data(Path(__file__).with_name("flags.yaml"))


def command_line(spec: ModelDeploymentSpec, image: str) -> CommandLine:
    """The arguments for ``spec``; unknown flags are refused if ``image`` is of the release in ``flags.yaml``."""
    line = CommandLine()
    line.problems += _refused(spec)
    if image.endswith(f":v{flag_data()['release']}"):
        line.problems += _unknown(spec)
    engine_flags, clashes = flags(Engine.VLLM, spec, _tensor_parallel(spec, line), PORT_FLAG)
    line.problems += clashes
    line.arguments = [
        str(spec.model.id),
        *command_arguments([flag for flag in engine_flags if flag.name != "model"], spec),
    ]
    return line


def _written(spec: ModelDeploymentSpec) -> Iterator[tuple[str, str, str | None]]:
    """Field, name and value of each flag that the user sets; no value if it is missing or a separate argument."""
    for name, value in spec.engine.args.items():
        yield f"engine.args.{name}", name.replace("_", "-"), value or None
    for index, word in enumerate(spec.engine.extra_args):
        if word.startswith("--") and word != "--":
            name, equals, value = word[2:].partition("=")
            yield (
                f"engine.extraArgs[{index}]",
                name.split(".")[0].removesuffix("+").replace("_", "-"),
                value if equals else None,
            )


def _refused(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    for field, name, _ in _written(spec):
        if name in flag_data()["refused"]:
            yield Problem(field, flag_data()["refused"][name])


def _unknown(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    """Problems for flags that the release doesn't have, and for missing or superfluous values."""
    switches, valued = set(flag_data()["switches"]), set(flag_data()["values"])
    for field, name, value in _written(spec):
        # vLLM still accepts the negation of a switch with an opposite, but no longer lists it.
        if name in switches or name.removeprefix("no-") in switches:
            if value is not None:
                yield Problem(
                    field, f"{value!r} given; --{name} of vLLM {flag_data()['release']} is a switch and takes no value"
                )
        elif name not in valued:
            hint = suggest_name(name, switches | valued).split(";")[0]
            hint = hint if hint.startswith("did you mean") else "`vllm serve --help=all` lists them"
            yield Problem(
                field, f"vLLM {flag_data()['release']} has no flag --{name} for engine.args or engine.extraArgs; {hint}"
            )
        elif value is None and field.startswith("engine.args."):
            yield Problem(field, f"--{name} of vLLM {flag_data()['release']} takes a value")


def parallel_sizes(args: Mapping[str, str], extra: Sequence[str]) -> dict[str, int]:
    """The parallel sizes that are set to whole numbers, by flag; the last value wins, as in vLLM's parser."""
    values = {name.replace("_", "-"): value for name, value in args.items()}
    long_names = {short: name for name, short in flag_data()["parallel"].items()}
    for index, word in enumerate(extra):
        head, equals, value = word.partition("=")
        name = long_names.get(head, head.removeprefix("--").replace("_", "-"))
        if head.startswith("-") and name in flag_data()["parallel"]:
            values[name] = value if equals else (extra[index + 1] if index + 1 < len(extra) else "")
    return {name: int(values[name]) for name in flag_data()["parallel"] if _SIZE.fullmatch(values.get(name, ""))}


def tensor_parallel(gpus: int, sizes: Mapping[str, int]) -> int:
    """GPUs for tensor parallelism: a replica's GPUs divided by the other parallel ``sizes``."""
    return gpus // prod(size for name, size in sizes.items() if name != next(iter(flag_data()["parallel"])))


def _tensor_parallel(spec: ModelDeploymentSpec, line: CommandLine) -> int:
    """GPUs for tensor parallelism. Records sizes that need more GPUs than a replica has, or leave some idle."""
    gpus, sizes = spec.gpu_count, parallel_sizes(spec.engine.args, spec.engine.extra_args)
    if any(name.startswith("data-parallel-") and name not in flag_data()["parallel"] for _, name, _ in _written(spec)):
        return gpus  # data parallelism across pods: the user sets the sizes
    derived = tensor_parallel(gpus, sizes)
    needed = prod(({next(iter(flag_data()["parallel"])): max(derived, 1)} | sizes).values())
    if needed > gpus:
        product = " × ".join(f"--{name} {size}" for name, size in sizes.items())
        line.problems.append(
            Problem("resources.gpu.count", f"{gpus} given; {product} of engine.args or engine.extraArgs take {needed}")
        )
    elif needed < gpus:
        line.warnings.append(f"resources.gpu.count: {gpus} given, of which vLLM uses {needed} by its parallel sizes")
    return derived
