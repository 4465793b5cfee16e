"""The console's pages of one deployment."""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airunway.console.chat_page import MOST_TOKENS, ChatPage
from airunway.console.cluster_reading import read_in_time
from airunway.console.detail_page import detail_values, event_values, live_values, log_values
from airunway.console.form_requests import named_stack
from airunway.console.history_page import history_values
from airunway.console.last_update import last_update
from airunway.console.metrics_page import MetricsPage
from airunway.console.project import Project
from airunway.live.logs import BYTES, LINES
from airunway.live.pods import LogSource
from airunway.live.status import MISSING
from airunway.report.event_text import age
from airunway.text.problems import InputError

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
            Route(f"{path}/history", self.history),
            Route(f"{path}/last-update", self.last_update),
        ]

    async def detail(self, request: Request) -> Response:
        """Show one deployment."""
        stack, name = self._named(request)
        values = detail_values(self._project, stack, name)
        cli = shutil.which("pulumi") is not None
        return self._render(request, "detail.html", most_tokens=MOST_TOKENS, cli=cli, **values)

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

    async def history(self, request: Request) -> Response:
        """Show who changed the entry of one deployment, or why that is not known."""
        values = await run_in_threadpool(history_values, self._project, *self._named(request))
        now = datetime.now(UTC)
        changes = [(shown, age(shown.at, now) if shown.at else "") for shown in values.get("changes", ())]
        return self._render(request, "history.html", **values | {"changes": changes})

    async def last_update(self, request: Request) -> Response:
        """Show when the stack was last applied, or why Pulumi does not tell."""
        stack, _ = self._named(request)
        sentence = problem = ""
        try:
            update = await last_update(self._project.root, stack)
            sentence = update.sentence(stack, age(update.at, datetime.now(UTC))) if update else ""
        except InputError as error:
            problem = str(error)
        return self._render(request, "last_update.html", sentence=sentence, problem=problem)

    def _named(self, request: Request) -> tuple[str, str]:
        return named_stack(request, self._project), str(request.path_params["name"])
