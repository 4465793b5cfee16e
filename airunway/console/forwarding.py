"""The way from a page to a running deployment: a port forward to one of its ready pods."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from airunway.console.project import Project
from airunway.live.api_server.connection import connect
from airunway.live.forward import port_forward
from airunway.live.survey import status_of
from airunway.planning.deployment import PlannedDeployment


@asynccontextmanager
async def forwarded(project: Project, stack: str, planned: PlannedDeployment) -> AsyncIterator[str]:
    """Forward the deployment's endpoint, as its object tells it, and yield its base URL here. Raises ``InputError``."""
    async with connect(project.plan(stack).settings.cluster, project.root) as connection:
        status = await status_of(connection, planned)
        async with port_forward(connection, planned.request.namespace, status.endpoint) as url:
            yield url
