"""Where the deployment of a form would run, and what it would cost: for the page beside the form."""

from dataclasses import dataclass

from airunway.assessment.assessment import Assessment
from airunway.assessment.finding import Severity
from airunway.planning.deployment import PlannedDeployment
from airunway.report.assessment_document import assessments_by_name
from airunway.report.assessment_sentences import cost_text, gpus_text, memory_sentence


@dataclass(frozen=True)
class Place:
    """One sentence, which may be empty, and what stands against it or is to be known."""

    sentence: str
    mandatory: tuple[str, ...]
    advisory: tuple[str, ...]


def place_of(assessment: Assessment, planned: PlannedDeployment) -> Place:
    """Return the place of a deployment in its stack; all empty where the stack declares no node pools."""
    known = assessments_by_name(assessment).get(planned.name, {}).get("assessment")
    sentence = ""
    if known and known["gpus"]:
        pools = f" in {', '.join(known['pools'])}" if known["pools"] else ""
        cost = f"{cost_text(known['cost'], assessment.currency)} a month" if known["cost"] else "cost unknown"
        sentence = "; ".join(
            [f"{gpus_text(known['gpus'])}{pools}, {cost}", *map(memory_sentence, known.get("memory", []))]
        )
    own = [finding for finding in assessment.findings if finding.deployment in ("", planned.name)]
    return Place(
        sentence,
        tuple(finding.message for finding in own if finding.severity is Severity.MANDATORY),
        tuple(finding.message for finding in own if finding.severity is Severity.ADVISORY),
    )
