"""What policies see of a plan, as plain data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airunway.assessment.assessment import Assessment
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.plan import Plan
from airunway.planning.pod_demand import gpu_total
from airunway.spec.checks import trusting_fields


def stack_variable(plan: Plan, name: str, assessment: Assessment) -> dict[str, Any]:
    """The variable ``stack``: its name, totals, and its deployments with their decisions."""
    deployments = [_deployment(planned, assessment) for planned in plan.deployments]
    return {
        "name": name,
        "gpus": _total([deployment["gpus"] for deployment in deployments]),
        "costPerMonth": assessment.cost.most if assessment.cost else None,
        "deployments": deployments,
    }


def deployment_variables(plan: Plan, assessment: Assessment) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and variables of each deployment."""
    for planned in plan.deployments:
        yield (
            planned.name,
            {
                "deployment": _deployment(planned, assessment),
                "decision": _decision(planned),
                "objects": [planned.rendered.resource, *planned.rendered.supporting],
            },
        )


def _deployment(planned: PlannedDeployment, assessment: Assessment) -> dict[str, Any]:
    request = planned.request
    cost = next((d.cost for d in assessment.deployments if d.name == planned.name), None)
    return {
        **request.selection.rule_input,
        "name": planned.name,
        "namespace": request.namespace,
        "labels": dict(request.labels_added),
        "images": sorted(set(_images([planned.rendered.resource, *planned.rendered.supporting]))),
        "gpus": gpu_total(planned),
        "trustsRemoteCode": any(trusting_fields(request.spec)),
        "costPerMonth": cost.most if cost else None,
    }


def _total(counts: Sequence[int | None]) -> int | None:
    """The sum; None if a part of it is unknown, with which no comparison can be evaluated."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _decision(planned: PlannedDeployment) -> dict[str, Any]:
    selection = planned.request.selection
    return {
        "provider": selection.provider,
        "engine": str(selection.engine),
        "reason": selection.reason,
        "explicit": selection.rule is None,
        "delivery": str(planned.delivery),
    }


def _images(value: Any) -> Iterator[str]:
    """The container images in an object."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "image" and isinstance(inner, str):
                yield inner
            else:
                yield from _images(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _images(inner)
