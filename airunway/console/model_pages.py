"""The console's pages on which the model of a new deployment is chosen."""

from collections.abc import Callable, Iterator

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from airunway.assessment.model_lock import ModelLock
from airunway.console.form_requests import form_data, named_stack
from airunway.console.known_models import KnownModels
from airunway.console.model_choices import (
    ModelChoice,
    copied_choices,
    file_path,
    found_choices,
    gguf_files,
    locked_choices,
    model_facts,
    next_path,
    premade_choices,
    typed_key,
)
from airunway.console.project import Project
from airunway.text.byte_sizes import byte_size
from airunway.text.problems import InputError


class ModelPages:
    """The choice of a model; ``render`` makes a page of a template and its values."""

    def __init__(self, project: Project, known: KnownModels, render: Callable[..., Response]) -> None:
        self._project, self._known, self._render = project, known, render

    def routes(self, path: str) -> list[Route]:
        """The routes below the path of the new deployment."""
        return [
            Route(path, self.choices),
            Route(f"{path}/search", self.search),
            Route(f"{path}/choose", self.choose, methods=["POST"]),
            Route(f"{path}/files", self.files),
            Route(f"{path}/facts", self.facts, methods=["POST"]),
        ]

    async def choices(self, request: Request) -> Response:
        """Show the models that can be chosen without asking anybody."""
        return self._show(request)

    def _show(self, request: Request, problem: str = "", asked: str = "") -> Response:
        stack = named_stack(request, self._project)
        taken, lock = self._taken_and_lock(stack)
        return self._render(
            request,
            "models.html",
            status=200 if not problem else 502,
            locked=locked_choices(lock, taken),
            premade=premade_choices(taken),
            copied=list(self._copied(stack)),
            problem=problem,
            asked=asked,
            without_facts=next_path(asked, None, taken) if asked else "",
        )

    def _copied(self, stack: str) -> Iterator[ModelChoice]:
        """The deployments of all stacks that can be read, those of this one first."""
        for name in sorted(self._project.stacks, key=lambda other: other != stack):
            try:
                yield from copied_choices(name, self._project.entries(name).values())
            except InputError:
                continue

    async def search(self, request: Request) -> Response:
        """Search the hub, and show what it has, or why it can't be asked."""
        named_stack(request, self._project)
        text, found, problem = request.query_params.get("q", "").strip(), list[ModelChoice](), ""
        if not text:
            raise HTTPException(400, "q: a part of a model's name is required")
        try:
            found = list(found_choices(await self._known.search(text)))
        except InputError as error:
            problem = str(error)
        return self._render(request, "found.html", found=found, problem=problem, text=text)

    async def choose(self, request: Request) -> Response:
        """Look up a model that a search has found, and go on with it."""
        stack, form = named_stack(request, self._project), await form_data(request)
        key = form.get("id", "").strip()
        if not key:
            raise HTTPException(400, "id: a model's id is required")
        try:
            found = await self._known.look_up(key)
        except InputError as error:
            return self._show(request, str(error), key)
        return RedirectResponse(f"/stacks/{stack}/new/{next_path(key, found, self._taken_and_lock(stack)[0])}", 303)

    async def files(self, request: Request) -> Response:
        """Show the GGUF files of a model that is known, to choose one."""
        stack, key = named_stack(request, self._project), request.query_params.get("model", "")
        taken, lock = self._taken_and_lock(stack)
        known = self._known.of(key, lock)
        if known is None:
            return RedirectResponse(f"/stacks/{stack}/new", 303)
        files = [(f.path, byte_size(f.bytes), file_path(key, f.path, taken)) for f in gguf_files(known)]
        return self._render(
            request, "files.html", key=key, files=files, facts=model_facts(known), all_files=file_path(key, None, taken)
        )

    async def facts(self, request: Request) -> Response:
        """Look up the model that a form names; the form is checked again with what is found."""
        named_stack(request, self._project)
        key = typed_key(await form_data(request))
        if key is None:
            raise HTTPException(400, "model.id: the id of a model on Hugging Face is required")
        try:
            await self._known.look_up(key)
        except InputError as error:
            return self._render(request, "unknown.html", problem=str(error))
        response = self._render(request, "unknown.html", problem="")
        response.headers["HX-Trigger"] = "known"
        return response

    def _taken_and_lock(self, stack: str) -> tuple[set[str], ModelLock | None]:
        """The names of the stack's deployments, and the project's lock."""
        context = self._project.context(stack)
        return set(context.locations), context.target.lock
