"""The command line of ``vllm serve``: what is said of the spec's flags before a container would end over them.

The model is its first argument. What the parser knows stands in ``flags.yaml``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from airunway.provider.engine_args import Flag, flags, tokens
from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import Problem, nearest
from airunway.text.yaml_reading import load_data

_SIZE = re.compile(r"[1-9][0-9]{0,5}")
PORT = 8000
SERVED = Flag("port", PORT)
"""The flag that every command line has beside those of the spec."""


@dataclass
class CommandLine:
    """Arguments of ``vllm serve``, and what is wrong with them or worth a second look."""

    words: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@cache
def data() -> dict[str, Any]:
    """What is known about the flags of one release."""
    return load_data(Path(__file__).with_name("flags.yaml"))


def command_line(spec: ModelDeploymentSpec, image: str) -> CommandLine:
    """The arguments for ``spec``, which ``image`` runs; that it has a flag is checked where it is of the release that
    is known.
    """
    line = CommandLine()
    line.problems += _refused(spec)
    if image.endswith(f":v{data()['release']}"):
        line.problems += _unknown(spec)
    found, clashes = flags(Engine.VLLM, spec, _tensor_parallel(spec, line), SERVED)
    line.problems += clashes
    line.words = [str(spec.model.id), *tokens([flag for flag in found if flag.name != "model"], spec)]
    return line


def _written(spec: ModelDeploymentSpec) -> Iterator[tuple[str, str, str | None]]:
    """Path, name and value of each flag that the user wrote; the value is None where it is another word or there is
    none.
    """
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
    for path, name, _ in _written(spec):
        if name in data()["refused"]:
            yield Problem(path, data()["refused"][name])


def _unknown(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    """Flags that the release does not have, and values that are there in vain or missing."""
    switches, valued = set(data()["switches"]), set(data()["values"])
    for path, name, value in _written(spec):
        # A negation of a switch that has an opposite is taken still, and no longer listed.
        if name in switches or name.removeprefix("no-") in switches:
            if value is not None:
                yield Problem(
                    path, f"{value!r} given; --{name} of vLLM {data()['release']} is a switch and takes no value"
                )
        elif name not in valued:
            hint = nearest(name, switches | valued).split(";")[0]
            hint = hint if hint.startswith("did you mean") else "`vllm serve --help=all` lists them"
            yield Problem(
                path, f"vLLM {data()['release']} has no flag --{name} for engine.args or engine.extraArgs; {hint}"
            )
        elif value is None and path.startswith("engine.args."):
            yield Problem(path, f"--{name} of vLLM {data()['release']} takes a value")


def sizes(args: Mapping[str, str], extra: Sequence[str]) -> dict[str, int]:
    """The parallel sizes that are written as whole numbers, by flag; the last one counts, as for the parser."""
    given = {name.replace("_", "-"): value for name, value in args.items()}
    long = {short: name for name, short in data()["parallel"].items()}
    for index, word in enumerate(extra):
        head, equals, value = word.partition("=")
        name = long.get(head, head.removeprefix("--").replace("_", "-"))
        if head.startswith("-") and name in data()["parallel"]:
            given[name] = value if equals else (extra[index + 1] if index + 1 < len(extra) else "")
    return {name: int(given[name]) for name in data()["parallel"] if _SIZE.fullmatch(given.get(name, ""))}


def tensor_parallel(gpus: int, given: Mapping[str, int]) -> int:
    """GPUs for tensor parallelism: what the other sizes that are ``given`` leave of a replica's."""
    return gpus // prod(size for name, size in given.items() if name != next(iter(data()["parallel"])))


def _tensor_parallel(spec: ModelDeploymentSpec, line: CommandLine) -> int:
    """GPUs for tensor parallelism. Notes sizes that go beyond a replica's GPUs, or leave some idle."""
    gpus, given = spec.gpu_count, sizes(spec.engine.args, spec.engine.extra_args)
    if any(name.startswith("data-parallel-") and name not in data()["parallel"] for _, name, _ in _written(spec)):
        return gpus  # replicas that work together over pods: the user's to size
    derived = tensor_parallel(gpus, given)
    wanted = prod(({next(iter(data()["parallel"])): max(derived, 1)} | given).values())
    if wanted > gpus:
        what = " × ".join(f"--{name} {size}" for name, size in given.items())
        line.problems.append(
            Problem("resources.gpu.count", f"{gpus} given; {what} of engine.args or engine.extraArgs take {wanted}")
        )
    elif wanted < gpus:
        line.warnings.append(f"resources.gpu.count: {gpus} given, of which vLLM uses {wanted} by its parallel sizes")
    return derived
