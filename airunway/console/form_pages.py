"""The console's form of a deployment: shown, checked while it is filled in, and shown again with what was typed."""

from collections.abc import Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from airunway.console.check import check
from airunway.console.fields import form_of, groups
from airunway.console.form_requests import form_data, named_stack, typed_fields
from airunway.console.place import place_of
from airunway.console.project import Project
from airunway.provider.aikit import aikit_data


class FormPages:
    """The form of one deployment; ``render`` makes a page of a template and its values."""

    def __init__(self, project: Project, render: Callable[..., Response]) -> None:
        self._project, self._render = project, render

    async def form(self, request: Request) -> Response:
        """Show the form for a new or an existing deployment."""
        stack, name = named_stack(request, self._project), request.path_params.get("name")
        entries, values = self._project.entries(stack), dict[str, str]()
        if name is not None:
            if name not in entries:
                raise HTTPException(404, f"{name} is not in the files of stack {stack}")
            values = form_of(entries[name].data)
        elif premade := request.query_params.get("premade"):
            values = {
                "name": aikit_data()["premade"].get(premade, "").replace(".", "-"),
                "model.source": "aikit",
                "model.id": premade,
            }
        return self.show(request, values, name)

    async def form_again(self, request: Request) -> Response:
        """Show the form again with what was typed, from the review of it."""
        form = await form_data(request)
        return self.show(request, typed_fields(form), form.get("replacing") or None)

    def show(self, request: Request, values: Mapping[str, str], replacing: str | None) -> Response:
        """Show the form with values, for a new deployment or the one called ``replacing``."""
        stack = named_stack(request, self._project)
        context = self._project.context(stack)
        return self._render(
            request,
            "form.html",
            groups=groups(),
            values=values,
            replacing=replacing,
            providers=[config.name for config in context.target.configs],
            premade=aikit_data()["premade"],
            files=self._project.files(stack),
            file=self._target_file(stack, values, replacing),
        )

    def _target_file(self, stack: str, form: Mapping[str, str], replacing: str | None) -> str:
        """Return the deployment file of an existing or new entry, or "" for the stack file."""
        entry = self._project.entries(stack).get(replacing) if replacing else None
        return (entry.location.file or "") if entry else form.get("file", "")

    async def check(self, request: Request) -> Response:
        """Check the form while it is filled in."""
        form = await form_data(request)
        stack, replacing = named_stack(request, self._project), form.get("replacing") or None
        context = self._project.context(stack)
        checked = check(form, context, replacing)
        planned, place = checked.planned, None
        if planned:
            place = place_of(self._project.assessment(stack, context.target.settings, planned, replacing), planned)
        fields = [field for group in groups() for field in group.fields]
        is_empty = not any(form.get(f.name) for f in fields)
        file = self._target_file(stack, form, replacing)
        return self._render(
            request, "checked.html", checked=checked, place=place, fields=fields, is_empty=is_empty, file=file
        )
