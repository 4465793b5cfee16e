"""How a command ends where it fails: in one line for each problem, with what was done."""

import errno
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from airunway.text.problems import InputError

_DEBUG = "AIRUNWAY_DEBUG"
_EXTRAS = {
    "live": ("httpx2", "httpx_ws", "openai"),
    "lock": ("docker", "dxf", "huggingface_hub", "requests"),
    "console": ("multipart", "python_multipart", "ruamel", "sse_starlette", "starlette", "uvicorn"),
}
"""Packages that only an optional extra installs, by extra."""
_MODULES = {"model_hub.py": "lock", "size.py": "size"}
"""Extras by the module that needs them, where another extra brings the same package."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE)
"""Why output can't be written, whatever the program does."""


def run(command: Callable[[], None]) -> None:
    """Run ``command`` and tell its failure; exits with 1 for one.

    A bug leaves its traceback in a temporary file; with AIRUNWAY_DEBUG set it is printed, as is that of any failure.
    """
    try:
        _run_and_flush(command)
    except InputError as error:
        if os.environ.get(_DEBUG):
            traceback.print_exc()
        count = len(error.problems)
        _fail(*map(str, error.problems), footer=f"{count} problem{'s' * (count > 1)} found; nothing was done.")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        modules = [Path(frame.filename).name for frame in traceback.extract_tb(error.__traceback__)]
        extra = next((_MODULES[module] for module in modules if module in _MODULES), None) or next(
            (name for name, names in _EXTRAS.items() if package in names), None
        )
        if extra is None:
            _fail_by_bug(error)
        _fail(f"this command needs optional packages; run: pip install 'airunway[{extra}]'", footer="Nothing was done.")
    except MemoryError:
        _fail("not enough memory", footer="Nothing was done.")
    except UnicodeEncodeError as error:
        lacking = ascii(error.object[error.start : error.end][:20])
        _fail(
            f"the output has the encoding {error.encoding}, which lacks {lacking}; set PYTHONIOENCODING=utf-8",
            footer="The output is incomplete.",
        )
    except OSError as error:
        if error.errno not in _FULL:
            _fail_by_bug(error)
        _fail(f"the output can't be written: {error.strerror}", footer="The output is incomplete.")
    except Exception as error:
        _fail_by_bug(error)


def _run_and_flush(command: Callable[[], None]) -> None:
    """Run ``command``, and write its output before the program ends, when an error could not be told any more."""
    try:
        command()
    finally:
        if sys.stdout is not None:
            try:
                sys.stdout.flush()
            except OSError:
                # What is left would be tried again at the end.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise


def _fail_by_bug(error: Exception) -> NoReturn:
    """Say where the traceback of ``error`` is. Its message may quote what was read, tokens included."""
    from airunway.cli.traceback_file import write_traceback
    from airunway.text.credentials import without_tokens

    hint = ""
    if os.environ.get(_DEBUG):
        traceback.print_exc()
    else:
        path = write_traceback(error)
        hint = f" with {path}" if path else f" ({_DEBUG}=1 prints the traceback)"
    message = f"{type(error).__name__}: {without_tokens(str(error))}"
    _fail(message, footer=f"This is a bug in airunway; please report it{hint}.")


def _fail(*messages: str, footer: str) -> NoReturn:
    from rich.markup import escape

    from airunway.text.terminal import console, one_line

    out = console(stderr=True)
    for message in messages:
        out.print(f"[red]error:[/red] {escape(one_line(message))}", soft_wrap=True)
    out.print(footer, soft_wrap=True)
    sys.exit(1)
