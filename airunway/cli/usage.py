"""How wrong usage ends: in one line with the way to the command's help, not in the three that come before Click's."""

import re
import sys
from typing import Any

import typer

_PYDANTIC = re.compile(r"(?<=: )(?:Value error, |Input (?=should ))")
"""What Pydantic, by which Typer checks options, says before the message."""


def run_app(app: typer.Typer) -> None:
    """Run ``app``; exits with the status of the command, and with 2 for wrong usage."""
    try:
        status: Any = app(standalone_mode=False)
    except typer.Abort:
        sys.exit(1)
    except Exception as error:
        # Click's UsageError, whose module depends on the version of Typer.
        if not hasattr(error, "format_message"):
            raise
        _show(error)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _show(error: Any) -> None:
    from airunway.text.terminal import console, one_line

    message = str(error.format_message())
    if "\n" in message:  # a group without a command, whose message is its help
        error.show()
        return
    text = _PYDANTIC.sub("", message).rstrip(".")
    context = getattr(error, "ctx", None)
    hint = f"; see {context.command_path} --help" if context else ""
    console(stderr=True).print(f"error: {one_line(text)}{hint}", markup=False, soft_wrap=True)
