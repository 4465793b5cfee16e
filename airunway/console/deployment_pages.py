"""The console's pages of one deployment."""

import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airunway.console.cluster_reading import read_in_time
from airunway.console.detail_page import detail_values, live_values
from airunway.console.form_requests import named_stack
from airunway.console.project import Project
from airunway.live.status import MISSING


class DeploymentPages:
    """The page of a deployment, and what it loads of the cluster; ``render`` makes one of a template and its values."""

    def __init__(self, project: Project, render: Callable[..., Response]) -> None:
        self._project, self._render = project, render

    def routes(self, path: str) -> list[Route]:
        """The routes at and below ``path``, which has the parameters ``stack`` and ``name``."""
        return [Route(path, self.detail), Route(f"{path}/live", self.live)]

    async def detail(self, request: Request) -> Response:
        """Show one deployment."""
        stack, name = self._named(request)
        return self._render(request, "detail.html", **detail_values(self._project, stack, name))

    async def live(self, request: Request) -> Response:
        """Show what lives of one deployment, or why it can't be read."""
        stack, name = self._named(request)
        found, problem = await read_in_time(live_values(self._project, stack, name))
        now_is = time.strftime("%H:%M:%S")
        return self._render(request, "live.html", problem=problem, MISSING=MISSING, now_is=now_is, **(found or {}))

    def _named(self, request: Request) -> tuple[str, str]:
        return named_stack(request, self._project), str(request.path_params["name"])
