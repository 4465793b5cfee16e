"""Where in a stack's files a problem is: file, line and column, and the name of the deployment that it is about."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from airunway.program.stack_file import stack_path
from airunway.text.bounded_files import UnreadableFileError, read_text_file
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import printable
from airunway.text.yaml_places import PlacedDocument, Step

_PART = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")
_IN_FILE = re.compile(r"(?P<file>[^\[\]]+\.ya?ml)(?P<rest>\[.*|$)")
_LONGEST_NAME = 63


@contextmanager
def located_problems(root: Path, stack: str) -> Iterator[None]:
    """Add to the problems of a stack where in its files they are."""
    try:
        yield
    except InputError as error:
        files = _Files(root)
        raise InputError([_located(problem, files, stack) for problem in error.problems]) from error


class _Files:
    """The documents of a project, each read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._documents: dict[Path, PlacedDocument] = {}

    def document(self, path: Path) -> PlacedDocument:
        """The document in a file; an empty one if it can't be read."""
        if path not in self._documents:
            try:
                text = read_text_file(path)
            except UnreadableFileError:
                text = ""
            self._documents[path] = PlacedDocument(text)
        return self._documents[path]


def _located(problem: Problem, files: _Files, stack: str) -> Problem:
    if problem.place:
        return problem
    in_file = _IN_FILE.fullmatch(problem.field)
    if in_file is not None:
        path, steps, needed = files.root / in_file["file"], _steps(in_file["rest"]), 1
    else:
        try:
            path = stack_path(files.root, stack)
        except InputError:
            return problem
        setting, *rest = _steps(problem.field) or [""]
        steps, needed = ["config", lambda key: setting in (key, key.rpartition(":")[2]), *rest], 2
    place = files.document(path).place(steps, needed)
    if place is None:
        return problem
    shown = path.relative_to(files.root) if path.is_relative_to(files.root) else path
    name = f" ({printable(place.name[:_LONGEST_NAME])})" if place.name else ""
    return replace(problem, place=f"{shown}:{place.line}:{place.column}{name}")


def _steps(field: str) -> list[Step]:
    return [int(index) if index else key for index, key in _PART.findall(field)]
