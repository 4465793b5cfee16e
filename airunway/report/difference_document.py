"""A difference as plain data, as ``airunway diff --format json`` prints it."""

from typing import Any

from airunway.report.assessment_difference import AssessmentChange
from airunway.report.compare import Difference
from airunway.report.field_changes import FieldChange
from airunway.report.impact import impacts


def difference_document(difference: Difference) -> dict[str, Any]:
    """Return decisions, what they mean for those served, operators, resources with their fields, and counts."""
    return {
        "stack": difference.stack,
        "selections": [
            {"name": s.name, "old": s.old, "new": s.new, "because": s.because} for s in difference.selections
        ],
        "impact": [f"{name}: {text}" for name, text in impacts(difference)],
        "operators": list(difference.operators),
        "resources": [
            {
                "operation": r.operation,
                "urn": r.urn,
                "kind": r.kind,
                "name": r.name,
                "fields": [_field_document(f) for f in r.fields],
                "forcedBy": list(r.forced_by),
                "refused": list(r.refused),
            }
            for r in difference.resources
        ],
        "counts": difference.counts | {"unchanged": difference.unchanged},
        **_assessment_document(difference.assessment),
    }


def _assessment_document(change: AssessmentChange) -> dict[str, Any]:
    """Return what changes of GPUs and cost, and the findings; empty where nothing is known."""
    if change == AssessmentChange():
        return {}
    return {
        "assessment": {
            "totals": change.totals,
            "deployments": [f"{name}: {text}" for name, text in change.deployments],
            "mandatory": list(change.mandatory),
            "advisory": list(change.advisory),
        }
    }


def _field_document(change: FieldChange) -> dict[str, Any]:
    return (
        {"path": change.field, "secret": True}
        if change.secret
        else {"path": change.field, "old": change.old, "new": change.new}
    )
