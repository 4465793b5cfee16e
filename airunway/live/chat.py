"""One exchange with a deployment through its OpenAI-compatible API."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
from openai import APIConnectionError, APIError, AsyncOpenAI, DefaultAsyncHttpxClient, omit
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.chat.chat_completion_chunk import ChoiceDelta
from pydantic import BaseModel, ValidationError

from airunway.live.api_server.proxy import is_loopback
from airunway.live.bounded_replies import TooLongReplyError, bound
from airunway.live.client_environment import environment_as_input
from airunway.text.bounded_streams import AS_IT_IS
from airunway.text.problems import InputError, Problem

_CONNECT_SECONDS, _REPLY_SECONDS = 10, 120
"""Longest waits for a connection and for the next chunk; the first request may have to load the model."""
_EXCERPT = 1_000
_SENT = ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
"""Variables whose values the client sends in headers."""


class _InvalidReplyError(Exception):
    """A reply that does not follow the OpenAI API."""


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model]


def checked_url(url: str) -> str:
    """Return ``url`` if it is a valid base URL. Raises ``InputError``."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise InputError([Problem("--url", f"'{url}' given, must be a base URL such as http://127.0.0.1:8000/v1")])
    return url


@dataclass(frozen=True)
class Message:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True)
class Piece:
    """A part of an answer; ``is_cut`` says that the most tokens were reached."""

    text: str
    is_cut: bool = False


async def chat(url: str, text: str, model: str | None = None) -> AsyncIterator[str]:
    """Stream the answer to ``text`` from ``model`` or the first model that ``url`` serves. Raises ``InputError``."""
    async with aclosing(answer(url, [Message("user", text)], model)) as pieces:
        async for piece in pieces:
            yield piece.text


async def answer(
    url: str, messages: Sequence[Message], model: str | None = None, most_tokens: int | None = None
) -> AsyncGenerator[Piece, None]:
    """Stream the answer to a conversation, by default of the first model that ``url`` serves. Raises ``InputError``."""
    client = _client(checked_url(url))
    with _as_input_errors(url):
        async with client:
            async with asyncio.timeout(_REPLY_SECONDS):
                name = model or await _first_model(client, url)
                stream = await client.chat.completions.create(
                    model=name,
                    messages=[_parameter(message) for message in messages],
                    stream=True,
                    max_tokens=omit if most_tokens is None else most_tokens,
                )
            has_text = False
            async for chunk in _with_timeout(stream):
                for piece in _pieces(chunk):
                    has_text = True
                    yield piece
            if not has_text:
                raise _InvalidReplyError("its reply ends without text")


def _parameter(message: Message) -> ChatCompletionMessageParam:
    if message.role == "user":
        return {"role": "user", "content": message.content}
    return {"role": "assistant", "content": message.content}


def _client(url: str) -> AsyncOpenAI:
    """Create a client for ``url``. Raises ``InputError`` where the environment does not allow for one."""
    for name in _SENT:
        value = os.environ.get(name, "")
        if not (value.isascii() and value.isprintable()):  # an error of the client would show the value
            raise InputError([Problem(name, "has characters that are invalid in a header")])
    with environment_as_input(httpx2.InvalidURL):
        http_client = DefaultAsyncHttpxClient(
            trust_env=not is_loopback(urlsplit(url).hostname or ""), event_hooks={"response": [bound]}
        )
    return AsyncOpenAI(
        base_url=url,
        api_key=os.environ.get("OPENAI_API_KEY") or "none",
        timeout=httpx2.Timeout(_REPLY_SECONDS, connect=_CONNECT_SECONDS),
        http_client=http_client,
        default_headers=AS_IT_IS,
    )


async def _with_timeout(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield ``chunks``; raise ``TimeoutError`` if one takes too long, even if keep-alives arrive meanwhile."""
    while True:
        async with asyncio.timeout(_REPLY_SECONDS):
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
        yield chunk


def _pieces(chunk: Any) -> Iterator[Piece]:
    """Yield the part of each choice in a chunk; the client does not validate what it receives (openai 3.54)."""
    choices = chunk.choices if isinstance(chunk, ChatCompletionChunk) else None
    if not isinstance(choices, list):
        raise _InvalidReplyError("a chunk has no choices")
    for choice in choices:
        delta = getattr(choice, "delta", None)
        content = delta.content if isinstance(delta, ChoiceDelta) else delta
        if not isinstance(delta, ChoiceDelta) or not isinstance(content, str | None):
            raise _InvalidReplyError("a choice has no delta with text")
        yield Piece(content or "", getattr(choice, "finish_reason", None) == "length")


async def _first_model(client: AsyncOpenAI, url: str) -> str:
    response = await client.models.with_raw_response.list()
    try:
        models = _Models.model_validate_json(response.http_response.content).data
    except ValidationError as error:
        raise _InvalidReplyError("its list of models is invalid; give --model to name one") from error
    if not models:
        raise InputError([Problem(url, "serves no model (yet); give --model to name one")])
    return models[0].id


@contextmanager
def _as_input_errors(url: str) -> Iterator[None]:
    """Convert failures to an ``InputError`` that names ``url``."""
    try:
        yield
    except InputError:
        raise
    except TimeoutError as error:
        raise InputError([Problem(url, f"sent nothing for {_REPLY_SECONDS} seconds")]) from error
    except (APIConnectionError, httpx2.RequestError) as error:
        # The library leaves what happens in the middle of a refusal as it is (openai 3.54).
        cause = error.__cause__ if isinstance(error, APIConnectionError) and error.__cause__ else error
        if isinstance(cause, TooLongReplyError):
            raise _no_openai(url, str(cause)) from error
        raise InputError([Problem(url, f"can't be reached: {str(cause) or type(cause).__name__}")]) from error
    except APIError as error:
        message = " ".join(error.message.split())
        raise InputError(
            [Problem(url, f"refused: {message if len(message) <= _EXCERPT else message[: _EXCERPT - 1] + '…'}")]
        ) from error
    except (_InvalidReplyError, ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, _InvalidReplyError) else f"unreadable reply ({type(error).__name__})"
        raise _no_openai(url, reason) from error


def _no_openai(url: str, reason: str) -> InputError:
    return InputError([Problem(url, f"does not follow the OpenAI API: {reason}")])
