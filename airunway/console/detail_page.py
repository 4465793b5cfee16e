"""One deployment as a page: its decision, what it takes, how to use it, and what lives of it in the cluster."""

from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from airunway.console.project import Project
from airunway.live.api_server.connection import connect
from airunway.live.failures import pod_label
from airunway.live.pods import pods_of
from airunway.live.survey import status_of
from airunway.planning.deployment import PlannedDeployment
from airunway.program.stack_assessment import assess_stack
from airunway.report.explain import deployment_facts
from airunway.text.yaml_writing import to_documents


@dataclass(frozen=True)
class Command:
    """A command to copy, and what it is for."""

    purpose: str
    text: str


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
        "commands": list(_commands(planned, stack)),
        "objects": to_documents([rendered.resource, *rendered.supporting]),
        "editable": set(project.entries(stack)),
    }


def _commands(planned: PlannedDeployment, stack: str) -> tuple[Command, ...]:
    resource = planned.rendered.resource
    selector = f"-n {planned.request.namespace} -l {pod_label(str(resource['kind']))}={resource['metadata']['name']}"
    body = '{"model": "MODEL", "messages": [{"role": "user", "content": "Say hello."}]}'
    return (
        Command("Ask it something", f'airunway chat {planned.name} "Say hello." --stack {stack}'),
        Command("Reach it from here", f"airunway endpoint {planned.name} --stack {stack} --port-forward"),
        Command(
            "Ask by curl, with the address that the command above prints",
            f"curl \"$OPENAI_BASE_URL/chat/completions\" -H 'Content-Type: application/json' -d '{body}'",
        ),
        Command("Read its logs", f"kubectl logs {selector} --tail=100 --all-containers"),
        Command("See why it was chosen", f"airunway explain {planned.name} --stack {stack}"),
    )


async def live_values(project: Project, stack: str, name: str) -> dict[str, Any]:
    """What lives of the deployment: its status and its pods. Raises ``InputError`` and ``HTTPException``."""
    planned = planned_deployment(project, stack, name)
    async with connect(project.plan(stack).settings.cluster, project.root) as connection:
        return {"now": await status_of(connection, planned), "pods": await pods_of(connection, planned)}
