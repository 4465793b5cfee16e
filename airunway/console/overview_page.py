"""The deployments of a stack as a page: what needs attention, what is planned, and what of it runs."""

import time
from typing import Any

from airunway.console.attention import attention, is_absent
from airunway.console.cluster_reading import read_in_time
from airunway.console.project import Project
from airunway.live.api_server.connection import connect
from airunway.live.status import MISSING
from airunway.live.survey import Survey, survey
from airunway.program.stack_assessment import assess_stack
from airunway.report.status_text import survey_document


async def status_values(project: Project, stack: str) -> dict[str, Any]:
    """The values of the page: status of the deployments, or why it can't be read. Raises ``InputError``."""
    plan = project.plan(stack)

    async def read() -> Survey:
        async with connect(plan.settings.cluster, project.root) as connection:
            return await survey(connection, stack, plan)

    reading = await read_in_time(read())
    found = reading.value
    document = survey_document(found) if found else {}
    needs = attention(found, assess_stack(project.root, stack, plan).findings)
    urgency = {item.deployment: index for index, item in reversed(list(enumerate(needs)))}
    return {
        "deployments": sorted(plan.deployments, key=lambda d: urgency.get(d.name, len(needs))),
        "live": {deployment["name"]: deployment for deployment in document.get("deployments", [])},
        "operators": found.operators if found else (),
        "problem": reading.problem,
        "needs": needs,
        "running": sum(status.serves for status in found.deployments) if found else 0,
        "editable": set(project.entries(stack)),
        "is_empty": found is not None and bool(found.deployments) and is_absent(found),
        "MISSING": MISSING,
        "now_is": time.strftime("%H:%M:%S"),
    }
