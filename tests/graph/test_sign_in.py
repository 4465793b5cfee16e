"""Graph (the console in a process of its own, with a real terminal): another address for another browser."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from tests.command import ROOT

_SECONDS = 20


@dataclass
class Terminal:
    """The console, and our end of its terminal."""

    process: subprocess.Popen[bytes]
    end: int
    seen: str = ""

    def read_until(self, text: str) -> str:
        """What comes up to and with ``text``."""
        until = time.monotonic() + _SECONDS
        while text not in self.seen:
            ready, _, _ = select.select([self.end], [], [], max(0, until - time.monotonic()))
            assert ready, f"no {text!r} in: {self.seen}"
            self.seen += os.read(self.end, 4096).decode()
        part, _, self.seen = self.seen.partition(text)
        return part + text

    def address(self) -> str:
        """The next address that is printed."""
        self.read_until("http://")
        return "http://" + self.read_until("\n").strip()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "airunway.cli", "console", "--no-browser", "--cwd", str(ROOT)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, close_fds=True
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def opened(address: str) -> int:
    """What a browser that has never been here is answered, after redirects."""
    until = time.monotonic() + _SECONDS
    while True:
        try:
            with httpx.Client(follow_redirects=True, trust_env=False, timeout=_SECONDS) as browser:
                return browser.get(address).status_code
        except httpx.ConnectError:  # it does not listen yet
            assert time.monotonic() < until
            time.sleep(0.1)


def test_enter_gives_another_browser_an_address_of_its_own(terminal: Terminal) -> None:
    first = terminal.address()
    terminal.read_until("press Enter for another one, Ctrl-C to stop the console.")
    assert opened(first) == 200
    assert opened(first) == 403
    os.write(terminal.end, b"\n")
    second = terminal.address()
    assert urlsplit(second)[:3] == urlsplit(first)[:3]
    assert second != first
    assert opened(second) == 200
    assert opened(second) == 403


def test_an_address_that_nobody_used_ends_with_the_next(terminal: Terminal) -> None:
    first = terminal.address()
    terminal.read_until("to stop the console.")
    os.write(terminal.end, b"\n")
    second = terminal.address()
    assert opened(first) == 403
    assert opened(second) == 200


def test_a_console_that_waits_for_enter_ends_quietly(terminal: Terminal) -> None:
    terminal.address()
    terminal.read_until("to stop the console.")
    time.sleep(0.5)  # until it serves
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(_SECONDS) == 0
    assert terminal.seen.strip() == ""
