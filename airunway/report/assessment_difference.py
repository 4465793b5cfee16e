"""What a change means for GPUs and cost: between the assessments of two previews."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airunway.assessment.finding import Severity
from airunway.assessment.model_lock import short_digest
from airunway.report.assessment_sentences import cost_text, findings_by_severity, gpus_text, money
from airunway.report.model_and_gpus import gpus_words
from airunway.text.byte_sizes import byte_size

MODEL_MOVES = "modelMoves"
"""Key of a preview that says what follows if its models move; it is advice if there is none."""


@dataclass(frozen=True)
class AssessmentChange:
    """What changes: the totals in one line, deployments by name, and the findings about the new state."""

    totals: str = ""
    deployments: tuple[tuple[str, str], ...] = ()
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
    for name in before:
        if before[name] and after.get(name) and (moved := _moved(before[name], after[name])):
            yield name, moved


def _totals(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    by_product = _has_products(old) and _has_products(new)
    before, after = (_gpu_totals(side, by_product=by_product) for side in (old, new))
    if before is not None and after is not None:
        for kind in dict.fromkeys((*before, *after)):
            change = after.get(kind, 0) - before.get(kind, 0)
            if change:
                yield f"{change:+,} {kind or ('GPU' if abs(change) == 1 else 'GPUs')}"
    costs = [_known_cost(document) for document in (old, new)]
    if costs[0] is not None and costs[1] is not None and round(costs[1]) != round(costs[0]):
        amount = money(costs[1] - costs[0], currency_of(new) or currency_of(old))
        yield f"{'' if amount.startswith('-') else '+'}{amount} a month"


def _has_products(document: Mapping[str, Any]) -> bool:
    """Whether the products of all GPUs are known; a stack without deployments has none."""
    return all("assessment" in deployment for deployment in document["deployments"])


def _gpu_totals(document: Mapping[str, Any], *, by_product: bool) -> dict[str, int] | None:
    """The GPUs of a stack by kind, at most; all of one kind, the empty one, or None if some are not counted."""
    totals: dict[str, int] = {}
    for deployment in document["deployments"]:
        if not by_product:
            if deployment.get("gpus") is None:
                return None
            totals[""] = totals.get("", 0) + deployment["gpus"]["most"]
            continue
        for count in deployment["assessment"]["gpus"]:
            totals[count["kind"]] = totals.get(count["kind"], 0) + count["most"]
    return totals


def _known_cost(document: Mapping[str, Any]) -> float | None:
    """The cost of a stack per month, at most; a stack without deployments costs nothing."""
    if not document["deployments"]:
        return 0.0
    cost = document.get("assessment", {}).get("cost")
    return None if cost is None else float(cost["most"])


def currency_of(document: Mapping[str, Any]) -> str:
    """The currency of a preview's costs; empty if it has none."""
    return str(document.get("assessment", {}).get("currency", ""))


def _deployments(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The deployments that stay and whose model, GPUs or cost change, or what of theirs is locked moves, and how."""
    before, after = ({d["name"]: d for d in side["deployments"]} for side in (old, new))
    currency = currency_of(new) or currency_of(old)
    for name in before:
        if name not in after:
            continue
        sides = before[name], after[name]
        moved = _moved(*(side.get("model") for side in sides))
        images = _moved_images(*(side.get("images", {}) for side in sides))
        known = _assessed([side.get("assessment") for side in sides], currency)
        if parts := [*([moved] if moved else []), *images, *_exchanged(*sides), *known]:
            yield name, ", ".join(parts)


def taken_by(deployment: Mapping[str, Any], currency: str) -> str:
    """What a deployment takes: its model, its GPUs by product where that is known, and its cost."""
    known = deployment.get("assessment")
    parts = [deployment["model"]["id"], gpus_text(known["gpus"]) if known and known["gpus"] else gpus_words(deployment)]
    if known and known["gpus"] and known["cost"] is not None:
        parts.append(f"{cost_text(known['cost'], currency)} a month")
    return ", ".join(parts)


def _assessed(sides: Sequence[Mapping[str, Any] | None], currency: str) -> Iterator[str]:
    """What changes of the GPUs by product, of their cost, and of the context that fits them."""
    texts = [gpus_text(side["gpus"]) if side else "–" for side in sides]
    if texts[0] != texts[1]:
        yield f"{texts[0]} -> {texts[1]}"
    costs = [cost_text(side["cost"], currency) if side and side["gpus"] else "–" for side in sides]
    if costs[0] != costs[1]:
        yield f"{costs[0]} -> {costs[1]} a month"
    contexts = [_longest(side) for side in sides]
    if all(contexts) and contexts[0] != contexts[1]:
        yield f"longest context about {contexts[0]:,} -> {contexts[1]:,} tokens"


def _exchanged(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Another model, and another number of GPUs where their kinds are unknown."""
    models = [side["model"]["id"] if "model" in side else None for side in (old, new)]
    if all(models) and models[0] != models[1]:
        yield f"{models[0]} -> {models[1]}"
    if "assessment" not in old and "assessment" not in new and "gpus" in old and "gpus" in new:
        counts = [gpus_words(side) for side in (old, new)]
        if counts[0] != counts[1]:
            yield f"{counts[0]} -> {counts[1]}"


def _longest(assessment: Mapping[str, Any] | None) -> int | None:
    """The longest context that fits every worker; None if it is unknown."""
    uses = (assessment or {}).get("memory", [])
    found = [use["longest"] for use in uses]
    return min(found) if found and None not in found else None


def _moved(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    """What happens to a locked model; empty if nothing, or if it is another model."""
    old, new = (side if side and side.get("revision") else None for side in (old, new))
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


def _moved_images(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """What happens to locked images; another tag is another image, and no move."""
    for image in sorted({*old, *new}):
        before, after = (short_digest(side[image]) if image in side else "" for side in (old, new))
        if before and after and before != after:
            yield f"image {image} moved from {before} to {after}"
        elif not old:
            yield f"image {image} locked at {after}"
        elif not new:
            yield f"image {image} no longer locked, was {before}"
