"""Runs bad inputs within limits of time and memory, in this process and in one of their own."""

import io
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from airunway.cli.main import main
from airunway.console.app import Console
from airunway.console.project import Project
from airunway.text.problems import InputError
from tests.fuzz.made_input import BadInput
from tests.fuzz.totals import SECONDS
from tests.fuzz.valid_inputs import ROOT
from tests.unit.console_pages import HOST, Browser

BYTES = 1 << 30
"""Most memory that an input may take on top of what is taken before."""
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
NOT_RUNNING = ("status", "wait")
"""The commands that end with 3 where not everything runs."""


class TooSlowError(BaseException):
    """An input takes longer than its time; nothing catches it."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit status, or the status of a page, and what it said."""

    status: int
    output: str
    seconds: float
    grown: int
    """Bytes by which the most memory of the process grew."""


def problem(made: BadInput, outcome: Outcome) -> str:
    """What is wrong with an outcome; empty if nothing is."""
    if "Traceback (most recent call last)" in outcome.output or "This is a bug in airunway" in outcome.output:
        return "traceback"
    if made.form is not None:
        return "" if outcome.status in (200, 303, 400, 404, 409, 413) else f"page {outcome.status}"
    allowed = {0, 1, 2} | ({3} if made.arguments[:1] and made.arguments[0] in NOT_RUNNING else set())
    if outcome.status not in allowed:
        return f"status {outcome.status}"
    is_told = "error:" in outcome.output or "FAILED  " in outcome.output
    if outcome.status == 1 and not is_told and "--exit-code" not in made.arguments:
        return "no error is told"
    if "not enough memory" in outcome.output or outcome.grown > BYTES:
        return "memory"
    if outcome.seconds > SECONDS:
        return "time"
    output = _COLOURS.sub("", outcome.output) if "FORCE_COLOR" in made.environment else outcome.output
    return "control characters" if "\x1b" in output or "\0" in output else ""


def _environment(made: BadInput) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "PYTHONPATH") if name in os.environ}
    return kept | {"AIRUNWAY_REQUEST_TIMEOUT": "1s", "COLUMNS": "120"} | made.environment


@contextmanager
def _limits() -> Iterator[None]:
    """Ends what takes too long or too much memory."""

    def late(*_: object) -> None:
        raise TooSlowError

    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    previous = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (size + 2 * BYTES, hard))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, previous)


def in_process(made: BadInput, root: Path) -> Outcome:
    """Run an input in this process. Raises ``TooSlowError``."""
    made.write(root)
    out, before = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict"), _peak()
    here, started = os.getcwd(), time.monotonic()
    stdin = io.TextIOWrapper(io.BytesIO(made.stdin))
    os.chdir(root)
    try:
        with (
            mock.patch.dict(os.environ, _environment(made), clear=True),
            mock.patch.object(sys, "argv", ["airunway", *made.arguments]),
            mock.patch.object(sys, "stdin", stdin),
            redirect_stdout(out),
            redirect_stderr(out),
            _limits(),
        ):
            status, said = _page(made, root) if made.form is not None else (_status(), "")
    finally:
        os.chdir(here)
    out.flush()
    text = out.buffer.getvalue().decode() + said
    return Outcome(status, text, time.monotonic() - started, _peak() - before)


def _status() -> int:
    try:
        main()
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else 0 if stopped.code is None else 1
    return 0


def _page(made: BadInput, root: Path) -> tuple[int, str]:
    assert made.form is not None
    path, fields = made.form
    try:
        guard = Console(Project(root), "own", run=("true",)).app([HOST])
    except InputError as error:
        return 400, str(error)
    answer = Browser(guard, raises=False).post(path, fields)
    return answer.status_code, answer.text if "this is a bug in airunway" in answer.text else ""


def in_its_own_process(made: BadInput, root: Path) -> Outcome:
    """Run an input as a person does, in a process that may have no more memory than the limit on top of its start."""
    made.write(root)
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "airunway.cli", *made.arguments],
        cwd=root,
        env={**_environment(made), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        output, _ = process.communicate(made.stdin, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise TooSlowError from None
    return Outcome(process.returncode, output.decode(errors="replace"), time.monotonic() - started, 0)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
