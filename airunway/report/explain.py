"""One deployment's decision in full: every provider, every rule with its result, and the evaluated spec."""

from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from airunway.planning.deployment import PlannedDeployment
from airunway.report.preview_document import candidate_document
from airunway.text.yaml_writing import to_yaml


def explanation_text(planned: PlannedDeployment) -> RenderableType:
    """Render the decision for a terminal."""
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
            parts.append(Padding(line.append(rule.condition, style="default"), (0, 0, 0, 2), expand=False))
            if rule.error:
                parts.append(Padding(Text(rule.error, style="yellow"), (0, 0, 0, 15), expand=False))
    parts += [
        Text("\nspec, as the rules evaluated it", style="bold"),
        Padding(Text(to_yaml(selection.rule_input).rstrip()), (0, 0, 0, 2), expand=False),
    ]
    return Group(*parts)


def explanation_document(planned: PlannedDeployment) -> dict[str, Any]:
    """Return the decision as plain data."""
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
                    for r in c.rules
                ],
            }
            for c in selection.candidates
        ],
        "spec": selection.rule_input,
    }
