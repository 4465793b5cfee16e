"""Whether the weights of a locked model can be in the memory of the GPUs that a worker has.

A lower bound: engines need more, for the KV cache, activations and themselves. So it finds what can't be served, and
says nothing of what may be. Where a fact is missing, nothing is found.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from airunway.assessment.finding import Concern, Finding, Severity
from airunway.assessment.model_lock import LockedModel
from airunway.assessment.node_pool import NodePool
from airunway.assessment.packing import Placement
from airunway.spec.model import GPU_RESOURCE
from airunway.spec.quantities import parse_quantity
from airunway.text.yaml_reading import load_data


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
    names = [flag.replace("_", "-").lower() for flag in flags]
    return not any(name in other["names"] or any(part in name for part in other["parts"]) for name in names)


def fit_findings(
    name: str,
    weights: int,
    placements: Iterable[Placement],
    pools: Mapping[str, NodePool],
    memory: Mapping[str, int],
    severity: Severity,
) -> Iterator[Finding]:
    """A finding for each group of a deployment's workers that is on GPUs whose memory, by type, the weights exceed."""
    for placement in placements:
        group = placement.claim.group
        if not group.gpus or group.gpu_resource != GPU_RESOURCE:  # a part of a GPU has a part of its memory
            continue
        for gpu in dict.fromkeys(gpu for pool in placement.pods if (gpu := pools[pool].gpu)):
            each = memory.get(gpu.product)
            gpus = (gpu.count if group.whole_node else group.gpus) * group.nodes
            if each is not None and weights > gpus * each:
                yield Finding(Concern.FIT, severity, _message(weights, gpus, gpu.product, each, group.role), name)


def _message(weights: int, gpus: int, product: str, each: int, role: str) -> str:
    worker = f"each worker ({role})" if role else "each worker"
    there = f"{gpus} × {product} ({_gib(gpus * each)})"
    return (
        f"its weights ({_gib(weights)}) do not fit the {there} of {worker}; at least {-(-weights // each)} are needed"
    )


def _gib(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB"


def _data() -> dict[str, Any]:
    return load_data(Path(__file__).with_name("model_memory.yaml"))
