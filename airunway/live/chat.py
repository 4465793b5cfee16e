"""One exchange with a deployment through its OpenAI-compatible API."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
from openai import APIConnectionError, APIError, AsyncOpenAI, DefaultAsyncHttpxClient
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDelta
from pydantic import BaseModel, ValidationError

from airunway.live.api_server.proxy import is_loopback
from airunway.text.problems import InputError, Problem

_CONNECT_SECONDS, _SILENT_SECONDS = 10, 120
"""How long a server may take to be reached, and to say the next piece; the first question may have to load the model.
"""
_EXCERPT = 1_000


class _OddError(Exception):
    """An answer that is not what the OpenAI API gives."""


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model]


def checked_url(url: str) -> str:
    """``url`` if it can be a base URL. Raises ``InputError``."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InputError([Problem("--url", f"'{url}' given, must be a base URL such as http://127.0.0.1:8000/v1")])
    return url


async def chat(url: str, text: str, model: str | None = None) -> AsyncIterator[str]:
    """The answer to ``text``, piece by piece; without ``model`` from the first model that ``url`` serves. Raises
    ``InputError``.
    """
    client = AsyncOpenAI(
        base_url=checked_url(url),
        api_key=os.environ.get("OPENAI_API_KEY") or "none",
        timeout=httpx2.Timeout(_SILENT_SECONDS, connect=_CONNECT_SECONDS),
        http_client=DefaultAsyncHttpxClient(trust_env=not is_loopback(urlsplit(url).hostname or "")),
    )
    with _told(url):
        async with client:
            async with asyncio.timeout(_SILENT_SECONDS):
                name = model or await _first_model(client, url)
                stream = await client.chat.completions.create(
                    model=name, messages=[{"role": "user", "content": text}], stream=True
                )
            answered = False
            async for chunk in _timed(stream):
                for piece in _pieces(chunk):
                    answered = True
                    yield piece
            if not answered:
                raise _OddError("it ends without an answer")


async def _timed(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """``chunks``, none of which may be long in coming, whatever else is sent meanwhile."""
    while True:
        async with asyncio.timeout(_SILENT_SECONDS):
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
        yield chunk


def _pieces(chunk: Any) -> Iterator[str]:
    """The text of each of a chunk's choices; the client hands on whatever JSON it is sent (openai 3.54)."""
    choices = chunk.choices if isinstance(chunk, ChatCompletionChunk) else None
    if not isinstance(choices, list):
        raise _OddError("a piece of it has no choices")
    for choice in choices:
        delta = getattr(choice, "delta", None)
        content = delta.content if isinstance(delta, ChoiceDelta) else delta
        if not isinstance(delta, ChoiceDelta) or not isinstance(content, str | None):
            raise _OddError("a choice of it has no delta with text")
        yield content or ""


async def _first_model(client: AsyncOpenAI, url: str) -> str:
    answer = await client.models.with_raw_response.list()
    try:
        models = _Models.model_validate_json(answer.http_response.content).data
    except ValidationError as error:
        raise _OddError("its list of models is none; give --model to name one") from error
    if not models:
        raise InputError([Problem(url, "serves no model (yet); give --model to name one")])
    return models[0].id


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What goes wrong as an ``InputError`` that names ``url``."""
    try:
        yield
    except InputError:
        raise
    except TimeoutError as error:
        raise InputError([Problem(url, f"said nothing for {_SILENT_SECONDS} seconds")]) from error
    except APIConnectionError as error:
        raise InputError([Problem(url, f"can't be reached: {error.__cause__ or error}")]) from error
    except APIError as error:
        said = " ".join(error.message.split())
        raise InputError(
            [Problem(url, f"refused: {said if len(said) <= _EXCERPT else said[: _EXCERPT - 1] + '…'}")]
        ) from error
    except (_OddError, ValueError, RecursionError) as error:
        what = str(error) if isinstance(error, _OddError) else f"it can't be read ({type(error).__name__})"
        raise InputError([Problem(url, f"does not answer as the OpenAI API does: {what}")]) from error
