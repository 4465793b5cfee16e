"""What a change means for GPUs and cost: between the assessments of two previews."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airunway.assessment.finding import Severity
from airunway.report.assessment_sentences import cost_text, findings_by_severity, gpus_text, money
from airunway.report.byte_sizes import byte_size

MODEL_MOVES = "modelMoves"
"""Key of a preview that says what follows if its models move; it is advice if there is none."""


@dataclass(frozen=True)
class AssessmentChange:
    """What changes: the totals in one line, a line for each deployment, and the findings about the new state."""

    totals: str = ""
    deployments: tuple[str, ...] = ()
    mandatory: tuple[str, ...] = ()
    advisory: tuple[str, ...] = ()


def compare_assessments(old: Mapping[str, Any], new: Mapping[str, Any]) -> AssessmentChange:
    """Compare two documents from ``preview_document``."""
    mandatory, advisory = findings_by_severity(new)
    # The state before the change decides: a change can't allow itself.
    if old.get(MODEL_MOVES) == Severity.MANDATORY:
        mandatory += [f"{name}: {moved}, which airunway:modelMoves stops" for name, moved in _moved_models(old, new)]
    return AssessmentChange(
        ", ".join(_totals(old, new)),
        tuple(_deployments(old, new)),
        tuple(mandatory),
        tuple(advisory),
    )


def _moved_models(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The deployments on both sides whose locked model moves to another commit, and how."""
    before, after = ({d["name"]: d.get("model") for d in side["deployments"]} for side in (old, new))
    for name in before.keys() & after.keys():
        if before[name] and after[name] and (moved := _moved(before[name], after[name])):
            yield name, moved


def _totals(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, after = _gpu_totals(old), _gpu_totals(new)
    for kind in dict.fromkeys((*before, *after)):
        change = after.get(kind, 0) - before.get(kind, 0)
        if change:
            yield f"{change:+,} {kind}"
    costs = [_known_cost(document) for document in (old, new)]
    if costs[0] is not None and costs[1] is not None and round(costs[1]) != round(costs[0]):
        amount = money(costs[1] - costs[0], _currency(new) or _currency(old))
        yield f"{'' if amount.startswith('-') else '+'}{amount} a month"


def _gpu_totals(document: Mapping[str, Any]) -> dict[str, int]:
    """The GPUs of a stack by kind, at most."""
    totals: dict[str, int] = {}
    for deployment in document["deployments"]:
        for count in deployment.get("assessment", {}).get("gpus", ()):
            totals[count["kind"]] = totals.get(count["kind"], 0) + count["most"]
    return totals


def _known_cost(document: Mapping[str, Any]) -> float | None:
    """The cost of a stack per month, at most; a stack without deployments costs nothing."""
    if not document["deployments"]:
        return 0.0
    cost = document.get("assessment", {}).get("cost")
    return None if cost is None else float(cost["most"])


def _currency(document: Mapping[str, Any]) -> str:
    return str(document.get("assessment", {}).get("currency", ""))


def _deployments(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """A line for each deployment whose locked model moves, and for each whose GPUs or cost change."""
    before, after = ({d["name"]: d.get("assessment") for d in side["deployments"]} for side in (old, new))
    models = [{d["name"]: d.get("model") for d in side["deployments"]} for side in (old, new)]
    currency = _currency(new) or _currency(old)
    for name in dict.fromkeys((*before, *after)):
        if moved := _moved(*(side.get(name) for side in models)):
            yield f"{name}: {moved}"
        parts = []
        sides = before.get(name), after.get(name)
        texts = [gpus_text(side["gpus"]) if side else "–" for side in sides]
        if texts[0] != texts[1]:
            parts.append(f"{texts[0]} -> {texts[1]}")
        costs = [cost_text(side["cost"], currency) if side and side["gpus"] else "–" for side in sides]
        if costs[0] != costs[1]:
            parts.append(f"{costs[0]} -> {costs[1]} a month")
        contexts = [_longest(side) for side in sides]
        if all(contexts) and contexts[0] != contexts[1]:
            parts.append(f"longest context about {contexts[0]:,} -> {contexts[1]:,} tokens")
        if parts and any(sides):
            yield f"{name}: {', '.join(parts)}"


def _longest(assessment: Mapping[str, Any] | None) -> int | None:
    """The longest context that fits every worker; None if it is unknown."""
    uses = (assessment or {}).get("memory", [])
    found = [use["longest"] for use in uses]
    return min(found) if found and None not in found else None


def _moved(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    """What happens to a locked model; empty if nothing, or if it is another model."""
    if old and new and old["id"] == new["id"] and old["revision"] != new["revision"]:
        commits = f"{old['revision'][:7]} to {new['revision'][:7]}"
        is_known = old["bytes"] and new["bytes"]
        size = f" ({byte_size(new['bytes'] - old['bytes'], sign=True)})" if is_known else ""
        return f"model {new['id']} moved from {commits}{size}"
    if new and not old:
        return f"model {new['id']} locked at {new['revision'][:7]}"
    if old and not new:
        return f"model {old['id']} no longer locked, was {old['revision'][:7]}"
    return ""
