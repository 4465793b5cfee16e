"""The browser that pages are tested in, and the console that serves some of them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH (Debian: apt-get install chromium)")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def launched() -> Iterator[Any]:
    """The browser, by Playwright's API; a test that needs it is skipped without Playwright."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def new_context(browser: Any, **options: Any) -> Iterator[Any]:
    """A browser's context, which goes with its pages.

    A page alone must not be closed: Chromium forgets the request where a navigation commits meanwhile, and
    ``page.close()``, which has no time limit, never returns (microsoft/playwright#42068, crbug.com/536385539).
    """
    context = browser.new_context(**options)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def console(
    project: Path, command: Sequence[str] = ("-m", "airunway.cli", "console", "--no-browser"), stack: str = "own"
) -> Iterator[str]:
    """The address, with its token, of a console for a stack of ``project``."""
    arguments = [sys.executable, *command, "--stack", stack, "--cwd", str(project)]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        try:
            yield serving.stdout.readline().strip()
        finally:
            serving.terminate()
            try:
                _, errors = serving.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                serving.kill()
                raise
            assert "Traceback" not in errors, errors[-3000:]
