"""Why the nodes of a pool can't take a pod, by the scheduler's rules for selectors, taints and resources."""

from collections.abc import Iterator, Sequence

from airunway.assessment.node_pool import NodePool, Taint
from airunway.provider.pod_groups import PodGroup
from airunway.spec.model import Toleration
from airunway.spec.quantities import parse_quantity


def mismatches(pool: NodePool, group: PodGroup) -> Iterator[str]:
    """Why a node of the pool takes no pod of the group, even if it is empty; nothing if it does."""
    if group.gpus:
        yield from _gpu_mismatches(pool, group)
    labels = pool.node_labels
    for key, value in group.node_selector.items():
        if key not in labels:
            yield f"has no label {key}={value}"
        elif labels[key] != value:
            yield f"has the label {key}={labels[key]}, not {value}"
    for taint in pool.taints:
        if taint.effect != "PreferNoSchedule" and not any(tolerates(t, taint) for t in group.tolerations):
            yield f"has the taint {taint}, which is not tolerated"
    for name, there, asked in (("CPU", pool.cpu, group.cpu), ("memory", pool.memory, group.memory)):
        limit, amount = (parse_quantity(text) if text else None for text in (there, asked))
        if limit is not None and amount is not None and amount > limit:
            yield f"has nodes with {there} of {name}, and a pod asks for {asked}"


def _gpu_mismatches(pool: NodePool, group: PodGroup) -> Iterator[str]:
    if pool.gpu is None:
        yield "has no GPUs"
    elif pool.gpu.resource != group.gpu_resource:
        yield f"has {pool.gpu.resource}, not {group.gpu_resource}"
    elif group.gpus > pool.gpu.count:
        yield f"has {pool.gpu.count} per node"
    if pool.size < group.nodes:
        yield f"has {pool.size} nodes, and a replica takes {group.nodes}"


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether a toleration matches a taint (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/)."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if not toleration.key:
        return toleration.operator == "Exists"
    return toleration.key == taint.key and (toleration.operator == "Exists" or (toleration.value or "") == taint.value)


def matching_pools(pools: Sequence[NodePool], group: PodGroup) -> list[NodePool]:
    """The pools whose nodes take pods of the group."""
    return [pool for pool in pools if next(mismatches(pool, group), None) is None]
