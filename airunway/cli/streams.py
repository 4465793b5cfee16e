"""Read text from files or standard input, and print plain data as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from airunway.text.problems import InputError, Problem


def read_text(file: str) -> str:
    """Read ``file``; ``-`` is standard input. Raises ``InputError``."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError([Problem(file, f"can't be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(file, "is not UTF-8 text")]) from error


def print_json(value: Any) -> None:
    """Print ``value`` as indented JSON."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
