"""The console's review of a change to a stack's files, and its saving."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from airunway.assessment.model_lock import LOCK_FILE, ModelLock
from airunway.console.check import FormCheck, check
from airunway.console.file_edit import ConflictError, fingerprint, save
from airunway.console.form_pages import FormPages
from airunway.console.form_requests import form_data, named_stack, reviewed_change, typed_fields
from airunway.console.model_choices import is_on_hub, typed_key
from airunway.console.place import Place
from airunway.console.project import Project
from airunway.program.branch import push_remote
from airunway.text.problems import InputError


class ReviewPages:
    """Shows what a change would write, and writes it; ``render`` makes a page of a template and its values."""

    def __init__(self, project: Project, form_pages: FormPages, render: Callable[..., Response]) -> None:
        self._project, self._form_pages, self._render = project, form_pages, render

    async def review(self, request: Request) -> Response:
        """Show the diff of a change before it is saved."""
        form = await form_data(request)
        stack = named_stack(request, self._project)
        if form.get("kind") != "deployment":
            return await self._show(request, {k: form.get(k) for k in ("kind", "name", "state") if k in form})
        replacing = form.get("replacing") or None
        context = self._project.context(stack)
        checked = check(form, context, replacing)
        if not checked.is_valid:
            return self._form_pages.show(request, typed_fields(form), replacing)
        change = {"kind": "deployment", "entry": checked.entry, "replacing": replacing, "file": form.get("file")}
        place = self._form_pages.place(stack, form, checked, replacing, context)
        lacks_it = _lacks_model(context.target.lock, form)
        return await self._show(request, change, typed=form, decision=checked, place=place, lacks_model=lacks_it)

    async def _show(
        self,
        request: Request,
        change: dict[str, Any],
        conflict: str = "",
        typed: Mapping[str, str] | None = None,
        decision: FormCheck | None = None,
        place: Place | None = None,
        lacks_model: bool = False,
    ) -> Response:
        stack = named_stack(request, self._project)
        edit = self._project.plan_edit(stack, change)
        problems = ""
        try:
            self._project.check(stack, edit)
        except InputError as error:
            problems = str(error)
        return self._render(
            request,
            "review.html",
            status=409 if conflict else 200,
            change=json.dumps(change),
            is_new=change.get("kind") == "deployment" and change.get("replacing") is None,
            read=fingerprint(edit.before),
            difference=edit.difference,
            file=edit.name,
            others=self._project.other_stacks(stack, edit.name) if edit.name else [],
            problems=problems,
            conflict=conflict,
            typed=typed or {},
            decision=decision,
            place=place,
            lock_file=LOCK_FILE if lacks_model else "",
            remote=await asyncio.to_thread(push_remote, self._project.root),
        )

    async def save(self, request: Request) -> Response:
        """Save a reviewed change, unless the file has changed since."""
        form = await form_data(request)
        stack = named_stack(request, self._project)
        change = reviewed_change(form)
        edit = self._project.plan_edit(stack, change)
        try:
            self._project.check(stack, edit)
            save(edit.path, edit.after, form.get("read", ""))
        except ConflictError as error:
            return await self._show(request, change, conflict=str(error))
        except OSError as error:
            message = f"{edit.path.name} can't be saved and is as it was: {error.strerror}"
            raise HTTPException(500, message) from error
        target = "providers" if change["kind"] == "provider" else ""
        return RedirectResponse(f"/stacks/{stack}/{target}?saved={quote(edit.name or '1')}", 303)


def _lacks_model(lock: ModelLock | None, form: Mapping[str, str]) -> bool:
    """Whether the project has a lock, and it lacks the model that a form names."""
    key = typed_key(form)
    return lock is not None and key is not None and is_on_hub(key) and key not in lock.models
