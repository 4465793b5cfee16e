"""A change of one file, reviewed before it is saved, and saved only if the file has not changed since."""

import contextlib
import difflib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from airunway.text.atomic_files import replace_file
from airunway.text.bounded_files import UnreadableFileError, read_text_file
from airunway.text.problems import InputError, Problem


class ConflictError(Exception):
    """The file has changed since it was read."""


@dataclass(frozen=True)
class FileEdit:
    """A file before and after a change; ``name`` is a deployment file's path, None for the stack file."""

    path: Path
    name: str | None
    before: str
    after: str

    @property
    def difference(self) -> str:
        """The change as a unified diff."""
        return unified_diff(self.before, self.after, self.name or self.path.name)


def fingerprint(text: str) -> str:
    """Return a hash that identifies the file's content."""
    return hashlib.sha256(text.encode()).hexdigest()


def unified_diff(old: str, new: str, name: str) -> str:
    """Return the changes from ``old`` to ``new`` as a unified diff."""
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), f"{name} (current)", f"{name} (changed)", lineterm=""
    )
    return "\n".join(lines)


def read_text(path: Path) -> str:
    """Read a file without converting its line endings. Raises ``InputError``."""
    try:
        return read_text_file(path)
    except UnreadableFileError as error:
        raise InputError([Problem(path.name, str(error))]) from error


def require_unchanged(path: Path, text: str, expected_fingerprint: str) -> None:
    """Raise ``ConflictError`` if ``text``, which ``path`` has now, has not the expected fingerprint."""
    if fingerprint(text) != expected_fingerprint:
        raise ConflictError(f"{path.name} was changed by someone else in the meantime")


def save(path: Path, text: str, expected_fingerprint: str) -> None:
    """Write ``text`` to ``path``, atomically unless the file would lose its owner or its hard links.

    If ``path`` is a link, its target is written. Raises ``ConflictError`` if its fingerprint is not the expected one.
    """
    path = path.resolve()
    before = read_text(path)
    require_unchanged(path, before, expected_fingerprint)
    status = path.stat()
    if status.st_nlink > 1 or not replace_file(path, text, status):
        _overwrite(path, text, before)


def _overwrite(path: Path, text: str, before: str) -> None:
    """Write into the file itself; if that fails, for example on a full disk, write back what was there."""
    with path.open("r+", encoding="utf-8", newline="") as file:
        try:
            _write(file, text)
        except BaseException:
            with contextlib.suppress(OSError):
                _write(file, before)
            raise


def _write(file: TextIO, text: str) -> None:
    file.seek(0)
    file.write(text)
    file.flush()
    file.truncate()
    os.fsync(file.fileno())
