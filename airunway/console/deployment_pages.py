"""The console's pages of one deployment."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airunway.console.chat_page import MOST_TOKENS, ChatPage
from airunway.console.cluster_reading import read_in_time
from airunway.console.detail_page import detail_values, event_values, live_values, log_values
from airunway.console.form_requests import named_stack
from airunway.console.metrics_page import MetricsPage
from airunway.console.project import Project
from airunway.live.logs import BYTES, LINES
from airunway.live.pods import LogSource
from airunway.live.status import MISSING
from airunway.report.event_text import age

_SHOWN_EVENTS, _MOST_EVENTS = 5, 60
"""Events that are shown at once, and those that are shown at all."""


class DeploymentPages:
    """The page of a deployment, and what it loads of the cluster; ``render`` makes one of a template and its values."""

    def __init__(self, project: Project, render: Callable[..., Response]) -> None:
        self._project, self._render = project, render
        self._chat, self._metrics = ChatPage(project), MetricsPage(project, render)

    def routes(self, path: str) -> list[Route]:
        """The routes at and below ``path``, which has the parameters ``stack`` and ``name``."""
        return [
            Route(path, self.detail),
            Route(f"{path}/live", self.live),
            Route(f"{path}/events", self.events),
            Route(f"{path}/log", self.log),
            Route(f"{path}/chat", self._chat.answer, methods=["POST"]),
            Route(f"{path}/metrics", self._metrics.show),
        ]

    async def detail(self, request: Request) -> Response:
        """Show one deployment."""
        stack, name = self._named(request)
        values = detail_values(self._project, stack, name)
        return self._render(request, "detail.html", most_tokens=MOST_TOKENS, **values)

    async def live(self, request: Request) -> Response:
        """Show what lives of one deployment, or why it can't be read."""
        stack, name = self._named(request)
        reading = await read_in_time(live_values(self._project, stack, name))
        now_is = time.strftime("%H:%M:%S")
        values = {"deployment": name, "reading": reading, "MISSING": MISSING, "now_is": now_is, **(reading.value or {})}
        return self._render(request, "live.html", **values)

    async def events(self, request: Request) -> Response:
        """Show the events of one deployment, or why they can't be read."""
        stack, name = self._named(request)
        reading = await read_in_time(event_values(self._project, stack, name))
        events, now = reading.value or (), datetime.now(UTC)
        shown = [(event, age(event.at, now)) for event in events[:_MOST_EVENTS]]
        first, rest = shown[:_SHOWN_EVENTS], shown[_SHOWN_EVENTS:]
        values = {"reading": reading, "first": first, "rest": rest, "hidden": len(events) - len(shown)}
        return self._render(request, "events.html", **values)

    async def log(self, request: Request) -> Response:
        """Show the end of a log of one of the deployment's pods, or why it can't be read."""
        stack, name = self._named(request)
        query = request.query_params
        pod, source = query.get("pod", ""), LogSource(query.get("container", ""), query.get("previous") == "true")
        if not pod or not source.container:
            raise HTTPException(400, "pod and container are required")
        reading = await read_in_time(log_values(self._project, stack, name, pod, source))
        values = {
            "deployment": name,
            "pod": pod,
            "source": source,
            "reading": reading,
            "most": LINES,
            "most_bytes": f"{BYTES:,}",
        }
        return self._render(request, "log.html", now_is=time.strftime("%H:%M:%S"), **values)

    def _named(self, request: Request) -> tuple[str, str]:
        return named_stack(request, self._project), str(request.path_params["name"])
