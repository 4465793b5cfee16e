"""Whose an error is that ends the project's program: the project's own code's, or ours."""

import importlib.util
import traceback
from functools import cache
from pathlib import Path

from airunway.text.credentials import without_tokens
from airunway.text.problems import InputError, Problem

_OURS = ("airunway", "components", "providers")
_INSTALLED = {"site-packages", "dist-packages"}


def program_failure(error: Exception, root: Path) -> InputError | None:
    """Return ``error`` as a problem of the code in the project at ``root``; None if it is of other code."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((Path(error.filename), error.lineno))
    last = next((frame for frame in reversed(frames) if _is_ours(frame[0]) or _is_in(frame[0], root)), None)
    if last is None or _is_ours(last[0]):
        return None
    path, line = last
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    place = f"{path.relative_to(root)}:{line}"
    message = without_tokens(f"{type(error).__name__}: {said}".removesuffix(": "))
    return InputError([Problem(place, f"{message}; this is the project's own program")])


def _is_in(path: Path, root: Path) -> bool:
    """Whether a file is of the project's own code, not of what is installed in its folder."""
    return path.is_relative_to(root) and not _INSTALLED & set(path.relative_to(root).parts)


def _is_ours(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _folders())


@cache
def _folders() -> tuple[Path, ...]:
    specs = [importlib.util.find_spec(name) for name in _OURS]
    return tuple(Path(folder) for spec in specs if spec for folder in spec.submodule_search_locations or ())
