"""A change of one file, shown before it is saved, and saved only where the file is still what was shown."""

import contextlib
import difflib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


class ConflictError(Exception):
    """The file has changed since it was read."""


@dataclass(frozen=True)
class FileEdit:
    """What a change makes of a file; ``name`` is a deployment file's path in the project, and None for the stack
    file.
    """

    path: Path
    name: str | None
    before: str
    after: str

    @property
    def difference(self) -> str:
        """What changes, as a unified diff."""
        return difference(self.before, self.after, self.name or self.path.name)


def fingerprint(text: str) -> str:
    """What tells one state of the file from another."""
    return hashlib.sha256(text.encode()).hexdigest()


def difference(old: str, new: str, name: str) -> str:
    """What changes from ``old`` to ``new``, as a unified diff."""
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), f"{name} (as it is)", f"{name} (to be saved)", lineterm=""
    )
    return "\n".join(lines)


def read(path: Path) -> str:
    """The file's text with its line ends as they are."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def save(path: Path, text: str, shown: str) -> None:
    """Write ``text`` to ``path`` in one step. Raises ``ConflictError`` where the file is not what ``shown`` is the
    fingerprint of.

    Where ``path`` is a link, the file that it leads to is written.
    """
    path = path.resolve()
    if fingerprint(read(path)) != shown:
        raise ConflictError(f"{path.name} was changed by somebody else in the meantime")
    mode = path.stat().st_mode
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
