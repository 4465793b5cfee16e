"""Take the pictures in docs/ of the dev stack: `make pictures`. Needs Chromium.

They are taken of what the commands make now, so that they show what is true.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
_SIZE = {"width": 1280, "height": 900}


def main() -> None:
    """Take both pictures. Raises what goes wrong."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        _preview(browser)
        _console(browser)
        browser.close()


def _preview(browser: Any) -> None:
    """The HTML page of the preview, with one part of the graph chosen."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "preview.html"
        command = [sys.executable, "-m", "airunway.cli", "preview", "dev", "--format", "html"]
        file.write_bytes(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)  # noqa: S603
        page = browser.new_page(viewport=_SIZE | {"width": 1400})
        page.goto(file.as_uri())
        page.wait_for_selector("#canvas canvas")
        page.click("#list button:has-text('llama-disagg')")
        page.wait_for_timeout(1000)  # the graph moves to what is chosen
        page.screenshot(path=ROOT / "docs" / "preview.png", full_page=True)


def _console(browser: Any) -> None:
    """The form of a new deployment, filled in."""
    with _served() as url:
        page = browser.new_page(viewport=_SIZE)
        page.goto(url)
        page.goto(f"{url.split('?')[0]}new/form")
        fields = {"name": "llama-chat", "model-id": "meta-llama/Llama-3.1-8B-Instruct", "resources-gpu-count": "2"}
        for field, text in fields.items():
            page.fill(f"#{field}", text)
        page.select_option("#engine-type", "vllm")
        page.locator(".decided", has_text="vllm on dynamo").wait_for()
        page.wait_for_timeout(1000)
        page.screenshot(path=ROOT / "docs" / "console.png")


@contextmanager
def _served() -> Iterator[str]:
    """The address, with its token, of a console for the dev stack."""
    command = [sys.executable, "-m", "airunway.cli", "console", "dev", "--no-browser"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as serving:  # noqa: S603
        try:
            yield next(iter(serving.stdout or ())).strip()
        finally:
            serving.terminate()


if __name__ == "__main__":
    main()
