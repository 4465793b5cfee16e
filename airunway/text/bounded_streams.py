"""What a server sends, no longer and no slower than a limit."""

import time
from collections.abc import Iterable, Iterator


class UnendingError(Exception):
    """More was sent, or for longer, than is read; the message says so."""


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
