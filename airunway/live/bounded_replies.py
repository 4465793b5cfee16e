"""Replies of a model server no longer than a limit, for the HTTP client of the OpenAI library.

The library reads a line of a stream, and any other answer, to its end (openai 3.54), and the client decompresses.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2

from airunway.text.bounded_streams import packing
from airunway.text.problems import format_value
from airunway.text.yaml_reading import load_data

_LIMITS = load_data(Path(__file__).with_name("limits.yaml"))
_REPLY, _LINE, _OTHER = (int(_LIMITS[f"{name}Bytes"]) for name in ("reply", "replyLine", "other"))
_LINE_END = re.compile(rb"[\r\n]")


class TooLongReplyError(httpx2.RequestError):
    """A reply that is longer than is read, or packed; the message says so."""


class _BoundedStream(httpx2.AsyncByteStream):
    """The bytes of a reply as they come, up to a limit of all of them and of a line."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int, line_limit: int) -> None:
        self._stream, self._limit, self._line_limit = stream, limit, line_limit
        self._count = self._line = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._count += len(chunk)
            if self._count > self._limit:
                raise TooLongReplyError(f"its reply has more than {self._limit:,} bytes, the most that is read")
            # A piece is shorter than a line may be: only its first and last lines may be parts of longer ones.
            first, *others = _LINE_END.split(chunk, 1)
            self._line += len(first)
            if self._line > self._line_limit:
                raise TooLongReplyError(f"a line has more than {self._line_limit:,} bytes, the most that is read")
            if others:
                self._line = len(chunk) - 1 - max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def bound(response: httpx2.Response) -> None:
    """Let ``response`` be read up to the limit of its kind; a hook of a client. Raises ``TooLongReplyError``."""
    if encoding := packing(response.headers.get("content-encoding", "")):
        raise TooLongReplyError(f"its reply has the encoding {format_value(encoding)}, must be none")
    is_streamed = response.is_success and response.headers.get("content-type", "").startswith("text/event-stream")
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _BoundedStream(response.stream, _REPLY if is_streamed else _OTHER, _LINE)
