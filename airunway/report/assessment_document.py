"""An assessment as plain data: the parts of a preview's JSON that differences are made of."""

from collections.abc import Mapping
from typing import Any

from airunway.assessment.assessment import Assessment, DeploymentAssessment
from airunway.assessment.cost import Cost
from airunway.assessment.memory_use import MemoryUse
from airunway.text.merge import non_empty


def assessment_document(assessment: Assessment) -> dict[str, Any]:
    """Return pools, cost and findings of a stack; empty where it has none."""
    if not assessment:
        return {}
    return {
        "assessment": {
            "pools": [
                {
                    "name": pool.name,
                    "product": pool.product,
                    "gpus": {"least": pool.fewest, "most": pool.most},
                    "asked": pool.asked,
                    "askedByOthers": pool.asked_by_others,
                }
                for pool in assessment.pools
            ],
            "cost": _cost(assessment.cost),
            "currency": assessment.currency,
            "findings": [
                {
                    "concern": str(finding.concern),
                    "severity": str(finding.severity),
                    "deployment": finding.deployment,
                    "message": finding.message,
                }
                for finding in assessment.findings
            ],
        }
    }


def assessed_parts(assessment: Assessment) -> dict[str, Any]:
    """Return what a preview's document has of an assessment, without everything else in it."""
    deployments = [{"name": name, **parts} for name, parts in assessments_by_name(assessment).items()]
    return {"deployments": deployments, **assessment_document(assessment)}


def assessments_by_name(assessment: Assessment) -> Mapping[str, dict[str, Any]]:
    """Return what is known of each deployment, by its name."""
    return {deployment.name: {"assessment": _deployment(deployment)} for deployment in assessment.deployments}


def _deployment(deployment: DeploymentAssessment) -> dict[str, Any]:
    return {
        "gpus": [{"kind": count.kind, "least": count.least, "most": count.most} for count in deployment.gpus],
        "pools": dict(deployment.pools),
        "cost": _cost(deployment.cost),
        **non_empty(memory=[_memory(use) for use in deployment.memory]),
    }


def _memory(use: MemoryUse) -> dict[str, Any]:
    return {
        "role": use.role,
        "product": use.product,
        "gpus": use.gpus,
        "bytes": use.memory,
        "usable": use.usable,
        "weights": use.weights,
        "cache": use.cache,
        "context": use.context,
        "free": None if use.cache is None else use.free,
        "longest": use.longest,
    }


def _cost(cost: Cost | None) -> dict[str, float] | None:
    return None if cost is None else {"least": round(cost.least, 2), "most": round(cost.most, 2)}
