"""Pages (real Chromium): the HTML page: click, keyboard, colours, width, print, and a stack of 200 deployments."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.program.record import record
from airunway.program.stack_file import read_stack
from airunway.report.html import preview_html
from airunway.report.preview_document import preview_document
from tests.chromium import NEEDS_CHROMIUM, new_context
from tests.graph.assessed_changes import assessed, no_free_gpus, no_toleration
from tests.graph.changes import write
from tests.graph.projects import ROOT, copy_program, many, write_project

pytestmark = NEEDS_CHROMIUM


def write_page(root: Path, stack: str, path: Path) -> Path:
    """The page of ``stack`` in ``path``, made in a thread of its own: this one's event loop is the browser's."""

    def page() -> str:
        preview = record(root, read_stack(root, stack))
        return preview_html(preview, preview_document(preview))

    with ThreadPoolExecutor(1) as thread:
        path.write_text(thread.submit(page).result())
    return path


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(ROOT, "dev", tmp_path_factory.mktemp("page") / "dev.html")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a stack with GPUs, costs and what stops its update."""
    no_free_gpus(config := assessed())
    no_toleration(config)
    root = copy_program(tmp_path_factory.mktemp("stopped"))
    write(root, "prod", config)
    return write_page(root, "prod", root / "prod.html")


class Tab:
    """A tab of the browser, with every error that its page reports and every request that it makes."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: Path, width: int = 1280, height: int = 720, **media: str) -> Any:
        """Load the page anew, in a window of this size and with these media features only."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(**({"media": "screen", "color_scheme": "light"} | media))
        self.errors.clear()
        self.requests.clear()
        self.page.goto(f"file://{path}")
        self.page.wait_for_function("window.airunwayGraph !== undefined")
        return self.page

    def detail(self) -> str:
        return str(self.page.inner_text("#detail"))


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Tab]:
    with new_context(browser) as context:
        yield Tab(context.new_page())


def test_the_page_needs_no_network_and_reports_no_error(tab: Tab, dev: Path) -> None:
    tab.open(dev)
    assert tab.errors == []
    assert tab.requests == [f"file://{dev}"]


def test_a_click_on_a_part_of_the_graph_shows_its_yaml(tab: Tab, dev: Path) -> None:
    page = tab.open(dev, 1400, 1000)
    # Cytoscape keeps where its canvas is until it hears of the scroll, in a later frame.
    frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(f"document.getElementById('canvas').scrollIntoView(); {frames}")
    location = page.evaluate(
        """() => { const n = airunwayGraph.nodes().filter((e) => e.data('text').startsWith('qwen-built\\n'))[0];
        const box = document.getElementById('canvas').getBoundingClientRect(), at = n.renderedPosition();
        return { x: box.x + at.x, y: box.y + at.y }; }"""
    )
    page.mouse.click(location["x"], location["y"])
    page.wait_for_function("document.getElementById('name').textContent.startsWith('qwen-built')")
    documents = list(yaml.safe_load_all(page.inner_text("#yaml")))
    assert [d["kind"] for d in documents] == ["Workspace"]
    assert "waits for kaito, aikit-qwen-qwen3-0-6b-gguf-" in tab.detail()


def test_the_keyboard_reaches_every_part(tab: Tab, dev: Path) -> None:
    page = tab.open(dev)
    page.focus("#list button")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    name = page.evaluate("document.activeElement.textContent").split()[0]
    page.keyboard.press("Enter")
    assert tab.detail().startswith(name)
    assert page.get_attribute("#list button[aria-pressed=true]", "data-id").endswith(f"::{name}")
    page.focus("#find")
    page.keyboard.type("registry")
    assert page.locator("#list li:visible").count() == 1


def test_zoom_and_fit_work(tab: Tab, dev: Path) -> None:
    page = tab.open(dev)
    start = page.evaluate("airunwayGraph.zoom()")
    page.click("#in")
    assert page.evaluate("airunwayGraph.zoom()") > start
    page.click("#fit")
    assert page.evaluate("airunwayGraph.zoom()") == pytest.approx(start, rel=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["dev", "stopped"])
def test_text_is_readable_in_light_and_dark(tab: Tab, name: str, scheme: str, request: pytest.FixtureRequest) -> None:
    page = tab.open(request.getfixturevalue(name), color_scheme=scheme)
    contrast = page.evaluate(
        """() => { const light = (c) => { const [r, g, b] = c.match(/[0-9.]+/g).map((v) => { v /= 255;
            return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const back = light(getComputedStyle(document.body).backgroundColor);
        return [...document.querySelectorAll('h1, td, code, .hint, button, .kind, .mandatory, .advisory')].map((e) => {
            const text = light(getComputedStyle(e).color);
            return (Math.max(back, text) + .05) / (Math.min(back, text) + .05); }); }"""
    )
    assert min(contrast) >= 4.5  # WCAG 2.2, level AA


def test_a_phone_scrolls_in_one_direction_only(tab: Tab, dev: Path) -> None:
    page = tab.open(dev, 360, 800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.querySelector('td[data-label=why]').getBoundingClientRect().width") > 150


@pytest.mark.parametrize("width", [360, 1280])
def test_what_stops_an_update_is_above_all_tables(tab: Tab, stopped: Path, width: int) -> None:
    page = tab.open(stopped, width, 800)
    first, *_ = page.evaluate("[...document.querySelectorAll('.mandatory')].map((e) => e.getBoundingClientRect().top)")
    assert first < min(200, page.evaluate("document.querySelector('table').getBoundingClientRect().top"))
    assert page.inner_text(".mandatory >> nth=0").startswith("Stopped: large: no node pool takes its pods")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_printed_page_has_tables_and_graph_and_no_controls(tab: Tab, dev: Path) -> None:
    page = tab.open(dev)
    page.emulate_media(media="print")
    assert not page.is_visible(".tools")
    assert page.is_visible("#canvas")
    assert page.pdf()[:5] == b"%PDF-"


def test_what_a_stack_says_can_t_end_the_script_or_run(tab: Tab, tmp_path: Path) -> None:
    evil = "</script><script>window.evil = 1</script><img src=x onerror='window.evil=1'>"
    deployment = {"name": "a", "model": {"id": "org/m"}, "env": [{"name": "A", "value": evil}]}
    page = tab.open(write_page(write_project(tmp_path, [deployment]), "own", tmp_path / "page.html"))
    page.click("#list button")
    assert evil in page.inner_text("#yaml")
    assert page.evaluate("window.evil") is None


def test_a_stack_of_200_deployments_is_drawn_and_usable(tab: Tab, tmp_path: Path) -> None:
    path = write_page(write_project(tmp_path, many(200)), "own", tmp_path / "page.html")
    started = time.monotonic()
    page = tab.open(path)
    assert page.evaluate("airunwayGraph.nodes().length") == 222
    page.fill("#find", "model-199")
    page.click("#list li:visible button")
    assert tab.detail().startswith("model-199")
    assert time.monotonic() - started < 15  # 1 s on two cores; machines that run tests are noisy
