"""What policies see of a plan, as plain data."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from airunway.assessment.assessment import Assessment
from airunway.assessment.cost import Cost
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.known_values import with_known_values
from airunway.planning.plan import Plan
from airunway.planning.pod_demand import Demand, gpu_total, pod_groups
from airunway.provider.image_references import images_in
from airunway.provider.pod_groups import PodGroup
from airunway.spec.checks import trusting_fields


def policy_variables(
    plan: Plan, name: str, assessment: Assessment, demand: Demand
) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """The variable ``stack``, and the name and variables of each deployment."""
    costs = {deployment.name: deployment.cost for deployment in assessment.deployments}
    variables: list[tuple[str, dict[str, Any]]] = [
        (
            planned.name,
            _declared(planned, costs.get(planned.name), demand[planned.name])
            | {"objects": with_known_values([planned.rendered.resource, *planned.rendered.supporting])},
        )
        for planned in plan.deployments
    ]
    return stack_variable(name, [own["deployment"] for _, own in variables]), variables


def stack_variable(name: str, deployments: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The variable ``stack`` of the variables ``deployment`` of all its deployments."""
    return {
        "name": name,
        "gpus": _total([deployment["gpus"] for deployment in deployments]),
        "costPerMonth": _total([deployment["costPerMonth"] for deployment in deployments]),
        "deployments": list(deployments),
    }


POLICY_INPUT = "policyInput"
"""Output of a ModelDeployment that tells a policy pack what its objects don't say."""


def policy_input(planned: PlannedDeployment, cost: Cost | None) -> str:
    """The variables ``deployment`` and ``decision`` as JSON, which keeps nulls and kinds of numbers in Pulumi's state.

    There are placeholders in it instead of secrets and other Outputs.
    """
    return json.dumps(_declared(planned, cost, pod_groups(planned)), sort_keys=True)


def container_images(value: Any) -> list[str]:
    """The container images in objects, each once."""
    return sorted(set(images_in(value)))


def _declared(planned: PlannedDeployment, cost: Cost | None, groups: Sequence[PodGroup] | None) -> dict[str, Any]:
    return {"deployment": _deployment(planned, cost, gpu_total(groups)), "decision": _decision(planned)}


def _deployment(planned: PlannedDeployment, cost: Cost | None, gpus: int | None) -> dict[str, Any]:
    request = planned.request
    return {
        **request.selection.rule_input,
        "name": planned.name,
        "namespace": request.namespace,
        "labels": dict(request.labels_added),
        "images": container_images([planned.rendered.resource, *planned.rendered.supporting]),
        "gpus": gpus,
        "trustsRemoteCode": any(trusting_fields(request.spec)),
        "costPerMonth": cost.most if cost else None,
        "locked": _locked(planned),
    }


def _locked(planned: PlannedDeployment) -> dict[str, Any] | None:
    """What the project's lock has of the model."""
    locked = planned.locked
    if locked is None:
        return None
    return {"revision": locked.revision, "license": locked.license, "gated": locked.gated, "bytes": locked.bytes}


def _total(counts: Sequence[float | None]) -> float | None:
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
