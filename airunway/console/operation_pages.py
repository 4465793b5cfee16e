"""The console's pages that preview and apply a stack, one operation at a time."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from sse_starlette import EventSourceResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from airunway.console.command import run_airunway
from airunway.console.form_requests import form_data, named_stack
from airunway.console.operation import Operation
from airunway.console.project import Project
from airunway.live.api_server.kubeconfig import name_of


class OperationPages:
    """The operation that runs or was the last one, and the pages that begin, show and cancel it.

    ``run`` is the command of an operation, to which action and stack are appended; ``needs_cli`` says that it needs the
    Pulumi CLI. ``render`` makes a page of a template and its values.
    """

    def __init__(
        self, project: Project, run: Sequence[str], *, needs_cli: bool, render: Callable[..., Response]
    ) -> None:
        self._project, self._run, self._needs_cli, self._render = project, run, needs_cli, render
        self.current: Operation | None = None
        self._task: asyncio.Task[None] | None = None

    async def changes(self, request: Request) -> Response:
        """Show the page to preview and apply changes."""
        return self._render(request, "changes.html", **self._actions(named_stack(request, self._project)))

    async def actions(self, request: Request) -> Response:
        """Show the buttons again, as what may be applied changes when a preview has ended."""
        return self._render(request, "actions.html", **self._actions(named_stack(request, self._project)))

    def _actions(self, stack: str) -> dict[str, Any]:
        operation = self.current
        refusal = self._refusal(stack)
        return {
            "operation": operation,
            "cli": shutil.which("pulumi") or not self._needs_cli,
            "refusal": refusal,
            "counts": operation.counts if operation and not refusal else "",
            "cluster": name_of(self._project.plan(stack).settings.cluster) if not refusal else "",
        }

    def _refusal(self, stack: str) -> str:
        """Why nothing can be applied; empty after a preview that was seen, of files as they are now."""
        preview = self.current
        if preview is None or preview.stack != stack or preview.action != "preview":
            return "Preview first: what is applied is what a preview has shown."
        if not preview.done:
            return "The preview is running."
        if not preview.succeeded:
            return "The preview did not succeed."
        if preview.files != self._project.digest(stack):
            return "The files have changed since the preview: preview again."
        return ""

    async def difference(self, request: Request) -> Response:
        """Show what the stack changes against the last commit."""
        stack = named_stack(request, self._project)
        result = await run_airunway("diff", "--stack", stack, "--against", "HEAD", "--cwd", str(self._project.root))
        text = result.output or result.errors
        return self._render(request, "difference.html", text=text, failed=not result.succeeded)

    async def start(self, request: Request) -> Response:
        """Start a preview, or the update that a preview has shown."""
        stack, form = named_stack(request, self._project), await form_data(request)
        action, running = form.get("action"), self.current
        if action not in ("preview", "up"):
            raise HTTPException(400, "action: must be preview or up")
        if running and not running.done:
            raise HTTPException(409, f"{running.action} of stack {running.stack} is running; cancel it or wait")
        if action == "up" and (refusal := self._refusal(stack)):
            raise HTTPException(409, refusal)
        operation = self.current = Operation(stack, action, self._project.digest(stack))
        self._task = asyncio.create_task(operation.run([*self._run, action, "--stack", stack], str(self._project.root)))
        return RedirectResponse(f"/stacks/{stack}/changes", 303)

    async def cancel(self, request: Request) -> Response:
        """Cancel the running operation."""
        if self.current:
            self.current.cancel()
        return RedirectResponse(f"/stacks/{named_stack(request, self._project)}/changes", 303)

    async def events(self, request: Request) -> Response:
        """Stream the events of the operation, resuming after the last event id of a reconnecting browser."""
        operation = self.current
        if operation is None:
            raise HTTPException(404, "no operation has been started")
        last_id = request.headers.get("last-event-id", "0")
        first = int(last_id) if last_id.isdecimal() and len(last_id) < 10 else 0

        async def stream() -> AsyncIterator[dict[str, str]]:
            async for number, event in operation.follow(first):
                yield {"id": str(number), "event": event["kind"], "data": json.dumps(event)}

        return EventSourceResponse(stream())

    async def secret(self, request: Request) -> Response:
        """Encrypt the Hugging Face token into the stack file with the Pulumi CLI."""
        stack, form = named_stack(request, self._project), await form_data(request)
        command = ["pulumi", "config", "set", "--secret", "airunway:huggingFaceToken", "--stack", stack]
        if not form.get("token") or not shutil.which("pulumi"):
            raise HTTPException(400, "a token and the Pulumi CLI are required")
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self._project.root,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        # Not as an argument, which other processes can read.
        output, _ = await process.communicate(form["token"].encode())
        if process.returncode:
            text = output.decode("utf-8", "replace").replace(form["token"], "[secret]").strip()
            raise HTTPException(502, text[-500:])
        return RedirectResponse(f"/stacks/{stack}/changes?saved=1", 303)

    async def end(self) -> None:
        """Cancel what runs, and wait for its end."""
        if self.current and not self.current.done:
            self.current.cancel()
            if self._task:
                await self._task
