"""Text for terminals and GitHub runner logs, without anything that these would interpret as a command.

A runner interprets ``::name::`` at the start of a line, after whitespace, and ``##[name]`` anywhere (actions/runner,
ActionCommand.cs).
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
    """``text`` without control characters: for text that comes from a cluster or a model."""
    return "".join(c for c in text if c in "\n\t" or not unicodedata.category(c).startswith("C"))


_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]"
)
"""Colours, cursor movements, titles and links: control sequences of ECMA-48, and strings that ST or BEL ends."""


def without_escapes(text: str) -> str:
    """``text`` without control sequences, not even what they consist of beyond control characters."""
    return printable(_ESCAPES.sub("", text))


def as_last_shown(line: str) -> str:
    """What a terminal would show of a line in the end, without control sequences: a progress bar at its last."""
    return without_escapes(line.rstrip("\r").rpartition("\r")[2])


def escape_invisible(text: str) -> str:
    """``text`` with invisible characters and line breaks escaped as in JSON: ``\\u001b``."""
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() or c == "\xa0" else json.dumps(c)[1:-1] for c in text)
    )


class _Console(Console):
    """A console that removes control characters from printed text and keeps its own styles."""

    def render(self, *arguments: Any, **keywords: Any) -> Iterable[Segment]:
        """The segments to print, without control characters in their text."""
        for segment in super().render(*arguments, **keywords):
            text = segment.text
            yield segment if segment.control or text.isprintable() else Segment(printable(text), segment.style)


def console(*, stderr: bool = False) -> Console:
    """A console with colour only on a terminal, and at least 120 columns elsewhere."""
    terminal = _Console(stderr=stderr, highlight=False)
    return (
        terminal if terminal.is_terminal else _Console(stderr=stderr, highlight=False, width=max(terminal.width, 120))
    )


def one_line(text: str) -> str:
    """``text`` on one line for a message, with no command for a terminal or a GitHub runner unless it starts a line."""
    lines = (printable(line).strip() for line in text.splitlines())
    return " | ".join(line for line in lines if line).replace("##[", "## [")


def foldable_line(text: str) -> str:
    """``text`` as from ``one_line``, but safe even if the line is wrapped at any point."""
    return _COMMAND.sub(": :", one_line(text))


_COMMAND = re.compile(r"::(?=[A-Za-z-]+(\s.*)?::)")


class LogText:
    """Streamed text that keeps its line breaks, but contains no command for a GitHub runner."""

    def __init__(self) -> None:
        self._start = self._end = ""
        """The first and the last two characters of the line so far, but for whitespace before the first."""
        self._logged = os.environ.get("GITHUB_ACTIONS") == "true"

    def piece(self, text: str) -> str:
        """The next piece, ready to print."""
        return "".join(map(self._character, printable(text)))

    def _character(self, character: str) -> str:
        command = (character == ":" and self._start == ":") or (character == "[" and self._end == "##")
        self._start = "" if character == "\n" else (self._start + character).lstrip()[:2]
        self._end = "" if character == "\n" else (self._end + character)[-2:]
        return f" {character}" if command and self._logged else character
