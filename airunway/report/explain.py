"""One deployment in full: every provider, every rule with its result, the evaluated spec, and what it takes."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from airunway.assessment.assessment import Assessment
from airunway.assessment.model_lock import short_digest
from airunway.planning.deployment import PlannedDeployment
from airunway.report.assessment_document import assessment_document, assessments_by_name
from airunway.report.assessment_sentences import cost_text, gpus_text, memory_sentence
from airunway.report.model_and_gpus import model_document
from airunway.report.preview_document import candidate_document
from airunway.text.byte_sizes import byte_size
from airunway.text.merge import non_empty
from airunway.text.yaml_writing import to_yaml

_NOTHING = Assessment()


def explanation_text(planned: PlannedDeployment, assessment: Assessment = _NOTHING) -> RenderableType:
    """Render the decision, and what is known of the deployment, for a terminal."""
    selection = planned.request.selection
    parts: list[RenderableType] = [
        Text(planned.name, style="bold").append(
            f": {selection.engine} on {selection.provider}, {selection.reason}", style="not bold"
        )
    ]
    for candidate in selection.candidates:
        chosen = candidate.provider == selection.provider
        head = Text(f"\n{'→' if chosen else ' '} {candidate.provider}", style="bold cyan" if chosen else "bold")
        parts.append(head.append(f"  {candidate.reason}", style="not bold default"))
        for rule in candidate.rules:
            value = "true" if rule.value else "error" if rule.error else "false"
            line = Text(
                f"{rule.priority:>4}  {value:<5}  ", style="green" if rule.value else "yellow" if rule.error else "dim"
            )
            line.append(rule.condition, style="default")
            if rule.description:
                line.append(f"  ({rule.description})", style="dim")
            parts.append(Padding(line, (0, 0, 0, 2), expand=False))
            if rule.error:
                parts.append(Padding(Text(rule.error, style="yellow"), (0, 0, 0, 15), expand=False))
    parts += [
        Text("\nspec, as the rules evaluated it", style="bold"),
        Padding(Text(to_yaml(selection.rule_input).rstrip()), (0, 0, 0, 2), expand=False),
    ]
    if facts := list(deployment_facts(planned, assessment)):
        parts.append(Text("\nwhat it takes", style="bold"))
        parts += [Padding(Text(fact), (0, 0, 0, 2), expand=False) for fact in facts]
    return Group(*parts)


def deployment_facts(planned: PlannedDeployment, assessment: Assessment) -> Iterator[str]:
    """The locked model and images, GPUs with their pools and cost, and the findings, a line each."""
    known_parts = _known(planned, assessment)
    model = known_parts["model"]
    if "revision" in model:
        size = f" ({byte_size(model['bytes'])})" if model["bytes"] else ""
        yield f"model {model['id']} at {model['revision'][:12]}{size}"
    for image, digest in known_parts.get("images", {}).items():
        yield f"image {image} at {short_digest(digest)}"
    if known := known_parts.get("assessment"):
        yield f"GPUs: {gpus_text(known['gpus'])}"
        if known["gpus"]:
            yield f"node pools: {', '.join(known['pools']) or 'none'}"
            yield f"cost: {cost_text(known['cost'], assessment.currency)} a month"
    for use in known_parts.get("assessment", {}).get("memory", []):
        yield f"memory of {memory_sentence(use)}"
    for finding in known_parts.get("findings", []):
        yield f"{'stopped' if finding['severity'] == 'mandatory' else 'advice'}: {finding['message']}"


def explanation_document(planned: PlannedDeployment, assessment: Assessment = _NOTHING) -> dict[str, Any]:
    """Return the decision, and what is known of the deployment, as plain data."""
    selection = planned.request.selection
    return {
        "name": planned.name,
        "engine": str(selection.engine),
        "provider": selection.provider,
        "reason": selection.reason,
        "candidates": [
            {
                **candidate_document(c),
                "rules": [
                    {"condition": r.condition, "priority": r.priority, "value": r.value, "error": r.error}
                    | non_empty(description=r.description)
                    for r in c.rules
                ],
            }
            for c in selection.candidates
        ],
        "spec": selection.rule_input,
        **_known(planned, assessment),
    }


def _known(planned: PlannedDeployment, assessment: Assessment) -> dict[str, Any]:
    """What is known of the deployment beyond its decision, as plain data."""
    findings = assessment_document(assessment).get("assessment", {}).get("findings", [])
    own = [finding for finding in findings if finding["deployment"] == planned.name]
    by_name = assessments_by_name(assessment)
    return {**by_name.get(planned.name, {}), **model_document(planned), **non_empty(findings=own)}
