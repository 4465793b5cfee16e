"""Everything that is known of a stack beyond its objects: GPUs, node pools, cost, findings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from airunway.assessment.cost import Cost
from airunway.assessment.finding import Finding, Severity
from airunway.assessment.memory_use import MemoryUse
from airunway.assessment.packing import Placement


@dataclass(frozen=True)
class GpuCount:
    """GPUs of one kind: a product, or the extended resource where the product is unknown; fewest and most."""

    kind: str
    least: int
    most: int


@dataclass(frozen=True)
class PoolUse:
    """GPUs of a node pool: those it has (fewest and most nodes), and those that this and other stacks ask for."""

    name: str
    product: str
    fewest: int
    most: int
    asked: int
    asked_by_others: int


@dataclass(frozen=True)
class DeploymentAssessment:
    """What is known of one deployment; ``cost`` is None if unknown, ``memory`` is empty."""

    name: str
    gpus: tuple[GpuCount, ...]
    placements: tuple[Placement, ...] = ()
    cost: Cost | None = None
    memory: tuple[MemoryUse, ...] = ()

    @property
    def pools(self) -> Mapping[str, int]:
        """GPUs by the name of the node pool that they are in."""
        gpus: dict[str, int] = {}
        for placement in self.placements:
            for pool, pods in placement.pods.items():
                gpus[pool] = gpus.get(pool, 0) + pods * placement.claim.group.gpus
        return gpus


@dataclass(frozen=True)
class Assessment:
    """What is known of a stack; all empty where it declares neither node pools nor policies."""

    deployments: tuple[DeploymentAssessment, ...] = ()
    pools: tuple[PoolUse, ...] = ()
    cost: Cost | None = None
    currency: str = "$"
    findings: tuple[Finding, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.deployments or self.pools or self.findings)

    @property
    def mandatory(self) -> tuple[Finding, ...]:
        """The findings that stop an update."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.MANDATORY)
