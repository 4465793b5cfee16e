"""Answers of GitHub's API no longer, and no slower, than a limit."""

from collections.abc import Iterator

import httpx

from airunway.text.bounded_streams import bounded, refuse_packed

MAX_BYTES = 64 * 2**20
"""More than twice a page of 100 comments, each of 65,536 characters of four bytes."""
MAX_SECONDS = 120.0


class _BoundedStream(httpx.SyncByteStream):
    """The bytes of an answer as they come."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return bounded(self._stream, MAX_BYTES, MAX_SECONDS)

    def close(self) -> None:
        self._stream.close()


def bound(response: httpx.Response) -> None:
    """Let ``response`` be read up to the limits; a hook of a client. Raises ``UnendingError`` for a packed one."""
    refuse_packed(response.headers.get("content-encoding", ""))
    if isinstance(response.stream, httpx.SyncByteStream):
        response.stream = _BoundedStream(response.stream)
