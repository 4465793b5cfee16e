"""Read text from files or standard input, and print plain data as JSON."""

import json
import sys
from typing import Any

from airunway.text.bounded_files import MAX_TEXT, UnreadableFileError, decoded, read_text_file
from airunway.text.problems import InputError, Problem


def read_text(file: str) -> str:
    """Read ``file``; ``-`` is standard input. Raises ``InputError``."""
    try:
        return _standard_input() if file == "-" else read_text_file(file)
    except UnreadableFileError as error:
        raise InputError([Problem("stdin" if file == "-" else file, str(error))]) from error


def _standard_input() -> str:
    if sys.stdin is None:
        raise UnreadableFileError("is closed")
    try:
        return decoded(sys.stdin.buffer.read(MAX_TEXT + 1))
    except OSError as error:
        raise UnreadableFileError(f"can't be read: {error.strerror}") from error


def print_json(value: Any) -> None:
    """Print ``value`` as indented JSON."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
