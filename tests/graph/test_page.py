"""Graph (real Chromium): the HTML page: click, keyboard, colours, width, print, and a stack of 500 deployments."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chromium import NEEDS_CHROMIUM
from tests.graph.projects import many, write_project

ROOT = Path(__file__).parents[2]
pytestmark = NEEDS_CHROMIUM


def write_page(root: Path, stack: str, path: Path) -> Path:
    """The page of ``stack`` in ``path``, from a process of its own: this one's event loop is the browser's."""
    command = [sys.executable, "-m", "airunway.cli", "preview", "--stack", stack, "--cwd", str(root), "--format", "html"]
    with path.open("w") as file:
        subprocess.run(command, cwd=ROOT, stdout=file, check=True)
    return path


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(ROOT, "dev", tmp_path_factory.mktemp("page") / "dev.html")


class Shown:
    """A page in the browser, with every error it reports and every request it makes."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page = browser.new_page(**options)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(f"file://{path}")
        self.page.wait_for_function("window.airunwayGraph !== undefined")

    def detail(self) -> str:
        return str(self.page.inner_text("#detail"))


def test_the_page_needs_no_network_and_reports_no_error(browser: Any, dev: Path) -> None:
    shown = Shown(browser, dev)
    assert shown.errors == []
    assert shown.requests == [f"file://{dev}"]


def test_a_click_on_a_part_of_the_graph_shows_its_yaml(browser: Any, dev: Path) -> None:
    shown = Shown(browser, dev, viewport={"width": 1400, "height": 1000})
    # Cytoscape keeps where its canvas is until it hears of the scroll, in a later frame.
    frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    shown.page.evaluate(f"document.getElementById('canvas').scrollIntoView(); {frames}")
    where = shown.page.evaluate(
        """() => { const n = airunwayGraph.nodes().filter((e) => e.data('text').startsWith('qwen-built\\n'))[0];
        const box = document.getElementById('canvas').getBoundingClientRect(), at = n.renderedPosition();
        return { x: box.x + at.x, y: box.y + at.y }; }"""
    )
    shown.page.mouse.click(where["x"], where["y"])
    shown.page.wait_for_function("document.getElementById('name').textContent.startsWith('qwen-built')")
    documents = list(yaml.safe_load_all(shown.page.inner_text("#yaml")))
    assert [d["kind"] for d in documents] == ["Workspace"]
    assert "waits for kaito, aikit-qwen-qwen3-0-6b-gguf-" in shown.detail()


def test_the_keyboard_reaches_every_part(browser: Any, dev: Path) -> None:
    shown = Shown(browser, dev)
    page = shown.page
    page.focus("#list button")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    name = page.evaluate("document.activeElement.textContent").split()[0]
    page.keyboard.press("Enter")
    assert shown.detail().startswith(name)
    assert page.get_attribute("#list button[aria-pressed=true]", "data-id").endswith(f"::{name}")
    page.focus("#find")
    page.keyboard.type("registry")
    assert page.locator("#list li:visible").count() == 1


def test_zoom_and_fit_work(browser: Any, dev: Path) -> None:
    page = Shown(browser, dev).page
    start = page.evaluate("airunwayGraph.zoom()")
    page.click("#in")
    assert page.evaluate("airunwayGraph.zoom()") > start
    page.click("#fit")
    assert page.evaluate("airunwayGraph.zoom()") == pytest.approx(start, rel=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_light_and_dark(browser: Any, dev: Path, scheme: str) -> None:
    page = Shown(browser, dev, color_scheme=scheme).page
    contrast = page.evaluate(
        """() => { const light = (c) => { const [r, g, b] = c.match(/[0-9.]+/g).map((v) => { v /= 255;
            return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const back = light(getComputedStyle(document.body).backgroundColor);
        return [...document.querySelectorAll('h1, td, code, .hint, button, .kind')].map((e) => {
            const text = light(getComputedStyle(e).color); return (Math.max(back, text) + .05) / (Math.min(back, text) + .05); }); }"""
    )
    assert min(contrast) >= 4.5  # WCAG 2.2, level AA


def test_a_phone_scrolls_in_one_direction_only(browser: Any, dev: Path) -> None:
    page = Shown(browser, dev, viewport={"width": 360, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.querySelector('td code').getBoundingClientRect().width") > 150


def test_the_printed_page_has_tables_and_graph_and_no_controls(browser: Any, dev: Path) -> None:
    page = Shown(browser, dev).page
    page.emulate_media(media="print")
    assert not page.is_visible(".tools")
    assert page.is_visible("#canvas")
    assert page.pdf()[:5] == b"%PDF-"


def test_what_a_stack_says_can_t_end_the_script_or_run(browser: Any, tmp_path: Path) -> None:
    evil = "</script><script>window.evil = 1</script><img src=x onerror='window.evil=1'>"
    deployment = {"name": "a", "model": {"id": "org/m"}, "env": [{"name": "A", "value": evil}]}
    shown = Shown(browser, write_page(write_project(tmp_path, [deployment]), "own", tmp_path / "page.html"))
    shown.page.click("#list button")
    assert evil in shown.page.inner_text("#yaml")
    assert shown.page.evaluate("window.evil") is None


def test_a_stack_of_500_deployments_is_drawn_and_usable(browser: Any, tmp_path: Path) -> None:
    page = write_page(write_project(tmp_path, many(500)), "own", tmp_path / "page.html")
    started = time.monotonic()
    shown = Shown(browser, page)
    assert shown.page.evaluate("airunwayGraph.nodes().length") == 522
    shown.page.fill("#find", "model-499")
    shown.page.click("#list li:visible button")
    assert shown.detail().startswith("model-499")
    assert time.monotonic() - started < 30
