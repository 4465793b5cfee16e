"""A difference as plain data: what ``airunway diff --format json`` prints."""

from typing import Any

from airunway.report.compare import Difference, FieldChange


def difference_document(difference: Difference) -> dict[str, Any]:
    """Decisions, operators, resources with their fields, and counts."""
    return {
        "stack": difference.stack,
        "selections": [
            {"name": s.name, "old": s.old, "new": s.new, "because": s.because} for s in difference.selections
        ],
        "operators": list(difference.operators),
        "resources": [
            {
                "operation": r.operation,
                "urn": r.urn,
                "kind": r.kind,
                "name": r.name,
                "fields": [_field(f) for f in r.fields],
                "forcedBy": list(r.forced_by),
                "refused": list(r.refused),
            }
            for r in difference.resources
        ],
        "counts": difference.counts | {"unchanged": difference.unchanged},
    }


def _field(field: FieldChange) -> dict[str, Any]:
    return (
        {"path": field.path, "secret": True}
        if field.secret
        else {"path": field.path, "old": field.old, "new": field.new}
    )
