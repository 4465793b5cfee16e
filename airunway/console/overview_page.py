"""The deployments of a stack as a page: what needs attention, what is planned, and what of it runs."""

import time
from collections.abc import Iterator
from typing import Any

from airunway.assessment.assessment import Assessment
from airunway.console.attention import attention, is_absent
from airunway.console.cluster_reading import read_in_time
from airunway.console.project import Project
from airunway.live.api_server.connection import connect
from airunway.live.api_server.kubeconfig import name_of
from airunway.live.status import MISSING
from airunway.live.survey import Survey, survey
from airunway.planning.plan import Plan
from airunway.planning.pod_demand import deployments_words
from airunway.program.stack_assessment import assess_stack
from airunway.report.assessment_sentences import cost_text
from airunway.report.status_text import survey_document


def planned_values(project: Project, stack: str) -> dict[str, Any]:
    """The values of the page before the cluster is read. Raises ``InputError``."""
    plan = project.plan(stack)
    return _values(project, stack, plan, None) | {"is_read": False, "plan": plan}


async def status_values(project: Project, stack: str) -> dict[str, Any]:
    """The values of the page: status of the deployments, or why it can't be read. Raises ``InputError``."""
    plan = project.plan(stack)

    async def read() -> Survey:
        async with connect(plan.settings.cluster, project.root) as connection:
            return await survey(connection, stack, plan)

    reading = await read_in_time(read())
    return _values(project, stack, plan, reading.value) | {"is_read": True, "problem": reading.problem}


def _values(project: Project, stack: str, plan: Plan, found: Survey | None) -> dict[str, Any]:
    document = survey_document(found) if found else {}
    assessment = assess_stack(project.root, stack, plan)
    needs = attention(found, assessment.findings)
    urgency = {item.deployment: index for index, item in reversed(list(enumerate(needs)))}
    return {
        "deployments": sorted(plan.deployments, key=lambda d: urgency.get(d.name, len(needs))),
        "live": {deployment["name"]: deployment for deployment in document.get("deployments", [])},
        "operators": found.operators if found else (),
        "problem": "",
        "needs": needs,
        "running": sum(status.serves for status in found.deployments) if found else 0,
        "editable": set(project.entries(stack)),
        "is_empty": found is not None and bool(found.deployments) and is_absent(found),
        "totals": ", ".join(_totals(plan, assessment)),
        "namespaces": sorted({d.request.namespace for d in plan.deployments}),
        "MISSING": MISSING,
        "now_is": time.strftime("%H:%M:%S"),
    }


def _totals(plan: Plan, assessment: Assessment) -> Iterator[str]:
    """Where a stack is deployed, and what it takes in all."""
    yield from (name_of(plan.settings.cluster), deployments_words(plan.deployments))
    if assessment.cost is not None and plan.deployments:
        cost = {"least": assessment.cost.least, "most": assessment.cost.most}
        yield f"{cost_text(cost, assessment.currency)} a month"
