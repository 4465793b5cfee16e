"""What the engine of a planned deployment takes of its GPUs' memory, as far as its flags and the lock say."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from airunway.assessment.architecture import Architecture
from airunway.assessment.finding import Finding, Severity
from airunway.assessment.fit import WorkerGpus, flag_name, gguf_findings, is_predictable, shape_findings, weight_bytes
from airunway.assessment.memory_use import CacheNeed, MemoryUse, memory_use
from airunway.planning.deployment import PlannedDeployment
from airunway.provider.parallelism import divide
from airunway.provider.pod_groups import PodGroup
from airunway.provider.user_flags import user_flags
from airunway.spec.model import Engine
from airunway.text.yaml_reading import load_data, plain_value

_PIPELINE = "pipeline-parallel-size"


def memory_uses(planned: PlannedDeployment, workers: Iterable[WorkerGpus]) -> Iterator[MemoryUse]:
    """What a locked model takes on the GPUs of each worker; nothing where its weights are unknown."""
    values = _values(planned)
    weights = _weights(planned, values)
    if weights is None:
        return
    part = _part(values) if planned.request.selection.engine is Engine.VLLM else 1
    for worker in workers:
        need = _cache_need(planned, values, worker.count)
        yield memory_use(worker.role, worker.product, worker.count, worker.each, weights, part, need)


def model_findings(
    planned: PlannedDeployment, groups: Iterable[PodGroup] | None, severity: Severity
) -> Iterator[Finding]:
    """What of a locked model can't be served as asked, whatever GPUs there are; each thing once."""
    spec, locked = planned.request.spec, planned.locked
    if locked is None:
        return
    if planned.request.selection.engine is Engine.LLAMACPP:
        if spec.model.gguf and spec.model.gguf.file and not (spec.resources.gpu and spec.resources.gpu.count):
            yield from gguf_findings(planned.name, locked, spec.model.gguf.file, spec.resources.memory)
        return
    known, values = locked.architecture, _values(planned)
    if known is None or planned.request.selection.engine is not Engine.VLLM or not is_predictable(values):
        return
    longer = any(variable.name == _data()["context"]["longerBy"] for variable in spec.env)
    context = None if longer else _context(planned, values, known)
    tensors = {_tensor(planned, group.gpus * group.nodes) for group in groups or () if not group.whole_node}
    findings = [shape_findings(planned.name, known, tensor, context, severity) for tensor in tensors or {None}]
    yield from dict.fromkeys(finding for some in findings for finding in some)


def _values(planned: PlannedDeployment) -> Mapping[str, str | None]:
    """The flags that a user wrote, with their values."""
    flags = [flag.flag for flag in user_flags(planned.request.selection.engine, planned.request.spec)]
    return {flag_name(flag.name): None if flag.value is None else str(flag.value) for flag in flags}


def _weights(planned: PlannedDeployment, values: Mapping[str, str | None]) -> int | None:
    """Bytes that the engine loads at least; None if the lock lacks the model, or the engine may load other weights."""
    if planned.locked is None or planned.request.selection.engine is Engine.LLAMACPP:
        return None
    return weight_bytes(planned.locked) if is_predictable(values) else None


def _part(values: Mapping[str, str | None]) -> float:
    """The part of a GPU's memory that vLLM uses."""
    part = plain_value(values.get(_data()["memory"]["flag"]) or "")
    return float(part) if isinstance(part, int | float) and 0 < part <= 1 else float(_data()["memory"]["part"])


def _cache_need(planned: PlannedDeployment, values: Mapping[str, str | None], gpus: int) -> CacheNeed | None:
    """What decides vLLM's cache on a worker with so many GPUs; None if it is unknown, or another engine's."""
    known = planned.locked.architecture if planned.locked else None
    if planned.request.selection.engine is not Engine.VLLM or known is None or known.full_layers is None:
        return None
    if not values.keys().isdisjoint(_data()["cache"]["unknownWith"]):
        return None
    element, tensor, context = _element(values, known), _tensor(planned, gpus), _context(planned, values, known)
    if element is None or tensor is None or context is None:
        return None
    return CacheNeed(known, element, tensor, context)


def _element(values: Mapping[str, str | None], known: Architecture) -> int | None:
    """Bytes of an element of the cache, at least."""
    kind = values.get(_data()["cache"]["flag"], "auto")
    if kind == "auto" and known.is_cache_quantized:
        return 1
    size: int | None = _data()["cache"]["bytes"].get(kind)
    return size


def _tensor(planned: PlannedDeployment, gpus: int) -> int | None:
    """The tensor-parallel size; None where other sizes than it and the pipeline's divide the GPUs."""
    engine = planned.request.selection.engine
    division = divide(engine, gpus, [flag.flag for flag in user_flags(engine, planned.request.spec)])
    others = division.sizes.keys() - {division.tensor_flag, _PIPELINE}
    if division.across_workers or others:
        return None
    return division.sizes.get(division.tensor_flag, max(division.tensor, 1))


def _context(planned: PlannedDeployment, values: Mapping[str, str | None], known: Architecture) -> int | None:
    """The longest context that vLLM is told to serve; 0 if it takes what fits, None if it is unknown."""
    spec, selection = planned.request.spec, planned.request.selection
    if spec.engine.context_length:
        return spec.engine.context_length
    if (flag := _data()["context"]["flag"]) in values:
        written = plain_value(values[flag] or "")
        if written in ("auto", -1):
            return 0
        return written if type(written) is int and written > 0 else None
    fits = planned.provider.SUPPORTED[selection.engine][spec.serving.mode].fits_context
    return 0 if fits else known.context


def _data() -> dict[str, Any]:
    found: dict[str, Any] = load_data(Path(__file__).parents[1] / "assessment" / "model_memory.yaml")["vllm"]
    return found
