"""The console's pages as an ASGI application."""

import re
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from airunway.console.deployment_pages import DeploymentPages
from airunway.console.form_pages import FormPages
from airunway.console.form_requests import named_stack
from airunway.console.graph_page import graph_page
from airunway.console.known_models import KnownModels
from airunway.console.model_pages import ModelPages
from airunway.console.operation_pages import OperationPages
from airunway.console.overview_page import planned_values, status_values
from airunway.console.project import STATES, Project
from airunway.console.pull_request_page import PullRequestPage
from airunway.console.review_pages import ReviewPages
from airunway.console.security import BodyTooLargeError, Guard
from airunway.planning.deployment import PlannedDeployment
from airunway.report.model_and_gpus import gpus_words, model_document, planned_gpus
from airunway.report.preview_text import selection_reason
from airunway.spec.model import Engine
from airunway.text.credentials import without_tokens
from airunway.text.problems import InputError
from airunway.text.terminal import printable
from airunway.text.yaml_writing import to_yaml

_FOLDER = Path(__file__).parent
RUN = (sys.executable, "-m", "airunway.console.run")
"""Command of an operation; action and stack are appended."""


class Console:
    """The pages of one project; ``run`` is the command of an operation."""

    def __init__(self, project: Project, default: str, run: Sequence[str] = RUN) -> None:
        self._project, self._default = project, default
        self.deployment_pages = DeploymentPages(project, self._render)
        self.operations = OperationPages(project, run, needs_cli=run is RUN, render=self._render)
        known = KnownModels()
        self.model_pages = ModelPages(project, known, self._render)
        self.form_pages = FormPages(project, known, self._render)
        self.review_pages = ReviewPages(project, self.form_pages, self._render)
        self.pull_request = PullRequestPage(project, self._render)
        self._templates = Jinja2Templates(_FOLDER / "templates")
        self._templates.env.filters |= {"printable": printable, "yaml": to_yaml, "quoted": _with_code}
        self._templates.env.filters |= {"gpus": planned_gpus, "gpus_words": _gpus_words, "why": selection_reason}

    def app(self, hosts: Iterable[str]) -> Guard:
        """Create the application; ``hosts`` are the accepted values of the Host header."""
        stack = "/stacks/{stack}"
        routes = [
            Route("/", self.home),
            Route(f"{stack}/", self.deployments),
            Route(f"{stack}/status", self.status),
            *self.deployment_pages.routes(f"{stack}/deployments/{{name}}"),
            Route(f"{stack}/graph", self.graph),
            *self.model_pages.routes(f"{stack}/new"),
            Route(f"{stack}/new/form", self.form_pages.form),
            Route(f"{stack}/edit/{{name}}", self.form_pages.form),
            Route(f"{stack}/check", self.form_pages.check, methods=["POST"]),
            Route(f"{stack}/form", self.form_pages.form_again, methods=["POST"]),
            Route(f"{stack}/review", self.review_pages.review, methods=["POST"]),
            Route(f"{stack}/save", self.review_pages.save, methods=["POST"]),
            Route(f"{stack}/pull-request", self.pull_request.open, methods=["POST"]),
            Route(f"{stack}/providers", self.providers),
            Route(f"{stack}/changes", self.operations.changes),
            Route(f"{stack}/actions", self.operations.actions),
            Route(f"{stack}/difference", self.operations.difference),
            Route(f"{stack}/run", self.operations.start, methods=["POST"]),
            Route(f"{stack}/cancel", self.operations.cancel, methods=["POST"]),
            Route(f"{stack}/secret", self.operations.secret, methods=["POST"]),
            Route(f"{stack}/events", self.operations.events),
            Route("/page.css", self.page_style),
            Route("/favicon.ico", _no_content),
            Mount("/static", StaticFiles(directory=_FOLDER / "static")),
        ]
        handlers: Any = {
            InputError: self._bad_input,
            BodyTooLargeError: _body_too_large,
            HTTPException: self._not_found,
            Exception: self._failed,
        }
        return Guard(Starlette(routes=routes, exception_handlers=handlers, lifespan=self._lifespan), hosts)

    async def home(self, _: Request) -> Response:
        """Redirect to the default stack."""
        return RedirectResponse(f"/stacks/{self._default}/", 303)

    async def deployments(self, request: Request) -> Response:
        """Show the stack's deployments; their status is loaded afterwards."""
        values = planned_values(self._project, self._stack(request))
        return self._render(request, "deployments.html", **values, saved=self._saved_file(request))

    def _saved_file(self, request: Request) -> str | None:
        """Return the saved deployment file from the query; any other value means the stack file."""
        saved = request.query_params.get("saved")
        return saved if saved in (None, "1") or saved in self._project.files(self._stack(request)) else "1"

    async def status(self, request: Request) -> Response:
        """Show the deployments with their status, or why it can't be read."""
        return self._render(request, "status.html", **await status_values(self._project, self._stack(request)))

    async def graph(self, request: Request) -> Response:
        """Show the stack's graph, as ``airunway preview --format html`` does."""
        stack = self._stack(request)
        page = await graph_page(self._project.root, stack)
        return (
            page if isinstance(page, Response) else self._render(request, "error.html", 400, problems=page, editable=[])
        )

    async def providers(self, request: Request) -> Response:
        """Show each provider's capabilities, installation and deployments."""
        stack = self._stack(request)
        providers = self._project.providers(stack)
        return self._render(
            request,
            "providers.html",
            providers=providers,
            engines=list(Engine),
            states=STATES,
            saved=self._saved_file(request),
        )

    async def page_style(self, _: Request) -> Response:
        """Serve the style sheet shared with ``airunway preview``."""
        text = (_FOLDER.parent / "report" / "page" / "page.css").read_text(encoding="utf-8")
        return Response(text, media_type="text/css")

    def _stack(self, request: Request) -> str:
        return named_stack(request, self._project)

    def _render(self, request: Request, name: str, status: int = 200, **values: Any) -> Response:
        stack = request.path_params.get("stack", self._default)
        shared = {"stack": stack, "stacks": self._project.stacks, "operation": self.operations.current}
        return self._templates.TemplateResponse(request, name, shared | values, status_code=status)

    async def _bad_input(self, request: Request, error: Exception) -> Response:
        problems = str(error).splitlines()
        editable = [name for name in self._editable(request) if any(_is_about(line, name) for line in problems)]
        return self._render(request, "error.html", 400, problems=problems, editable=editable)

    async def _not_found(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = getattr(error, "detail", str(error))
        if detail == HTTPStatus(status).phrase:
            detail = f"{request.url.path} is no page of this console"
        return self._render(request, "error.html", status, problems=[detail], editable=[])

    async def _failed(self, request: Request, error: Exception) -> Response:
        """Show that a page has a bug; the server prints its traceback."""
        what = f"{type(error).__name__}: {without_tokens(str(error))}"
        message = f"{what}; this is a bug in airunway, whose traceback the console's terminal has"
        try:
            return self._render(request, "error.html", 500, problems=[message], editable=[])
        except Exception:  # the page needs the project's file too
            return PlainTextResponse(message, 500)

    def _editable(self, request: Request) -> list[str]:
        """Return the deployments whose forms may fix the stack."""
        try:
            return list(self._project.entries(request.path_params["stack"]))
        except (InputError, KeyError):
            return []

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self.operations.end()


def _is_about(problem: str, name: str) -> bool:
    """Whether a problem names a deployment, as its place does: ``stacks/Pulumi.dev.yaml:14:7 (chat): …``."""
    return re.search(rf"[(\"'`]{re.escape(name)}[)\"'`]", problem) is not None


def _gpus_words(planned: PlannedDeployment) -> str:
    return gpus_words(model_document(planned))


def _with_code(text: str) -> Markup:
    """Format text between backticks as code."""
    parts = enumerate(printable(text).split("`"))
    return Markup().join(Markup("<code>{}</code>").format(part) if index % 2 else part for index, part in parts)


async def _no_content(_: Request) -> Response:
    return Response(status_code=204)


async def _body_too_large(_: Request, __: Exception) -> Response:
    return PlainTextResponse("The request is too large.", 413)
