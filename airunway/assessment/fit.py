"""Whether a locked model can be served by the GPUs that a worker has.

What certainly can't is a finding of the stack's severity: weights that exceed all memory, and what vLLM refuses. What
can't by an estimate of the engine's own memory is advice. Where a fact is missing, nothing is found.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from airunway.assessment.architecture import Architecture
from airunway.assessment.finding import Concern, Finding, Severity
from airunway.assessment.memory_use import MemoryUse
from airunway.assessment.model_lock import LockedModel
from airunway.assessment.node_pool import NodePool
from airunway.assessment.packing import Placement
from airunway.spec.model import GPU_RESOURCE
from airunway.spec.quantities import parse_quantity
from airunway.text.byte_sizes import gib
from airunway.text.yaml_reading import load_data


@dataclass(frozen=True)
class WorkerGpus:
    """The GPUs of each worker of a role: how many of a product, and the bytes of each."""

    role: str
    product: str
    count: int
    each: int


class FitCheck(StrEnum):
    """What follows where a model does not fit."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"
    OFF = "off"

    @property
    def severity(self) -> Severity | None:
        """The severity of findings; None if there are to be none."""
        return None if self is FitCheck.OFF else Severity(self.value)


def gpu_memory(own: Mapping[str, str]) -> dict[str, int]:
    """Bytes of a GPU by its type: of those that are known, and of a stack's ``own``, which are quantities."""
    amounts = {**load_data(Path(__file__).with_name("gpu_types.yaml")), **own}
    return {name: int(parse_quantity(amount) or 0) for name, amount in amounts.items()}


def weight_bytes(locked: LockedModel) -> int | None:
    """Bytes that a model's weights take in memory at least; None if the hub names none, or a type that is not known."""
    sizes: Mapping[str, int] = _data()["bytesPerWeight"]
    if not locked.weights or not locked.weights.keys() <= sizes.keys():
        return None
    return sum(count * sizes[kind] for kind, count in locked.weights.items())


def is_predictable(flags: Iterable[str]) -> bool:
    """Whether an engine with these flags loads the weights as they are in the files."""
    other = _data()["otherWeights"]
    names = [flag_name(flag) for flag in flags]
    return not any(name in other["names"] or any(part in name for part in other["parts"]) for name in names)


def flag_name(flag: str) -> str:
    """A flag as vLLM's parser reads it, which takes _ for -."""
    return flag.replace("_", "-").lower()


def placed_gpus(
    placements: Iterable[Placement], pools: Mapping[str, NodePool], memory: Mapping[str, int]
) -> Iterator[WorkerGpus]:
    """The GPUs of a worker of each role, on each product that its pods are on and whose memory is known."""
    for placement in placements:
        group = placement.claim.group
        if not group.gpus or group.gpu_resource != GPU_RESOURCE:  # a part of a GPU has a part of its memory
            continue
        for gpu in dict.fromkeys(gpu for pool in placement.pods if (gpu := pools[pool].gpu)):
            if gpu.product in memory:
                count = (gpu.count if group.whole_node else group.gpus) * group.nodes
                yield WorkerGpus(group.role, gpu.product, count, memory[gpu.product])


def fit_findings(name: str, use: MemoryUse, severity: Severity) -> Iterator[Finding]:
    """The finding, if any, about a worker of the deployment ``name``: the first thing that does not fit."""
    worker = f"the {use.gpus} × {use.product}"
    whose = f"of each worker ({use.role})" if use.role else "of each worker"
    if use.weights > use.memory:
        least = f"at least {-(-use.weights // (use.memory // use.gpus))} are needed"
        message = f"its weights ({gib(use.weights)}) do not fit {worker} ({gib(use.memory)}) {whose}; {least}"
    elif use.cache is not None and use.free < 0:
        is_certain = use.weights + use.cache > use.usable
        severity = severity if is_certain else Severity.ADVISORY
        there = f"the {gib(use.usable)} that the engine uses of {worker} {whose}"
        message = f"{_taken(use, is_certain=is_certain)} do not fit {there}; {_way_out(use)}"
    else:
        return
    yield Finding(Concern.FIT, severity, message, name)


def _taken(use: MemoryUse, *, is_certain: bool) -> str:
    parts = [f"its weights ({gib(use.weights)})"]
    if use.context:
        parts.append(f"the cache of one request of {use.context:,} tokens ({gib(use.cache or 0)})")
    if not is_certain:
        parts.append(f"about {gib(use.overhead)} for the engine itself")
    return " and ".join(parts)


def _way_out(use: MemoryUse) -> str:
    return f"about {use.longest:,} tokens do: set engine.contextLength" if use.longest else "ask for more GPUs"


def shape_findings(
    name: str, known: Architecture, tensor: int | None, context: int | None, severity: Severity
) -> Iterator[Finding]:
    """Findings about what no memory mends: heads that the GPUs don't divide, and a context beyond the model's."""
    heads = known.attention_heads
    if heads and tensor and heads % tensor:
        sizes = ", ".join(str(size) for size in range(1, tensor) if heads % size == 0)
        message = f"its {heads} attention heads can't be divided among {tensor} GPUs of a worker; {sizes} divide them"
        yield Finding(Concern.FIT, severity, message, name)
    if known.context and context and context > known.context:
        message = f"a context of {context:,} tokens is asked for, but the model's longest is {known.context:,}"
        yield Finding(Concern.FIT, severity, message, name)


def gguf_findings(name: str, locked: LockedModel, file: str, limit: str | None) -> Iterator[Finding]:
    """Advice where a GGUF file is larger than the memory ``limit`` of what serves it from there.

    llama.cpp maps the file, so it does start, but then reads weights from the disk for each token.
    """
    size = next((found.bytes for found in locked.files if found.path == file), 0)
    most = parse_quantity(limit) if limit else None
    if size and most is not None and size > most:
        message = f"its file ({gib(size)}) does not fit resources.memory {limit}, so it would be read again and again"
        yield Finding(Concern.FIT, Severity.ADVISORY, message, name)


def _data() -> dict[str, Any]:
    return load_data(Path(__file__).with_name("model_memory.yaml"))
