"""The command line of ``vllm serve``; the model is its first argument.

The flags of vLLM's parser are listed in ``flags.yaml``.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from airunway.provider.engine_args import Devices, Flag, command_arguments, engine_flags
from airunway.provider.worker_flags import WorkerFlags, load_worker_flags
from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import Problem

PORT = 8000
PORT_FLAG = Flag("port", PORT)
"""The flag that every command line has in addition to the spec's."""


@dataclass(frozen=True)
class CommandLine:
    """Arguments of ``vllm serve``, with problems and warnings."""

    arguments: list[str]
    problems: list[Problem]
    warnings: list[str]


@cache
def known_flags() -> WorkerFlags:
    """The flags of one vLLM release."""
    return load_worker_flags(Path(__file__).with_name("flags.yaml"))[Engine.VLLM]


def command_line(spec: ModelDeploymentSpec, image: str) -> CommandLine:
    """The arguments for ``spec``; unknown flags are refused if ``image`` is of the release in ``flags.yaml``."""
    devices = Devices(spec.gpu_count)
    parsed = engine_flags(Engine.VLLM, spec, devices, PORT_FLAG, worker=known_flags(), image=image)
    flags = [flag for flag in parsed.flags if flag.name != "model"]
    return CommandLine([str(spec.model.id), *command_arguments(flags, spec)], parsed.problems, parsed.warnings)
