"""What deployments cost by the prices of their node pools: each pays for its share of a node's GPUs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from airunway.assessment.node_pool import NodePool
from airunway.assessment.packing import Placement

HOURS_PER_MONTH = 730
"""A twelfth of a year, as cloud providers' price calculators count."""


@dataclass(frozen=True)
class Cost:
    """Least and most per month, in the stack's currency; they differ where something scales."""

    least: float
    most: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.least + other.least, self.most + other.most)


def cost_of(placements: Iterable[Placement], pools: Sequence[NodePool]) -> Cost | None:
    """The cost of placed pods; None if a price is unknown, or pods have no place."""
    prices = {pool.name: gpu_price(pool) for pool in pools}
    total = Cost(0, 0)
    for placement in placements:
        group = placement.claim.group
        for pool, pods in placement.pods.items():
            price = prices[pool]
            if price is None:
                return None
            most = pods * group.gpus * price * HOURS_PER_MONTH
            total += Cost(most * group.least_share, most)
        if placement.missing:
            return None
    return total


def gpu_price(pool: NodePool) -> float | None:
    """Price of one GPU of the pool for an hour; None if unknown."""
    return pool.price_per_hour / pool.gpu.count if pool.gpu and pool.price_per_hour is not None else None
