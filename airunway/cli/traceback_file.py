"""Keeps the traceback of a bug in a file that only its owner can read, for a report."""

import os
import tempfile
import traceback

from airunway.text.credentials import without_tokens


def write_traceback(error: BaseException) -> str | None:
    """Write the traceback without tokens to a new temporary file and return its path; None if there is no room."""
    text = without_tokens("".join(traceback.format_exception(error)))
    try:
        descriptor, path = tempfile.mkstemp(prefix="airunway-", suffix=".traceback.txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return None
    return path
