"""Puts a whole new file in the place of another, or changes nothing."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def replace_file(path: Path, text: str, status: os.stat_result | None) -> bool:
    """Put a new file in the place of ``path``, with the owner and mode in ``status`` where there is one.

    False if the folder or the owner does not allow it. Raises ``OSError``, and then ``path`` is as it was.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except PermissionError:
        return False  # of the folder; the file itself may be writable
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            try:
                if status is not None:
                    os.fchown(handle, status.st_uid, status.st_gid)
            except PermissionError:
                os.unlink(temporary)
                return False
            # After the owner, whose change clears bits of the mode.
            os.fchmod(handle, stat.S_IMODE(status.st_mode) if status is not None else 0o644)
            file.write(text)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    with contextlib.suppress(OSError):  # the change is there; some file systems can't sync a folder
        _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
