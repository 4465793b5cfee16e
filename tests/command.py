"""The command ``airunway`` in this process."""

import io

import pytest

from airunway.cli.main import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: str = "", columns: int = 120) -> int:
    """The exit status of ``airunway`` with ``arguments``."""
    monkeypatch.setattr("sys.argv", ["airunway", *arguments])
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as stopped:
        main()
    code = stopped.value.code or 0
    assert isinstance(code, int), code
    return code
