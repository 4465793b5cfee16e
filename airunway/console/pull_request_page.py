"""The console's page that puts a reviewed change into a branch of its own, for a pull request."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from airunway.console.file_edit import ConflictError, require_unchanged
from airunway.console.form_requests import form_data, named_stack, reviewed_change
from airunway.console.project import Project
from airunway.program.branch import FileChange, push_change


class PullRequestPage:
    """Takes what the review's form holds; ``render`` makes a page of a template and its values."""

    def __init__(self, project: Project, render: Callable[..., Response]) -> None:
        self._project, self._render = project, render

    async def open(self, request: Request) -> Response:
        """Push the change as a branch, and show where its pull request is opened; the files here stay as they are."""
        stack, form = named_stack(request, self._project), await form_data(request)
        change = reviewed_change(form)
        edit = self._project.plan_edit(stack, change)
        try:
            require_unchanged(edit.path, edit.before, form.get("read", ""))
        except ConflictError as error:
            raise HTTPException(409, f"{error}: review it again") from error
        self._project.check(stack, edit)
        subject = f"{stack}-{_name(change)}"
        pushed = await asyncio.to_thread(
            push_change, self._project.root, FileChange(edit.path, edit.after, commit_message(stack, change), subject)
        )
        return self._render(request, "pull_request.html", pushed=pushed)


def commit_message(stack: str, change: Mapping[str, Any]) -> str:
    """The message of a change's commit, in one line."""
    name = _name(change)
    match change:
        case {"kind": "provider", "state": state}:
            return f"Set provider {name} to {state} in stack {stack}\n"
        case {"kind": "remove"}:
            return f"Remove {name} from stack {stack}\n"
        case {"replacing": None, "entry": {"model": {"id": str(model)}}}:
            return f"Serve {model} as {name} in stack {stack}\n"
        case {"replacing": None}:
            return f"Add {name} to stack {stack}\n"
        case {"replacing": before} if before != name:
            return f"Rename {before} to {name} in stack {stack}\n"
    return f"Change {name} in stack {stack}\n"


def _name(change: Mapping[str, Any]) -> str:
    """The deployment or provider that a change is about."""
    return str(change["entry"]["name"] if change["kind"] == "deployment" else change["name"])
