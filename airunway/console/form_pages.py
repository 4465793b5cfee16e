"""The console's form of a deployment: shown, checked while it is filled in, and shown again with what was typed."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from airunway.assessment.model_lock import LockedModel
from airunway.console.check import Context, FormCheck, check
from airunway.console.fields import form_of, groups
from airunway.console.form_requests import form_data, named_stack, typed_fields
from airunway.console.known_models import KnownModels
from airunway.console.model_choices import free_name, is_on_hub, model_facts, typed_key
from airunway.console.place import Place, place_of
from airunway.console.project import Project


class FormPages:
    """The form of one deployment; ``render`` makes a page of a template and its values."""

    def __init__(self, project: Project, known: KnownModels, render: Callable[..., Response]) -> None:
        self._project, self._known, self._render = project, known, render

    async def form(self, request: Request) -> Response:
        """Show the form for a new or an existing deployment."""
        stack, name = named_stack(request, self._project), request.path_params.get("name")
        if name is None:
            return self.show(request, self._first_values(request, stack), None)
        entries = self._project.entries(stack)
        if name not in entries:
            raise HTTPException(404, f"{name} is not in the files of stack {stack}")
        return self.show(request, form_of(entries[name].data), name)

    def _first_values(self, request: Request, stack: str) -> dict[str, str]:
        """The values that the address of a new form has: fields, or the deployment of a stack to copy."""
        query = dict(request.query_params)
        source, _, name = query.get("copy", "").partition("/")
        if not source:
            return query
        entry = self._project.entries(source).get(name) if source in self._project.stacks else None
        if entry is None:
            raise HTTPException(404, f"{name} is not in the files of stack {source}")
        return form_of(entry.data) | {"name": free_name(name, self._project.context(stack).locations)}

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
        key, known = self._known_model(form, context)
        fields = [field for group in groups() for field in group.fields]
        return self._render(
            request,
            "checked.html",
            checked=checked,
            place=self._place(stack, checked, replacing, context, known),
            fields=fields,
            is_empty=not any(form.get(f.name) for f in fields),
            file=self._target_file(stack, form, replacing),
            model=key,
            facts=list(model_facts(known)) if known else [],
            is_gated=known is not None and known.gated,
            can_be_known=key is not None and is_on_hub(key) and "model.id" not in checked.errors,
        )

    def _known_model(self, form: Mapping[str, str], context: Context) -> tuple[str | None, LockedModel | None]:
        """The key in the lock of the model that a form names, and what is known of it."""
        key = typed_key(form)
        return key, self._known.of(key, context.target.lock) if key else None

    def place(
        self, stack: str, form: Mapping[str, str], checked: FormCheck, replacing: str | None, context: Context
    ) -> Place | None:
        """Where a deployment would run, by what is known of its model; None where it can't be planned."""
        return self._place(stack, checked, replacing, context, self._known_model(form, context)[1])

    def _place(
        self, stack: str, checked: FormCheck, replacing: str | None, context: Context, known: LockedModel | None
    ) -> Place | None:
        if checked.planned is None:
            return None
        planned = replace(checked.planned, locked=checked.planned.locked or known)
        return place_of(self._project.assessment(stack, context.target.settings, planned, replacing), planned)
