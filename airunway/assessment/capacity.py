"""Findings of a packing: what no pool can hold, and what finds no free GPUs."""

from collections.abc import Iterator

from airunway.assessment.finding import Concern, Finding, Severity
from airunway.assessment.node_match import mismatches
from airunway.assessment.node_pool import NodePool
from airunway.assessment.packing import Packing, Placement


def capacity_findings(packing: Packing, stack: str) -> Iterator[Finding]:
    """A finding for each group of pods of ``stack`` that has no place."""
    for placement in packing.placements:
        if placement.missing and placement.claim.stack == stack:
            message = _no_free_gpus(packing, placement) if placement.fitting else _no_pool(packing, placement)
            yield Finding(Concern.CAPACITY, Severity.MANDATORY, message, placement.claim.deployment)


def _no_pool(packing: Packing, placement: Placement) -> str:
    pods = f"its pods{_role(packing, placement)} with {_gpus(placement.claim.group.gpus)} each"
    reasons = (f"{pool.name} {' and '.join(mismatches(pool, placement.claim.group))}" for pool in packing.pools)
    return f"no node pool takes {pods}: {'; '.join(reasons)}"


def _no_free_gpus(packing: Packing, placement: Placement) -> str:
    group = placement.claim.group
    pools = (_pool(packing, placement, pool) for pool in packing.pools if pool.name in placement.fitting)
    pods = f"{placement.missing} of its {group.pods} pods{_role(packing, placement)} with {_gpus(group.gpus)} each"
    return f"{pods} find no free node: {'; '.join(pools)}"


def _pool(packing: Packing, placement: Placement, pool: NodePool) -> str:
    """How many GPUs a pool has, and who else asks for them."""
    asked: dict[str, int] = {}
    for other in packing.placements:
        if pool.name in other.pods and other.claim.deployment != placement.claim.deployment:
            stack = other.claim.stack
            owner = other.claim.deployment + ("" if stack == placement.claim.stack else f" of stack {stack}")
            asked[owner] = asked.get(owner, 0) + other.pods[pool.name] * other.claim.group.gpus
    others = ", ".join(f"{gpus} for {owner}" for owner, gpus in asked.items())
    free = pool.gpus - packing.used(pool.name)
    return f"{pool.name} has {_gpus(pool.gpus)} ({free} free{f', {others}' if others else ''})"


def _role(packing: Packing, placement: Placement) -> str:
    """What the pods do, where a deployment has several groups with GPUs."""
    claim = placement.claim
    same = [p for p in packing.placements if (p.claim.stack, p.claim.deployment) == (claim.stack, claim.deployment)]
    return f" of {claim.group.role}" if len(same) > 1 else ""


def _gpus(count: int) -> str:
    return f"{count} GPU" if count == 1 else f"{count} GPUs"
