"""Assesses a plan: what its deployments ask of the cluster's node pools, what they cost, and what policies say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from airunway.assessment.assessment import Assessment, DeploymentAssessment, GpuCount, PoolUse
from airunway.assessment.capacity import capacity_findings
from airunway.assessment.cost import Cost, cost_of
from airunway.assessment.finding import Concern, Finding, Severity
from airunway.assessment.node_pool import NodePool
from airunway.assessment.packing import Claim, Packing, Placement
from airunway.assessment.policy_check import policy_findings
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.plan import Plan
from airunway.planning.pod_demand import pod_groups
from airunway.planning.policy_input import deployment_variables, stack_variable

_PRODUCT = "nvidia.com/gpu.product"


def assess(plan: Plan, others: Mapping[str, Plan] | None = None, stack: str = "") -> Assessment:
    """Assess the plan of ``stack``; ``others`` are the plans of other stacks of the same cluster, by name."""
    assessment = _with_pools(plan, others or {}, stack) if plan.node_pools else Assessment()
    if not plan.policies:
        return assessment
    violations = policy_findings(
        plan.policies, stack_variable(plan, stack, assessment), deployment_variables(plan, assessment)
    )
    return replace(assessment, findings=(*assessment.findings, *violations))


def _with_pools(plan: Plan, others: Mapping[str, Plan], stack: str) -> Assessment:
    packing = Packing(plan.node_pools)
    # What runs already has its place: a change of this stack is what finds none.
    packing.place(claim for name, other in others.items() for claim in _claims(other, name))
    packing.place(_claims(plan, stack))
    own = [placement for placement in packing.placements if placement.claim.stack == stack]
    deployments = tuple(_deployment(planned, own, plan.node_pools) for planned in plan.deployments)
    return Assessment(
        deployments,
        tuple(_pool_use(pool, packing, stack) for pool in plan.node_pools if pool.gpu),
        _total([deployment.cost for deployment in deployments]),
        plan.settings.currency,
        (*capacity_findings(packing, stack), *_uncounted(plan)),
    )


def _uncounted(plan: Plan) -> Iterator[Finding]:
    """Advice for each deployment whose pods can't be known."""
    for planned in plan.deployments:
        if pod_groups(planned) is None:
            message = "which pods it makes can't be known, so its GPUs are not counted"
            yield Finding(Concern.CAPACITY, Severity.ADVISORY, message, planned.name)


def _claims(plan: Plan, stack: str) -> Iterator[Claim]:
    for planned in plan.deployments:
        yield from (Claim(stack, planned.name, group) for group in pod_groups(planned) or ())


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
        share = group.replicas * group.nodes / group.pods if group.pods else 1
        parts = [(products[pool], pods) for pool, pods in placement.pods.items()]
        if placement.missing:
            parts.append((f"{group.node_selector.get(_PRODUCT, group.gpu_resource)} (no node)", placement.missing))
        for kind, pods in parts:
            before = counts.get(kind, GpuCount(kind, 0, 0))
            most = pods * group.gpus
            counts[kind] = GpuCount(kind, before.least + round(most * share), before.most + most)
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
