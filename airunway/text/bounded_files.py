"""Reads files that a person named: regular files only, and no more than a limit.

Opening a named pipe waits for its writer, and a device or a sparse file may never end.
"""

import errno
import os
import stat
from pathlib import Path

from airunway.text.yaml_reading import load_data

_LIMITS = load_data(Path(__file__).with_name("limits.yaml"))
MAX_STACK, MAX_TEXT, MAX_PREVIEW = (int(_LIMITS[f"{name}Bytes"]) for name in ("stack", "text", "preview"))
"""Bytes of the longest stack file, of other texts and of the longest saved preview."""


class UnreadableFileError(Exception):
    """Why a file can't be read; the reason follows the file's name in messages, and the cause is the ``OSError``."""


def read_text_file(path: str | Path, limit: int = MAX_TEXT) -> str:
    """The text of a regular file, with its line endings. Raises ``UnreadableFileError``."""
    return _text(read_file(path, limit))


def read_file(path: str | Path, limit: int = MAX_TEXT) -> bytes:
    """The content of a regular file. Raises ``UnreadableFileError``."""
    try:
        # Neither waiting for a pipe's writer nor making a terminal this process's own.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            content = _content(descriptor, limit)
        finally:
            os.close(descriptor)
    except IsADirectoryError as error:
        raise UnreadableFileError("is a folder") from error
    except OSError as error:
        socket = error.errno == errno.ENXIO
        raise UnreadableFileError("is not a regular file" if socket else f"can't be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in the path
        raise UnreadableFileError(f"can't be read: {error}") from error
    return _bounded(content, limit)


def _content(descriptor: int, limit: int) -> bytes:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    if not stat.S_ISREG(mode):
        raise UnreadableFileError("is not a regular file")
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(limit + 1) or b""  # None where the kernel has nothing yet, as of /proc/kmsg


def decoded(content: bytes, limit: int = MAX_TEXT) -> str:
    """``content`` as text. Raises ``UnreadableFileError`` if it is longer than ``limit`` or not UTF-8."""
    return _text(_bounded(content, limit))


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"is not UTF-8: {error.reason} at byte {error.start}") from error


def _bounded(content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise UnreadableFileError(f"has more than {limit:,} bytes, the most that is read")
    return content
