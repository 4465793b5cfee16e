"""Pages (real Chromium, a console in a process of its own): pages, form and changes as a person uses them; no
cluster.
"""

from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe

from tests.chromium import NEEDS_CHROMIUM
from tests.pages.console_tab import DESKTOP, FILED, PAGES, PHONE, STACK, Console

pytestmark = NEEDS_CHROMIUM


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


def test_a_filter_hides_what_lacks_its_words_also_when_the_status_is_read_again(shown: Console) -> None:
    rows = "".join(
        f"    - name: row-{i}\n      model: {{id: org/{'even' if i % 2 == 0 else 'odd'}}}\n" for i in range(24)
    )
    shown.file.write_text(STACK + rows)
    page = shown.open("")
    page.fill("#filter", "ROW odd")
    visible = page.locator("#deployments tbody tr:visible")
    assert visible.count() == 12
    with page.expect_response("**/status"):
        pass
    page.wait_for_timeout(300)
    assert visible.count() == 12
    page.fill("#filter", "")
    assert visible.count() == 26
