"""The command ``airunway``, in this process and in one of its own."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from airunway.cli.main import main

ROOT = Path(__file__).parents[1]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: str = "", columns: int = 120) -> int:
    """The exit status of ``airunway`` with ``arguments``."""
    monkeypatch.setattr("sys.argv", ["airunway", *arguments])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as stopped:
        main()
    code = stopped.value.code or 0
    assert isinstance(code, int), code
    return code


def airunway(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a process of ``airunway`` with ``arguments`` says of a project."""
    command = _command(project, arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def running_airunway(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """A process of ``airunway`` that goes on until it is interrupted."""
    command = _command(project, arguments)
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _command(project: Path, arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "airunway.cli", *arguments, "--cwd", str(project)]
