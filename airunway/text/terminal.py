"""Text for a terminal: nothing that it would take for a command, colour only where it is one."""

import unicodedata

from rich.console import Console


def printable(text: str) -> str:
    """``text`` without what a terminal would take for a command: for texts that come from a cluster or a model."""
    return "".join(c for c in text if c in "\n\t" or not unicodedata.category(c).startswith("C"))


def console(*, stderr: bool = False) -> Console:
    """A console with colour only on a terminal, and room for tables where there is none to measure."""
    made = Console(stderr=stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=max(made.width, 120))


def one_line(text: str) -> str:
    """``text`` for an error message: in one line, and neither a terminal's nor a GitHub runner's command.

    The runner takes ``::name::`` for a command where a line starts with it, and ``##[name]`` anywhere.
    """
    lines = (printable(line).strip() for line in text.splitlines())
    return " | ".join(line for line in lines if line).replace("##[", "## [")
