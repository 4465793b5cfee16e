"""A preview as plain data, as ``--format json`` prints it."""

from typing import Any

from airunway.assessment.finding import Severity
from airunway.planning.deployment import PlannedDeployment
from airunway.program.record import Preview, Resource
from airunway.report.assessment_difference import MODEL_MOVES
from airunway.report.assessment_document import assessment_document, assessments_by_name
from airunway.report.model_and_gpus import model_document
from airunway.selection.select import Candidate


def preview_document(preview: Preview) -> dict[str, Any]:
    """Return the stack's decisions, resources and warnings, in a stable order and without secrets."""
    assessments = assessments_by_name(preview.assessment)
    moves = preview.plan.settings.model_moves
    return {
        "stack": preview.stack,
        "deployments": [deployment_document(d) | assessments.get(d.name, {}) for d in preview.plan.deployments],
        "resources": [_resource(r) for r in preview.resources],
        "warnings": list(preview.plan.warnings),
        **assessment_document(preview.assessment),
        **({MODEL_MOVES: str(moves)} if moves is Severity.MANDATORY else {}),
    }


def deployment_document(planned: PlannedDeployment) -> dict[str, Any]:
    """Return one deployment's model and decision; ``rule`` is null if provider.name names the provider."""
    selection = planned.request.selection
    rule = selection.rule
    return {
        "name": planned.name,
        "delivery": str(planned.delivery),
        "engine": str(selection.engine),
        "provider": selection.provider,
        "reason": selection.reason,
        "rule": rule.model_dump(mode="json", exclude_none=True) if rule else None,
        "candidates": [candidate_document(c) for c in selection.candidates],
        **model_document(planned),
    }


def candidate_document(candidate: Candidate) -> dict[str, Any]:
    """Return one candidate of a decision, without its rules."""
    return {
        "provider": candidate.provider,
        "eligible": candidate.eligible,
        "priority": candidate.priority,
        "why": candidate.reason,
    }


def _resource(resource: Resource) -> dict[str, Any]:
    optional: dict[str, Any] = {"secrets": resource.secrets} if resource.secrets else {}
    if resource.retained:
        optional["retained"] = True
    if resource.aliases:
        optional["aliases"] = list(resource.aliases)
    if resource.replacement_trigger:
        optional["replacementTrigger"] = resource.replacement_trigger
    return {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "parent": resource.parent,
        "dependencies": list(resource.dependencies),
        "inputs": resource.inputs,
        **optional,
    }
