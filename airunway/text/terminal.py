"""Text for a terminal or a GitHub runner's log: nothing that these would take for a command, colour only where there is
any.

A runner takes ``::name::`` for a command where a line starts with it, after blanks, and ``##[name]`` anywhere
(actions/runner, ActionCommand.cs).
"""

import json
import os
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment


def printable(text: str) -> str:
    """``text`` without what a terminal would take for a command: for texts that come from a cluster or a model."""
    return "".join(c for c in text if c in "\n\t" or not unicodedata.category(c).startswith("C"))


def visible(text: str) -> str:
    """``text`` with what can't be seen, or ends a line, written as JSON writes it: ``\\u001b``."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() or c == "\xa0" else json.dumps(c)[1:-1] for c in text)
    )


class _Console(Console):
    """A console on which only its own styles are commands, whatever the texts hold that are printed."""

    def render(self, *arguments: Any, **named: Any) -> Iterable[Segment]:
        """The segments that are printed, each without commands of its own."""
        for segment in super().render(*arguments, **named):
            text = segment.text
            yield segment if segment.control or text.isprintable() else Segment(printable(text), segment.style)


def console(*, stderr: bool = False) -> Console:
    """A console with colour only on a terminal, and room for tables where there is none to measure."""
    made = _Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else _Console(stderr=stderr, highlight=False, width=max(made.width, 120))


def one_line(text: str) -> str:
    """``text`` for a message: in one line that starts with something else, and neither a terminal's nor a GitHub
    runner's command.
    """
    lines = (printable(line).strip() for line in text.splitlines())
    return " | ".join(line for line in lines if line).replace("##[", "## [")


def foldable(text: str) -> str:
    """``text`` as ``one_line`` has it, for where a line may begin with any part of it."""
    return _COMMAND.sub(": :", one_line(text))


_COMMAND = re.compile(r"::(?=[A-Za-z-]+(\s.*)?::)")


class LogText:
    """A text that comes in pieces and keeps its lines; in a GitHub runner's log none of them is a command."""

    def __init__(self) -> None:
        self._line = ""
        self._logged = os.environ.get("GITHUB_ACTIONS") == "true"

    def piece(self, text: str) -> str:
        """The next piece as it can be printed."""
        return "".join(map(self._character, printable(text)))

    def _character(self, character: str) -> str:
        command = (character == ":" and self._line.lstrip() == ":") or (character == "[" and self._line.endswith("##"))
        self._line = "" if character == "\n" else self._line + character
        return f" {character}" if command and self._logged else character
