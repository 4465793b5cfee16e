"""Pages (real Chromium, a console in a process of its own, Hugging Face's real client; the hub stood in for): pages,
form and changes as a person uses them; no cluster.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe

from tests.chromium import NEEDS_CHROMIUM, console, new_context
from tests.cluster.serving import serving
from tests.graph.model_hub import ModelHub, fill_hub
from tests.graph.projects import write_project

pytestmark = NEEDS_CHROMIUM

# Each page, and what is there once it has shown everything.
PAGES = {
    "": "#status table",
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


@dataclass(frozen=True)
class Visit:
    """What a page did while it was looked at: ``violations`` of axe that are serious, by scheme and rule; widths in CSS
    pixels.
    """

    errors: list[str]
    requests: list[str]
    violations: dict[str, list[str]]
    width_on_a_phone: int


@pytest.fixture(scope="module")
def visits(tab: Console) -> dict[str, Visit]:
    """Each page, once it has shown everything, its groups open and the form filled in wrongly."""
    created = {}
    for path in PAGES:
        tab.begin()
        page = tab.open(path)
        if path == "new/form":
            tab.fill(name="Bad Name", model__id="org/model", resources__gpu__count="many")
            tab.has("#error-name", "'Bad Name' given")
        for group in page.locator("details").all():
            group.evaluate("element => { element.open = true }")
        violations = serious(page, "light")
        page.emulate_media(color_scheme="dark")
        violations |= serious(page, "dark", runOnly=["color-contrast"])  # in the dark only the colours are other ones
        page.set_viewport_size(PHONE)
        width = page.evaluate("document.documentElement.scrollWidth")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)
        created[path] = Visit(list(tab.errors), list(tab.requests), violations, width)
    return created


def serious(page: Any, scheme: str, **options: Any) -> dict[str, list[str]]:
    result = Axe().run(page, options=options or None).response["violations"]
    return {
        f"{scheme} {v['id']}": [n["html"][:200] for n in v["nodes"]]
        for v in result
        if v["impact"] in ("serious", "critical")
    }


@pytest.mark.parametrize("path", PAGES)
def test_no_page_reports_an_error_or_asks_another_host(path: str, visits: dict[str, Visit], tab: Console) -> None:
    assert visits[path].errors == []
    host = tab.base.split("/stacks/")[0]
    assert visits[path].requests
    assert [url for url in visits[path].requests if not url.startswith((f"{host}/", "data:", "about:"))] == []


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious_on_any_page_in_light_and_dark(path: str, visits: dict[str, Visit]) -> None:
    assert visits[path].violations == {}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone(path: str, visits: dict[str, Visit]) -> None:
    assert visits[path].width_on_a_phone <= PHONE["width"]


GPU = {"resources__gpu__count": "1", "engine__type": "", "provider__name": ""}
STATES: list[tuple[dict[str, str], str, str]] = [
    ({"resources__gpu__count": "0"}, "llamacpp", "kaito"),
    (GPU, "vllm", "dynamo"),
    (GPU | {"engine__type": "trtllm"}, "trtllm", "dynamo"),
    (GPU | {"engine__type": "llamacpp"}, "llamacpp", "kaito"),
    (GPU | {"provider__name": "kuberay"}, "vllm", "kuberay"),
]


def test_engine_and_provider_change_as_the_form_does_and_the_last_ones_are_saved(shown: Console) -> None:
    shown.open("new/form")
    shown.fill(name="row", model__id="org/model")
    shown.decided("llamacpp", "kaito")
    for fields, engine, provider in STATES:
        shown.fill(**fields)
        shown.decided(engine, provider)
        assert all(name in shown.page.inner_text(".candidates") for name in ("dynamo", "kaito", "kuberay"))
    shown.page.click("text=Review the change")
    shown.page.click("text=Save to the stack file")
    saved = {
        "name": "row",
        "model": {"id": "org/model"},
        "provider": {"name": "kuberay"},
        "resources": {"gpu": {"count": 1}},
    }
    assert shown.entries()[1] == saved
    shown.page.wait_for_selector("#status table")
    row = shown.page.inner_text("#status tr:has(a[href$='/deployments/row'])")
    assert "kuberay" in row.split()


def test_a_bad_value_is_told_beside_its_field_and_not_saved(shown: Console) -> None:
    shown.open("new/form")
    shown.fill(name="new", model__id="org/model", resources__gpu__count="many")
    shown.has("#error-resources-gpu-count", "'many' given")
    assert "1 field to correct" in shown.page.inner_text("#decision")
    shown.page.click("text=Review the change")
    assert shown.page.input_value("#resources-gpu-count") == "many"
    assert [e["name"] for e in shown.entries()] == ["one"]
    shown.fill(resources__gpu__count="1")
    shown.decided("vllm", "dynamo")
    assert shown.page.inner_text("#error-resources-gpu-count") == ""


def test_a_new_deployment_is_reviewed_saved_edited_and_removed(shown: Console) -> None:
    shown.open("new/form")
    shown.fill(name="chat", model__id="org/model", resources__gpu__count="1", env="- {name: LOG, value: debug}")
    shown.decided("vllm", "dynamo")
    shown.page.click("text=Review the change")
    assert "+    - name: chat" in shown.page.inner_text(".difference")
    shown.page.click("text=Save to the stack file")
    assert "Saved to the stack file" in shown.page.inner_text("main")
    saved = {
        "name": "chat",
        "model": {"id": "org/model"},
        "resources": {"gpu": {"count": 1}},
        "env": [{"name": "LOG", "value": "debug"}],
    }
    assert shown.entries()[1] == saved
    shown.page.click("#status a[href$='/edit/chat']")
    assert shown.page.input_value("#env") == "- name: LOG\n  value: debug\n"
    shown.fill(resources__gpu__count="2")
    shown.page.click("text=Review the change")
    lines = [
        line
        for line in shown.page.inner_text(".difference").splitlines()
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert [line.strip("+- ") for line in lines] == ["count: 1", "count: 2"]
    shown.page.click("text=Save to the stack file")
    shown.open("edit/chat")
    shown.page.click("text=Remove chat")
    shown.page.click("text=Save to the stack file")
    assert shown.file.read_text() == STACK


def test_a_deployment_in_a_file_of_its_own_is_edited_there_and_a_new_one_put_beside_it(shown: Console) -> None:
    shown.open("")
    shown.page.click("#status a[href$='/edit/filed']")
    assert "It is in deployments/team.yaml" in shown.page.inner_text("form")
    shown.fill(model__id="org/new")
    shown.has("#yaml h2", "In deployments/team.yaml")
    shown.page.click("text=Review the change")
    shown.page.click("text=Save to deployments/team.yaml")
    assert "Saved to deployments/team.yaml" in shown.page.inner_text("main")
    shown.open("new/form")
    shown.fill(name="chat", model__id="org/model")
    shown.page.select_option("#file", "deployments/team.yaml")
    shown.has("#yaml h2", "In deployments/team.yaml")
    shown.page.click("text=Review the change")
    assert "+- name: chat" in shown.page.inner_text(".difference")
    shown.page.click("text=Save to deployments/team.yaml")
    assert shown.filed.read_text() == FILED.replace(
        "filed\n  model:\n    id: org/filed", "filed\n  model:\n    id: org/new"
    ) + ("- name: chat\n  model:\n    id: org/model\n")
    assert shown.file.read_text() == STACK


def test_a_pre_made_model_fills_the_form_in(shown: Console) -> None:
    shown.open("new")
    shown.page.click("text=llama3.2:1b")
    shown.decided("llamacpp", "kaito")
    assert shown.page.inner_text("[aria-current=step]") == "Say where it runs"
    assert shown.page.input_value("#name") == "llama-3-2-1b-instruct"
    shown.page.click("text=Review the change")
    assert shown.page.inner_text("[aria-current=step]") == "Review"
    shown.page.click("text=Save to the stack file")
    assert shown.entries()[1] == {"name": "llama-3-2-1b-instruct", "model": {"id": "llama3.2:1b", "source": "aikit"}}


def test_a_model_that_a_search_finds_is_served(shown: Console, hub: ModelHub) -> None:
    page = shown.open("new")
    assert hub.requests == []
    page.fill("#q", "qwen3")
    page.keyboard.press("Enter")
    page.locator("#found", has_text="8.2 B parameters").wait_for()
    page.focus("text=unsloth/Qwen3-8B-GGUF")
    page.keyboard.press("Enter")
    page.click("text=Qwen3-8B-Q4_K_M.gguf")
    shown.decided("llamacpp", "kaito")
    page.click("text=Review the change")
    page.click("text=Save to the stack file")
    gguf = {"id": "unsloth/Qwen3-8B-GGUF", "gguf": {"file": "Qwen3-8B-Q4_K_M.gguf"}}
    assert shown.entries()[1] == {"name": "qwen3-8b-gguf", "model": gguf}
    assert shown.errors == []


def test_a_model_that_is_typed_is_looked_up_when_asked_for(shown: Console, hub: ModelHub) -> None:
    page = shown.open("new/form")
    shown.fill(name="typed", model__id="Qwen/Qwen3-8B", resources__gpu__count="1")
    shown.decided("vllm", "dynamo")
    page.click("text=Look it up on Hugging Face")
    shown.has("#decision", "16.4 GB of weights")
    assert page.locator("text=Look it up").count() == 0


def test_a_click_installs_a_provider_or_leaves_it_to_others(shown: Console) -> None:
    shown.open("providers")
    assert "kaito GPU" in " ".join(shown.page.inner_text("table").split())
    for state, expected in (
        ("existing", {"installation": "existing"}),
        ("off", {"enabled": False}),
        ("managed", {"installation": "managed"}),
    ):
        shown.page.click(f"[aria-label^='kuberay: {state}']")
        shown.page.click("text=Save to the stack file")
        assert yaml.safe_load(shown.file.read_text())["config"]["airunway:providers"]["kuberay"] == expected
        assert shown.page.get_attribute(f"[aria-label^='kuberay: {state}']", "aria-pressed") == "true"


def test_turning_off_what_a_deployment_needs_can_not_be_saved(shown: Console) -> None:
    shown.open("providers")
    shown.page.click("[aria-label^='kaito: off']")
    assert "These problems must be fixed" in shown.page.inner_text("main [role=alert]")
    assert shown.page.locator("text=Save to the stack file").count() == 0


def test_the_cluster_s_silence_is_told_and_the_plan_is_shown(shown: Console) -> None:
    shown.open("")
    text = shown.page.inner_text("#status")
    assert "No status: cluster nowhere" in text
    assert "http://one.ml.svc/v1" in text


def test_without_the_pulumi_cli_the_page_says_so_and_offers_the_preview(shown: Console) -> None:
    page = shown.open("changes")  # there is no difference to show, as the project is no git checkout
    if "The Pulumi CLI is not on PATH" in page.inner_text("main"):
        page.click("text=preview without it")
    else:
        shown.open("graph")
    page.wait_for_selector("#canvas canvas")
    assert shown.errors == []
    page.click("#list button >> nth=1")
    assert "kind:" in page.inner_text("#yaml")


def test_the_keyboard_alone_makes_a_deployment(shown: Console) -> None:
    page = shown.open("new/form")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # the first step
    page.keyboard.press("Tab")  # the first group
    page.keyboard.press("Tab")
    page.keyboard.type("typed")
    page.keyboard.press("Tab")
    page.keyboard.type("org/model")
    shown.decided("llamacpp", "kaito")
    page.keyboard.press("Enter")
    page.wait_for_selector(".difference")
    page.focus("text=Save to the stack file")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?saved=1")
    assert shown.entries()[1] == {"name": "typed", "model": {"id": "org/model"}}


def test_the_way_back_from_a_review_keeps_what_was_typed(shown: Console) -> None:
    shown.open("new/form")
    shown.fill(name="typed", model__id="org/m", engine__type="vllm", resources__gpu__count="2")
    shown.decided("vllm", "dynamo")
    shown.page.click("text=Review the change")
    assert "vllm on dynamo: org/m, 2 GPUs" in shown.page.inner_text("main .decided")
    shown.page.click("text=Back to the form")
    typed = [shown.page.input_value(field) for field in ("#name", "#engine-type", "#resources-gpu-count")]
    assert typed == ["typed", "vllm", "2"]
    assert "typed" not in shown.file.read_text()


def test_a_value_that_is_not_valid_stays_in_sight(shown: Console) -> None:
    wrong = "- name: one\n      engine: {type: vlm}\n      provider: {name: kto}"
    shown.file.write_text(STACK.replace("- name: one", wrong))
    shown.page.goto(f"{shown.base}edit/one")
    for field, text in (("#engine-type", "vlm (not valid)"), ("#provider-name", "kto (not valid)")):
        assert shown.page.locator(f"{field} option:checked").text_content() == text
    shown.has("#error-engine-type", "'vlm' given")


def test_a_console_that_does_not_answer_says_so_until_it_does(shown: Console) -> None:
    page = shown.open("new/form")
    assert page.is_hidden("#offline")
    page.route("**/check", lambda route: route.abort())
    shown.fill(name="one-more")
    page.locator("#offline", has_text="The console has not answered since").wait_for()
    page.unroute("**/check")
    shown.fill(name="one-more-again")
    page.wait_for_selector("#offline", state="hidden")


def test_a_deployment_s_page_says_what_it_is_why_and_how_to_use_it(shown: Console) -> None:
    page = shown.open("")
    page.click("#status a[href$='/deployments/one']")
    page.wait_for_url("**/deployments/one")
    assert "org/gguf, no GPU, llamacpp on kaito in namespace ml" in page.inner_text(".decided")
    for text in ('airunway chat one "Say hello." --stack own', "http://one.ml.svc/v1"):
        assert text in page.inner_text("main")
    page.click("text=Objects of one")
    assert "kind: Workspace" in page.inner_text("main")
    page.click("text=Edit")
    page.wait_for_url("**/edit/one")
