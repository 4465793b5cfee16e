"""Decompresses what a server packed, up to a limit: a thousandth of the size is enough to fill any memory."""

import zlib

_GZIP = 16 + zlib.MAX_WBITS


class InvalidGzipError(Exception):
    """What is not gzip, or is longer than the limit; the message says why."""


def gunzip(data: bytes, limit: int) -> bytes:
    """Decompress ``data`` to at most ``limit`` bytes. Raises ``InvalidGzipError``."""
    decompressor = zlib.decompressobj(_GZIP)
    try:
        content = decompressor.decompress(data, limit + 1)
    except zlib.error as error:
        raise InvalidGzipError("is not gzip") from error
    if len(content) > limit:
        raise InvalidGzipError(f"has more than {limit:,} bytes, the most that is read")
    if not decompressor.eof:
        raise InvalidGzipError("is cut off")
    return content
