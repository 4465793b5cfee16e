"""Answers of GitHub's API no longer, and no slower, than a limit."""

import time
from collections.abc import Iterator

import httpx

from airunway.text.problems import format_value

MAX_BYTES = 64 * 2**20
"""More than twice a page of 100 comments, each of 65,536 characters of four bytes."""
MAX_SECONDS = 120.0
HEADERS = {"Accept-Encoding": "identity"}
"""What is asked for with each request: a packed answer has no size until it is read."""


class UnusableAnswerError(httpx.RequestError):
    """An answer that is not read to its end; the message says why."""


class _BoundedStream(httpx.SyncByteStream):
    """The bytes of an answer as they come."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        count, until = 0, time.monotonic() + MAX_SECONDS
        for chunk in self._stream:
            count += len(chunk)
            if count > MAX_BYTES:
                raise UnusableAnswerError(f"its answer has more than {MAX_BYTES:,} bytes, the most that is read")
            if time.monotonic() > until:
                raise UnusableAnswerError(f"its answer does not end within {MAX_SECONDS:.0f} seconds")
            yield chunk

    def close(self) -> None:
        self._stream.close()


def bound(response: httpx.Response) -> None:
    """Let ``response`` be read up to the limits; a hook of a client. Raises ``UnusableAnswerError``."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise UnusableAnswerError(f"its answer has the encoding {format_value(encoding)}, must be none")
    if isinstance(response.stream, httpx.SyncByteStream):
        response.stream = _BoundedStream(response.stream)
