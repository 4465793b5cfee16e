"""Assesses a plan: what its deployments ask of the cluster's node pools, what they cost, and what policies say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from airunway.assessment.assessment import Assessment, DeploymentAssessment, GpuCount, PoolUse
from airunway.assessment.capacity import capacity_findings
from airunway.assessment.cost import Cost, cost_of
from airunway.assessment.finding import Concern, Finding, Severity
from airunway.assessment.fit import fit_findings, gpu_memory, placed_gpus
from airunway.assessment.node_pool import NodePool
from airunway.assessment.packing import Claim, Packing, Placement
from airunway.assessment.policy_check import policy_findings
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.engine_memory import memory_uses, model_findings
from airunway.planning.plan import Plan
from airunway.planning.pod_demand import Demand, demand_of
from airunway.planning.policy_input import policy_variables

_PRODUCT = "nvidia.com/gpu.product"


def assess(plan: Plan, others: Mapping[str, Plan] | None = None, stack: str = "") -> Assessment:
    """Assess the plan of ``stack``; ``others`` are the plans of other stacks of the same cluster, by name."""
    is_locked = any(planned.locked for planned in plan.deployments)
    demand = demand_of(plan) if plan.node_pools or plan.policies or is_locked else {}
    assessment = _with_pools(plan, demand, others or {}, stack) if plan.node_pools else Assessment()
    misfits = _misfits(plan, demand, assessment.deployments)
    assessment = replace(assessment, findings=(*assessment.findings, *misfits))
    if not plan.policies:
        return assessment
    violations = policy_findings(plan.policies, *policy_variables(plan, stack, assessment, demand))
    return replace(assessment, findings=(*assessment.findings, *violations))


def _with_pools(plan: Plan, demand: Demand, others: Mapping[str, Plan], stack: str) -> Assessment:
    packing = Packing(plan.node_pools)
    # What runs already has its place: a change of this stack is what finds none.
    packing.place(claim for name, other in others.items() for claim in _claims(demand_of(other), name))
    packing.place(_claims(demand, stack))
    own = [placement for placement in packing.placements if placement.claim.stack == stack]
    deployments = tuple(_with_memory(plan, [_deployment(p, own, plan.node_pools) for p in plan.deployments]))
    return Assessment(
        deployments,
        tuple(_pool_use(pool, packing, stack) for pool in plan.node_pools if pool.gpu),
        _total([deployment.cost for deployment in deployments]),
        plan.settings.currency,
        (*capacity_findings(packing, stack), *_uncounted(demand)),
    )


def _with_memory(plan: Plan, deployments: Sequence[DeploymentAssessment]) -> Iterator[DeploymentAssessment]:
    """The deployments with what their locked models take of their GPUs' memory."""
    pools, memory = {pool.name: pool for pool in plan.node_pools}, gpu_memory(plan.settings.gpu_types)
    for planned, known in zip(plan.deployments, deployments, strict=True):
        uses = memory_uses(planned, placed_gpus(known.placements, pools, memory))
        yield replace(known, memory=tuple(uses))


def _misfits(plan: Plan, demand: Demand, deployments: Sequence[DeploymentAssessment]) -> Iterator[Finding]:
    """What of locked models can't be served as asked, and what does not fit its GPUs."""
    severity = plan.settings.fit.severity
    if severity is None:
        return
    memory = {known.name: known.memory for known in deployments}
    for planned in plan.deployments:
        yield from model_findings(planned, demand.get(planned.name), severity)
        for use in memory.get(planned.name, ()):
            yield from fit_findings(planned.name, use, severity)


def _uncounted(demand: Demand) -> Iterator[Finding]:
    """Advice for each deployment whose pods can't be known."""
    message = "which pods it makes can't be known, so its GPUs are not counted"
    for name, groups in demand.items():
        if groups is None:
            yield Finding(Concern.CAPACITY, Severity.ADVISORY, message, name)


def _claims(demand: Demand, stack: str) -> Iterator[Claim]:
    for name, groups in demand.items():
        yield from (Claim(stack, name, group) for group in groups or ())


def _deployment(
    planned: PlannedDeployment, placements: Sequence[Placement], pools: Sequence[NodePool]
) -> DeploymentAssessment:
    own = tuple(placement for placement in placements if placement.claim.deployment == planned.name)
    products = {pool.name: pool.gpu.product for pool in pools if pool.gpu}
    return DeploymentAssessment(planned.name, tuple(_gpu_counts(own, products)), own, cost_of(own, pools))


def _gpu_counts(placements: Sequence[Placement], products: Mapping[str, str]) -> Iterator[GpuCount]:
    """The GPUs of placed pods by product; of the others by what they ask for."""
    counts: dict[str, GpuCount] = {}
    for placement in placements:
        group = placement.claim.group
        parts = [(products[pool], pods) for pool, pods in placement.pods.items()]
        if placement.missing:
            parts.append((f"{group.node_selector.get(_PRODUCT, group.gpu_resource)} (no node)", placement.missing))
        for kind, pods in parts:
            before = counts.get(kind, GpuCount(kind, 0, 0))
            most = pods * group.gpus
            counts[kind] = GpuCount(kind, before.least + round(most * group.least_share), before.most + most)
    yield from counts.values()


def _pool_use(pool: NodePool, packing: Packing, stack: str) -> PoolUse:
    per_node = pool.gpu.count if pool.gpu else 0
    fewest = pool.nodes if pool.nodes is not None else pool.min_nodes
    asked = packing.used(pool.name, stack)
    product = pool.gpu.product if pool.gpu else ""
    return PoolUse(pool.name, product, fewest * per_node, pool.gpus, asked, packing.used(pool.name) - asked)


def _total(costs: Sequence[Cost | None]) -> Cost | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known, Cost(0, 0)) if len(known) == len(costs) else None
