"""Which nodes of a cluster's pools the GPU pods of its deployments go to: first fit, the largest pods first.

The scheduler may choose otherwise: what does not fit here may fit by another order, but hardly ever does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from airunway.assessment.node_match import matching_pools
from airunway.assessment.node_pool import NodePool
from airunway.provider.pod_groups import PodGroup
from airunway.spec.quantities import parse_quantity


@dataclass(frozen=True)
class Claim:
    """A group of pods that asks for nodes, of a deployment in a stack."""

    stack: str
    deployment: str
    group: PodGroup


@dataclass(frozen=True)
class Placement:
    """What became of a claim: its pods by the name of their pool, and how many have no place."""

    claim: Claim
    pods: dict[str, int]
    missing: int
    fitting: tuple[str, ...]
    """The pools whose nodes would take the pods if they were free."""


@dataclass
class _Node:
    gpus: int
    cpu: Decimal | None
    memory: Decimal | None

    def takes(self, size: "_Size") -> bool:
        return (
            self.gpus >= size.gpus
            and (self.cpu is None or self.cpu >= size.cpu)
            and (self.memory is None or self.memory >= size.memory)
        )

    def take(self, size: "_Size") -> None:
        self.gpus -= size.gpus
        self.cpu = None if self.cpu is None else self.cpu - size.cpu
        self.memory = None if self.memory is None else self.memory - size.memory


@dataclass(frozen=True)
class _Size:
    gpus: int
    cpu: Decimal
    memory: Decimal


@dataclass
class Packing:
    """The nodes of some pools, and what is placed on them."""

    pools: Sequence[NodePool]
    placements: list[Placement] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._nodes = {pool.name: [_empty(pool) for _ in range(pool.size)] for pool in self.pools}

    def place(self, claims: Iterable[Claim]) -> None:
        """Place the pods of ``claims`` that ask for GPUs, after those that are placed already.

        Of equal pods the first claim's come first, so that what is added to the end of a stack is what finds no place.
        """
        for claim in sorted((c for c in claims if c.group.gpus), key=lambda c: -c.group.gpus):
            self.placements.append(self._placement(claim))

    def used(self, pool: str, stack: str | None = None) -> int:
        """GPUs of the pool that are asked for by all stacks or by one."""
        chosen = (p for p in self.placements if stack is None or p.claim.stack == stack)
        return sum(placement.pods.get(pool, 0) * placement.claim.group.gpus for placement in chosen)

    def _placement(self, claim: Claim) -> Placement:
        pods: dict[str, int] = {}
        fitting = matching_pools(self.pools, claim.group)
        missing = claim.group.pods
        for pool in fitting:
            placed = self._fill(pool, claim.group, missing)
            missing -= placed
            if placed:
                pods[pool.name] = placed
        return Placement(claim, pods, missing, tuple(pool.name for pool in fitting))

    def _fill(self, pool: NodePool, group: PodGroup, pods: int) -> int:
        """Place as many of ``pods`` as the pool takes; return their number."""
        gpus = pool.gpu.count if group.whole_node and pool.gpu else group.gpus
        size = _Size(gpus, _amount(group.cpu), _amount(group.memory))
        placed = 0
        for node in self._nodes[pool.name]:
            while placed < pods and node.takes(size):
                node.take(size)
                placed += 1
        return placed


def _empty(pool: NodePool) -> _Node:
    cpu, memory = (parse_quantity(text) if text else None for text in (pool.cpu, pool.memory))
    return _Node(pool.gpu.count if pool.gpu else 0, cpu, memory)


def _amount(text: str | None) -> Decimal:
    return (parse_quantity(text) if text else None) or Decimal(0)
