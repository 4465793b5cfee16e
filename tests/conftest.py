"""Settings of every tier: property tests that are the same in each run, whatever the machine's speed, and a limit for
what hangs.

``pytest --hypothesis-profile thorough`` looks for examples that are other ones in each run, and for twenty times as
many; the profile ``fuzz`` for so many that it is meant for the tier of that name alone.
"""

import os
import re
import signal
import threading
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default", deadline=None, derandomize=True, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("default"), derandomize=False, max_examples=1000)
settings.register_profile("fuzz", settings.get_profile("thorough"), max_examples=90_000, database=None)
settings.load_profile("default")
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "1"
# What git runs, such as a hook or `git rebase --exec`, is told its repository by these, and would make a test's of it.
for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"):
    os.environ.pop(variable, None)
# A shell's background job ignores Ctrl-C, and so would the commands that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Name the test that hangs; pytest's ``faulthandler_timeout`` (pyproject.toml), which ends it then, shows only its
    stack.
    """
    limit = float(item.config.getini("faulthandler_timeout"))
    timer = threading.Timer(limit - 1, _say, [item.config, f"\n{item.nodeid} did not end within {limit:g} s\n"])
    timer.daemon = True
    timer.start()
    try:
        return (yield)
    finally:
        timer.cancel()


def _say(config: pytest.Config, text: str) -> None:
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        config.get_terminal_writer().write(text, flush=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = "".join(str(report.longrepr) for report in terminalreporter.getreports("skipped"))
    missing = sorted(set(re.findall(r"AIRUNWAY_\w+_PYTHON", skipped)))
    if missing:
        message = f"WITHOUT {', '.join(missing)}: no command line met the parsers of these workers"
        terminalreporter.write_line(message, yellow=True, bold=True)
    if "AIRUNWAY_AICONFIGURATOR" in skipped:
        message = "WITHOUT AIRUNWAY_AICONFIGURATOR: sizes met no real aiconfigurator; make test-sizing does that"
        terminalreporter.write_line(message, yellow=True, bold=True)
