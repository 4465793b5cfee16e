"""What of a stack needs somebody's attention, the most urgent first: for the top of its page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from airunway.assessment.finding import Finding, Severity
from airunway.live.status import MISSING, DeploymentStatus, OperatorStatus
from airunway.live.survey import Survey
from airunway.provider.observation import Phase
from airunway.report.status_text import first_fields


class Need(StrEnum):
    """Why something needs attention, in order of urgency."""

    FAILED = "failed"
    STOPPED = "stops the update"
    NOT_READY = "not ready"
    NOT_APPLIED = "not applied"
    CHANGED = "not as planned"


@dataclass(frozen=True)
class Attention:
    """One deployment, operator or stack that needs attention; ``deployment`` is empty where it is about none."""

    need: Need
    subject: str
    message: str
    deployment: str = ""


def attention(survey: Survey | None, findings: Iterable[Finding]) -> list[Attention]:
    """Return what needs attention; ``survey`` is None where the cluster can't be read."""
    items = [Attention(Need.STOPPED, f.deployment or "the stack", f.message, f.deployment) for f in _stops(findings)]
    if survey and not is_absent(survey):
        items += [item for status in survey.deployments for item in _of_deployment(status)]
        items += [item for status in survey.operators for item in _of_operator(status)]
    order = list(Need)
    return sorted(items, key=lambda item: order.index(item.need))


def is_absent(survey: Survey) -> bool:
    """Whether nothing of the stack is in the cluster yet."""
    return all(status.message == MISSING for status in survey.deployments)


def _stops(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (finding for finding in findings if finding.severity is Severity.MANDATORY)


def _of_operator(status: OperatorStatus) -> Iterator[Attention]:
    if status.healthy is False:
        subject = f"operator of {status.provider}"
        if status.is_absent:
            yield Attention(Need.NOT_APPLIED, subject, "not installed yet")
        else:
            yield Attention(Need.FAILED, subject, status.message)


def _of_deployment(status: DeploymentStatus) -> Iterator[Attention]:
    name, message = status.name, status.message
    if message == MISSING:
        yield Attention(Need.NOT_APPLIED, name, message, name)
    elif status.phase is Phase.FAILED:
        yield Attention(Need.FAILED, name, message, name)
    elif not status.serves:
        yield Attention(Need.NOT_READY, name, message or str(status.phase), name)
    if status.not_as_planned:
        yield Attention(Need.CHANGED, name, first_fields(status.not_as_planned), name)
