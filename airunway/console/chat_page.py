"""Asks a running deployment from its page: the answer is streamed through a port forward, as by ``airunway chat``."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, Field, Json, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from airunway.console.cluster_reading import missing_right
from airunway.console.detail_page import planned_deployment
from airunway.console.form_requests import form_data, named_stack
from airunway.console.forwarding import forwarded
from airunway.console.project import Project
from airunway.live.chat import Message, answer
from airunway.provider.live_object import shape_problem
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import printable, without_escapes

MOST_TOKENS, MOST_MESSAGES, MOST_CHARACTERS = 4_096, 100, 200_000
"""Tokens of an answer, messages of a conversation and their characters at most."""
_TURN_SECONDS = 5
"""How long a question waits for the answer before it, which ends a moment after its page was left."""
_Say = Callable[[dict[str, Any]], Awaitable[None]]


class _Question(BaseModel):
    messages: Json[Annotated[list[Message], Field(min_length=1, max_length=MOST_MESSAGES)]]
    most_tokens: Annotated[int, Field(ge=1, le=MOST_TOKENS)]


class StreamedLines(StreamingResponse):
    """Lines of JSON, which ``produce`` says in a task of its own: it is cancelled when the reader leaves."""

    def __init__(self, produce: Callable[[_Say], Awaitable[None]]) -> None:
        self._produce = produce
        self._lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(maxsize=64)
        self._task: asyncio.Task[None] | None = None
        super().__init__(self._encoded(), media_type="application/x-ndjson")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines as they come."""
        self._task = asyncio.create_task(self._run())
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await self._produce(self._lines.put)
        except Exception:
            await self._lines.put(None)
            raise
        await self._lines.put(None)  # not once it is cancelled, as nobody takes it then

    async def _encoded(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            yield json.dumps(line) + "\n"
        if self._task:
            await self._task  # raises what was a bug


class ChatPage:
    """Answers one question at a time of each deployment."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def answer(self, request: Request) -> Response:
        """Stream the deployment's answer: lines with ``text``, then one with ``end`` or ``error``."""
        stack, name = named_stack(request, self._project), str(request.path_params["name"])
        planned = planned_deployment(self._project, stack, name)
        try:
            question = _question(await form_data(request))
        except InputError as error:
            return JSONResponse({"error": str(error)}, 400)

        async def produce(say: _Say) -> None:
            try:
                async with self._turn(stack, name), forwarded(self._project, stack, planned) as url:
                    await _answer(url, question, say)
            except InputError as error:
                missing = missing_right(error)
                rule = {"namespace": missing.namespace, "rule": missing.rule} if missing else {}
                await say({"error": printable(str(error)), **rule})

        return StreamedLines(produce)

    @asynccontextmanager
    async def _turn(self, stack: str, name: str) -> AsyncIterator[None]:
        turn = self._turns[stack, name]
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await turn.acquire()
        except TimeoutError as error:
            raise InputError([Problem(name, "answers another question; wait for its end, or stop it")]) from error
        try:
            yield
        finally:
            turn.release()


async def _answer(url: str, question: _Question, say: _Say) -> None:
    is_cut = False
    try:
        async with aclosing(answer(url, question.messages, most_tokens=question.most_tokens)) as pieces:
            async for piece in pieces:
                is_cut = is_cut or piece.is_cut
                if piece.text:
                    await say({"text": without_escapes(piece.text)})
    except InputError as error:  # the address is that of a forward which nobody has asked for
        problems = [replace(p, field="the model server") if p.field == url else p for p in error.problems]
        raise InputError(problems) from error
    await say({"end": f"cut at {question.most_tokens} tokens" if is_cut else ""})


def _question(form: dict[str, str]) -> _Question:
    """The question in a form. Raises ``InputError``."""
    if len(form.get("messages", "")) > MOST_CHARACTERS:
        raise InputError([Problem("messages", f"more than {MOST_CHARACTERS:,} characters; begin a new conversation")])
    try:
        return _Question.model_validate(form)
    except ValidationError as error:
        raise InputError([shape_problem(error)]) from error
