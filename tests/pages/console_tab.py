"""A tab with the console in it, for all tests of a module: a new one takes longer than most of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chromium import console, new_context
from tests.cluster.serving import serving
from tests.graph.model_hub import ModelHub, fill_hub
from tests.graph.projects import write_project

# Each page, and what is there once it has shown everything.
PAGES = {
    "": "text=No status: cluster nowhere",
    "new": ".models",
    "new/form": "#decision",
    "edit/one": ".decided",
    "deployments/one": "text=Not read: cluster nowhere",
    "providers": "table",
    "changes": "text=There is no difference to show",
}
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 800}
STACK = """# The models of a test.
config:
  airunway:cluster: {context: nowhere}
  airunway:namespace: ml
  airunway:deploymentFiles: [deployments/*.yaml]
  airunway:deployments:
    # The first one.
    - name: one
      model:
        id: org/gguf
"""
FILED = "# Kept.\n- name: filed\n  model:\n    id: org/filed\n"


class Console:
    """A tab with the console in it, with every error that its pages report and every request that they make."""

    def __init__(self, context: Any, base: str, file: Path) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.base, self.file = base, file
        self.filed = file.parents[1] / "deployments" / "team.yaml"
        self.filed.parent.mkdir()
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None,
        )
        self.page.on("request", lambda request: self.requests.append(request.url))

    def begin(self) -> None:
        """Forget what happened so far, and write the files as they were."""
        self.errors.clear()
        self.requests.clear()
        for file, text in ((self.file, STACK), (self.filed, FILED)):
            # At once: the page that is still open may ask for it meanwhile, and half a file is an invalid one.
            written = file.with_name(f".{file.name}.new")
            written.write_text(text)
            written.replace(file)

    def open(self, path: str) -> Any:
        self.page.goto(self.base + path)
        if path in PAGES:
            self.page.wait_for_selector(PAGES[path])
        return self.page

    def fill(self, **fields: str) -> None:
        """Fill in fields as a person does; those that choose are chosen from."""
        for name, text in fields.items():
            field = self.page.locator(f"#{name.replace('__', '-')}")
            if not field.is_visible():
                field.evaluate("element => { element.closest('details').open = true }")
            if field.evaluate("element => element.tagName") == "SELECT":
                field.select_option(text)
            else:
                field.fill(text)

    def decided(self, engine: str, provider: str) -> None:
        """The decision is shown, without a page being loaded."""
        self.has(".decided", f"{engine} on {provider}")

    def has(self, selector: str, text: str) -> None:
        """The element comes to hold ``text``; what waits by evaluating script, the page's policy forbids."""
        self.page.locator(selector, has_text=text).first.wait_for()

    def entries(self) -> list[Any]:
        return list(yaml.safe_load(self.file.read_text())["config"]["airunway:deployments"])


@pytest.fixture(scope="module")
def all_tests_hub() -> Iterator[ModelHub]:
    with serving(ModelHub()) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", server.url)
        patch.setenv("NO_PROXY", "127.0.0.1")
        fill_hub(server)
        yield server


@pytest.fixture
def hub(all_tests_hub: ModelHub) -> ModelHub:
    all_tests_hub.requests.clear()
    return all_tests_hub


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, all_tests_hub: ModelHub) -> Iterator[tuple[str, Path]]:
    """The address of a console, with its token, and the stack file."""
    project = write_project(tmp_path_factory.mktemp("console"), [])
    with console(project) as url:
        yield url, project / "stacks" / "Pulumi.own.yaml"


@pytest.fixture(scope="module")
def tab(browser: Any, served: tuple[str, Path]) -> Iterator[Console]:
    """The tab that the console has admitted, for all tests: a new one takes longer than most of them."""
    url, file = served
    with new_context(browser, viewport=DESKTOP) as context:
        console = Console(context, url.split("?")[0], file)
        console.begin()
        console.page.goto(url)
        assert "token=" not in console.page.url
        yield console


@pytest.fixture
def shown(tab: Console) -> Console:
    tab.begin()
    return tab
