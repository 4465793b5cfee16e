"""What a server sends, no longer and no slower than a limit."""

import time
from collections.abc import Iterable, Iterator

from airunway.text.problems import format_value

AS_IT_IS = {"Accept-Encoding": "identity"}
"""The header that asks for an answer which is not packed: a packed one has no size until it is read."""


class UnendingError(Exception):
    """More was sent, or for longer, than is read; the message says so."""


def packing(encoding: str) -> str | None:
    """How an answer with this Content-Encoding is packed; None if it is not."""
    name = encoding.strip().lower()
    return None if name in ("", "identity") else name


def refuse_packed(encoding: str) -> None:
    """Raise ``UnendingError`` if an answer with this Content-Encoding is packed."""
    if name := packing(encoding):
        raise UnendingError(f"its answer has the encoding {format_value(name)}, must be none")


def bounded(chunks: Iterable[bytes], most_bytes: int, most_seconds: float) -> Iterator[bytes]:
    """The chunks of an answer as they come. Raises ``UnendingError``."""
    count, until = 0, time.monotonic() + most_seconds
    for chunk in chunks:
        count += len(chunk)
        if count > most_bytes:
            raise UnendingError(f"its answer has more than {most_bytes:,} bytes, the most that is read")
        if time.monotonic() > until:
            raise UnendingError(f"its answer does not end within {most_seconds:.0f} seconds")
        yield chunk
