"""One deployment as a page: its decision, what it takes, how to use it, and what lives of it in the cluster."""

from typing import Any

from starlette.exceptions import HTTPException

from airunway.console.project import Project
from airunway.console.snippets import served_name, snippets
from airunway.live.api_server.connection import connect
from airunway.live.events import Event, events_of
from airunway.live.logs import Log, log_of
from airunway.live.pods import LogSource, pods_of
from airunway.live.survey import status_of
from airunway.planning.deployment import PlannedDeployment
from airunway.program.stack_assessment import assess_stack
from airunway.report.explain import deployment_facts
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_writing import to_documents


def planned_deployment(project: Project, stack: str, name: str) -> PlannedDeployment:
    """The deployment of that name. Raises ``HTTPException`` if there is none."""
    found = next((planned for planned in project.plan(stack).deployments if planned.name == name), None)
    if found is None:
        raise HTTPException(404, f"stack {stack} has no deployment {name}")
    return found


def detail_values(project: Project, stack: str, name: str) -> dict[str, Any]:
    """The values of the page. Raises ``InputError`` and ``HTTPException``."""
    planned = planned_deployment(project, stack, name)
    assessment = assess_stack(project.root, stack, project.plan(stack))
    rendered = planned.rendered
    return {
        "planned": planned,
        "selection": planned.request.selection,
        "facts": list(deployment_facts(planned, assessment)),
        "endpoint": rendered.endpoint.url(planned.request.namespace),
        "snippets": snippets(planned, stack),
        "model_name": served_name(planned),
        "objects": to_documents([rendered.resource, *rendered.supporting]),
        "editable": set(project.entries(stack)),
    }


async def live_values(project: Project, stack: str, name: str) -> dict[str, Any]:
    """What lives of the deployment: its status and its pods. Raises ``InputError`` and ``HTTPException``."""
    planned = planned_deployment(project, stack, name)
    async with connect(project.plan(stack).settings.cluster, project.root) as connection:
        return {"now": await status_of(connection, planned), "pods": await pods_of(connection, planned)}


async def event_values(project: Project, stack: str, name: str) -> tuple[Event, ...]:
    """The events of the deployment's objects. Raises ``InputError`` and ``HTTPException``."""
    planned, plan = planned_deployment(project, stack, name), project.plan(stack)
    async with connect(plan.settings.cluster, project.root) as connection:
        return await events_of(connection, planned, plan.deployments)


async def log_values(project: Project, stack: str, name: str, pod: str, source: LogSource) -> Log:
    """The end of a log of one of the deployment's pods. Raises ``InputError`` and ``HTTPException``."""
    planned = planned_deployment(project, stack, name)
    async with connect(project.plan(stack).settings.cluster, project.root) as connection:
        found = next((p for p in await pods_of(connection, planned) if p.name == pod), None)
        if found is None:
            raise InputError([Problem(f"Pod {pod}", f"is not, or no longer, one of {name}")])
        if source.container not in {log.container for log in found.logs}:
            raise InputError([Problem(f"Pod {pod}", f"has no log of a container {source.container} yet")])
        return await log_of(connection, planned.request.namespace, pod, source)
