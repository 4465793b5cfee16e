"""Prints what was tried, in a run with nothing else."""

import pytest
from hypothesis import settings

from tests.fuzz.totals import TOTALS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if settings.get_current_profile_name() == "fuzz":
        for line in TOTALS.lines():
            terminalreporter.write_line(line)
