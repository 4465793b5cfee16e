"""Graph (the console without a socket, Hugging Face's real client; the hub stood in for): the choice of a model for a
new deployment, and what the form and the review say of it.
"""

import html
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from airunway.console import known_models
from airunway.console.app import Console
from airunway.console.project import Project
from airunway.console.security import Guard
from tests.cluster.serving import serving
from tests.graph.model_hub import (
    FIRST,
    LLAMA_8B,
    QWEN_8B,
    QWEN_8B_GGUF,
    QWEN_CONFIG,
    ModelHub,
    fill_hub,
    listed,
    model,
)
from tests.graph.projects import write_project, write_stack
from tests.unit.console_pages import HOST, Browser

L4 = {"name": "l4", "gpu": {"product": "NVIDIA-L4", "count": 1}, "nodes": 4}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, without_proxies: None) -> Iterator[ModelHub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serving(ModelHub()) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        fill_hub(server)
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path, [{"name": "one", "model": {"id": "org/m"}}])
    write_stack(
        tmp_path, "prod", deployments=[{"name": "chat", "model": {"id": QWEN_8B}, "env": [{"name": "A", "value": "1"}]}]
    )
    return tmp_path


@pytest.fixture
def guard(project: Path) -> Guard:
    return Console(Project(project), "own").app([HOST])


@pytest.fixture
def browser(guard: Guard) -> Browser:
    return Browser(guard)


def text_of(page: httpx.Response) -> str:
    """What a page says, in one line."""
    assert page.status_code in (200, 502), page.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def form_values(page: httpx.Response) -> dict[str, str]:
    """The values that a form's fields are filled in with."""
    assert page.status_code == 200
    found = re.findall(r'<input id="[^"]+" name="([^"]+)" type="text"[^>]* value="([^"]+)"', page.text)
    found += re.findall(r'name="([^"]+)" rows="3"[^>]*>([^<]+)<', page.text)
    found += re.findall(
        r'<select id="[^"]+" name="([^"]+)"[^>]*>(?:(?!</select>).)*<option value="([^"]+)" selected', page.text, re.S
    )
    return {name: html.unescape(value) for name, value in found}


def followed(browser: Browser, page: httpx.Response) -> httpx.Response:
    assert page.status_code == 303, page.text
    return browser.get(page.headers["location"])


def test_the_page_asks_no_hub_before_a_search(hub: ModelHub, browser: Browser) -> None:
    text = text_of(browser.get("/stacks/own/new"))
    assert all(part in text for part in ("Choose a model", "llama3.2:1b", "own/one org/m", f"prod/chat {QWEN_8B}"))
    assert "lock" not in text
    assert hub.requests == []


def test_a_search_finds_models_that_write_text_the_most_downloaded_first(hub: ModelHub, browser: Browser) -> None:
    page = browser.get("/stacks/own/new/search?q=qwen3")
    assert re.findall(r'name="id" value="([^"]+)"', page.text) == [QWEN_8B, QWEN_8B_GGUF, "someone/qwen3-draft"]
    text = text_of(page)
    assert f"{QWEN_8B} 8.2 B parameters apache-2.0 5 M downloads a month" in text
    assert f"{QWEN_8B_GGUF} 8.2 B parameters GGUF apache-2.0 context 40,960 123,456 downloads a month" in text
    assert "someone/qwen3-draft licence unknown 12 downloads a month" in text
    assert f"{LLAMA_8B} gated llama3.1" in text_of(browser.get("/stacks/own/new/search?q=llama"))
    assert "No model that writes text has “nothing-such” in its name." in text_of(
        browser.get("/stacks/own/new/search?q=nothing-such")
    )


def test_nothing_is_searched_for_without_a_word(hub: ModelHub, browser: Browser) -> None:
    for query in ("", "?q=", "?q=%20%20"):
        assert browser.get(f"/stacks/own/new/search{query}").status_code == 400
    assert hub.requests == []


def test_what_is_found_is_no_more_than_can_be_read(hub: ModelHub, browser: Browser) -> None:
    hub.list = [listed(f"org/qwen-{number}", 1000 - number) for number in range(70)]
    page = browser.get("/stacks/own/new/search?q=qwen")
    assert re.findall(r'name="id" value="org/qwen-(\d+)"', page.text) == [str(number) for number in range(20)]
    assert len(hub.requests) == 1


ODD: list[Any] = [
    None,
    7,
    "text",
    {},
    {"id": 7},
    {"id": "no-owner"},
    {"id": "org/<b>"},
    {"id": "org/m", "tags": "x"},
    {"id": "org/m", "safetensors": {"total": "many"}},
]


def test_an_odd_model_in_the_answer_hides_no_other(hub: ModelHub, browser: Browser) -> None:
    hub.list = [*ODD, listed("org/good", 1)]
    hub.list[-1]["tags"] = ["license:<script>alert(1)</script>\x1b[31m"]
    page = browser.get("/stacks/own/new/search?q=o")
    assert re.findall(r'name="id" value="([^"]+)"', page.text) == ["org/good"]
    assert "<script>" not in page.text
    assert "\x1b" not in page.text


@pytest.mark.parametrize("answer", [{"models": []}, "text", 7, None, b"<html>", b"\xff\xfe"])
def test_an_answer_that_is_no_list_is_told(answer: Any, hub: ModelHub, browser: Browser) -> None:
    hub.list = answer
    assert "'q': what HF_ENDPOINT names does not answer as a hub does" in text_of(
        browser.get("/stacks/own/new/search?q=q")
    )


@pytest.mark.parametrize(
    ("refusal", "output"),
    [
        ((503, ""), "'q': the hub refused: no"),
        ((429, ""), "'q': the hub refused: no"),
        ((401, ""), "'q': the hub refused: no"),
    ],
)
def test_a_refusal_is_told_at_once(refusal: tuple[int, str], output: str, hub: ModelHub, browser: Browser) -> None:
    hub.refusal = refusal
    assert output in text_of(browser.get("/stacks/own/new/search?q=q"))
    assert len(hub.requests) == 1


def test_a_hub_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch, without_proxies: None, browser: Browser) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "'q': the hub can't be reached:" in text_of(browser.get("/stacks/own/new/search?q=q"))


def test_a_client_that_is_told_to_stay_offline_is_not_made_to_ask(
    monkeypatch: pytest.MonkeyPatch, hub: ModelHub, browser: Browser
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    page = browser.get("/stacks/own/new/search?q=q")
    assert "the hub is not asked, as HF_HUB_OFFLINE is set" in text_of(page)
    assert hub.requests == []


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, browser: Browser) -> None:
    for module in [name for name in sys.modules if name.startswith("airunway.live.model_")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert "pip install 'airunway[lock]'" in text_of(browser.get("/stacks/own/new/search?q=q"))


def test_a_hub_that_never_ends_its_answer_is_given_up_and_can_t_be_asked_too_often(
    monkeypatch: pytest.MonkeyPatch, hub: ModelHub, browser: Browser
) -> None:
    monkeypatch.setattr(known_models, "_SECONDS", 0.3)
    ended = threading.Event()

    def endless() -> Iterator[bytes]:
        while not ended.wait(0.05):
            yield b" "

    hub.list = endless
    for _ in range(3):
        assert "Hugging Face: did not answer within 0.3 seconds" in text_of(browser.get("/stacks/own/new/search?q=q"))
    assert "3 questions wait for answers" in text_of(browser.get("/stacks/own/new/search?q=q"))
    ended.set()


def test_a_found_model_is_looked_up_and_fills_in_the_form(hub: ModelHub, browser: Browser) -> None:
    page = followed(browser, browser.post("/stacks/own/new/choose", {"id": QWEN_8B}))
    values = form_values(page)
    assert values == {"name": "qwen3-8b", "model.id": QWEN_8B, "resources.gpu.count": "1"}
    hub.requests.clear()
    text = text_of(browser.post("/stacks/own/check", values))
    assert "8.2 B parameters 16.4 GB of weights apache-2.0 context 40,960" in text
    assert "Look it up" not in text
    assert hub.requests == []


def test_one_of_a_model_s_gguf_files_is_chosen(hub: ModelHub, browser: Browser) -> None:
    page = followed(browser, browser.post("/stacks/own/new/choose", {"id": QWEN_8B_GGUF}))
    links = [html.unescape(link) for link in re.findall(r'class="model" href="([^"]+)"', page.text)]
    assert "Qwen3-8B-Q4_K_M.gguf 5.0 GB Qwen3-8B-Q8_0.gguf 8.7 GB" in text_of(page)
    assert len(links) == 2
    values = form_values(browser.get(links[0]))
    assert values == {"name": "qwen3-8b-gguf", "model.id": QWEN_8B_GGUF, "model.gguf.file": "Qwen3-8B-Q4_K_M.gguf"}
    assert "llamacpp on kaito" in text_of(browser.post("/stacks/own/check", values))


def test_a_model_whose_gguf_files_are_all_parts_is_served_whole(hub: ModelHub, browser: Browser) -> None:
    hub.models["org/parts", "main"] = model(FIRST, ("m-00001-of-00002.gguf", 9), ("m-00002-of-00002.gguf", 9))
    page = followed(browser, browser.post("/stacks/own/new/choose", {"id": "org/parts"}))
    assert "None of its GGUF files is a whole model" in text_of(page)
    (link,) = re.findall(r'class="button" href="([^"]+/form[^"]+)"', page.text)
    assert form_values(browser.get(html.unescape(link))) == {
        "name": "parts",
        "model.id": "org/parts",
        "engine.type": "llamacpp",
    }


def test_files_of_a_model_that_is_not_known_lead_back_to_the_choice(browser: Browser) -> None:
    page = browser.get("/stacks/own/new/files?model=org/never")
    assert (page.status_code, page.headers["location"]) == (303, "/stacks/own/new")


def test_a_model_that_can_t_be_looked_up_can_be_used_without_its_facts(hub: ModelHub, browser: Browser) -> None:
    hub.refusal = (403, "GatedRepo")
    page = browser.post("/stacks/own/new/choose", {"id": LLAMA_8B})
    assert page.status_code == 502
    assert f"{LLAMA_8B}: is gated; accept its terms on the hub, and set HF_TOKEN" in text_of(page)
    (link,) = re.findall(r'class="button" href="([^"]+/form[^"]+)"', page.text)
    assert form_values(browser.get(html.unescape(link)))["model.id"] == LLAMA_8B
    assert browser.post("/stacks/own/new/choose", {"id": " "}).status_code == 400


def test_a_typed_model_is_looked_up_when_asked_for(hub: ModelHub, browser: Browser) -> None:
    form = {"name": "typed", "model.id": QWEN_8B, "resources.gpu.count": "1"}
    assert "Its size, licence and longest context are not known here. Look it up" in text_of(
        browser.post("/stacks/own/check", form)
    )
    assert hub.requests == []
    answer = browser.post("/stacks/own/new/facts", form)
    assert (answer.headers["hx-trigger"], answer.text.strip()) == ("known", "")
    assert "16.4 GB of weights" in text_of(browser.post("/stacks/own/check", form))
    wrong = browser.post("/stacks/own/new/facts", form | {"model.id": "org/never"})
    assert "org/never: is not on the hub, or HF_TOKEN may not see it" in wrong.text
    assert "hx-trigger" not in wrong.headers
    for model_id in ({}, {"model.id": "llama3.2:1b", "model.source": "aikit"}):
        assert browser.post("/stacks/own/new/facts", model_id).status_code == 400


@pytest.mark.parametrize("model_id", ["/models/x", "s3://bucket/x", "https://huggingface.co/org/m", "Bad Id", ""])
def test_what_is_not_on_the_hub_is_not_offered_to_be_looked_up(model_id: str, browser: Browser) -> None:
    assert "Look it up" not in text_of(browser.post("/stacks/own/check", {"name": "x", "model.id": model_id}))


def test_whether_a_looked_up_model_fits_is_said_beside_the_form_and_in_the_review(
    hub: ModelHub, project: Path, browser: Browser
) -> None:
    write_stack(
        project, nodePools=[L4], deployments=[{"name": "one", "model": {"id": "llama3.2:1b", "source": "aikit"}}]
    )
    hub.models["org/large", "main"] = model(
        FIRST, ("m.safetensors", 141_000_000_000), ("config.json", 9), BF16=70_553_706_496
    )
    hub.configs["org/large"] = QWEN_CONFIG
    form = {"kind": "deployment", "name": "large", "model.id": "org/large", "resources.gpu.count": "1"}
    before = text_of(browser.post("/stacks/own/check", form))
    assert "1 × NVIDIA-L4 in l4" in before
    assert "Stopped" not in before
    browser.post("/stacks/own/new/facts", form)
    reason = "its weights (131.4 GiB) do not fit the 1 × NVIDIA-L4 (24.0 GiB) of each worker (VllmWorker)"
    checked = text_of(browser.post("/stacks/own/check", form))
    assert f"Stopped: {reason}" in checked
    assert "of 22.1 GiB; about 122.6 GiB too much Stopped" in checked
    review = text_of(browser.post("/stacks/own/review", form))
    assert f"It can be saved, and will stop the update: {reason}" in review
    small = form | {"model.id": "org/other", "name": "small"}
    assert "will stop the update" not in text_of(browser.post("/stacks/own/review", small))


def test_the_review_says_that_the_lock_lacks_the_model(hub: ModelHub, project: Path, browser: Browser) -> None:
    form = {"kind": "deployment", "name": "new", "model.id": QWEN_8B, "resources.gpu.count": "1"}
    assert "airunway lock" not in text_of(browser.post("/stacks/own/review", form))
    (project / "stacks" / "models.lock.yaml").write_text(yaml.safe_dump({"models": {"org/m": {"revision": "a" * 40}}}))
    hint = "stacks/models.lock.yaml does not have this model yet: airunway lock pins its commit."
    review = browser.post("/stacks/own/review", form)
    assert hint in text_of(review)
    assert "kind: DynamoGraphDeployment" in review.text
    for locked in (
        {"model.id": "org/m"},
        {"model.id": "llama3.2:1b", "model.source": "aikit", "resources.gpu.count": ""},
    ):
        assert hint not in text_of(browser.post("/stacks/own/review", form | locked))


def test_locked_models_are_offered_with_what_the_lock_knows(hub: ModelHub, project: Path, browser: Browser) -> None:
    files = [{"path": "q.gguf", "bytes": 5_000_000_000}]
    lock = {
        "org/m": {"revision": "a" * 40, "license": "mit", "gated": True},
        "org/g": {"revision": "b" * 40, "files": files},
    }
    (project / "stacks" / "models.lock.yaml").write_text(yaml.safe_dump({"models": lock}))
    page = browser.get("/stacks/own/new")
    assert "In this project's lock org/g 1 GGUF file licence unknown org/m gated mit" in text_of(page)
    assert "q.gguf 5.0 GB" in text_of(browser.get("/stacks/own/new/files?model=org/g"))
    assert hub.requests == []


def test_a_deployment_is_copied_with_all_of_its_settings_and_a_name_of_its_own(browser: Browser) -> None:
    values = form_values(browser.get("/stacks/own/new/form?copy=prod/chat"))
    assert values == {"name": "chat", "model.id": QWEN_8B, "env": "- name: A\n  value: '1'\n"}
    assert form_values(browser.get("/stacks/own/new/form?copy=own/one"))["name"] == "one-2"
    for missing in ("prod/none", "none/chat", "prod/", "/x"):
        assert browser.get(f"/stacks/own/new/form?copy={missing}").status_code == (200 if missing == "/x" else 404)


def test_a_stack_that_can_t_be_read_offers_nothing_to_copy_and_hides_no_other(project: Path, browser: Browser) -> None:
    (project / "stacks" / "Pulumi.prod.yaml").write_text("config: [")
    text = text_of(browser.get("/stacks/own/new"))
    assert "own/one" in text
    assert "prod/" not in text


def test_the_token_goes_to_the_hub_and_onto_no_page(
    monkeypatch: pytest.MonkeyPatch, hub: ModelHub, browser: Browser
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_" + "s" * 34)
    pages = [browser.get("/stacks/own/new/search?q=q"), browser.post("/stacks/own/new/choose", {"id": "org/never"})]
    assert hub.tokens == {f"Bearer hf_{'s' * 34}"}
    assert all("hf_sss" not in page.text for page in pages)


def test_an_unknown_stack_has_no_choice_of_models(browser: Browser) -> None:
    for path in ("new", "new/search?q=x", "new/files?model=x", "new/form"):
        assert browser.get(f"/stacks/none/{path}").status_code == 404
    for path in ("new/choose", "new/facts"):
        assert browser.post(f"/stacks/none/{path}", {"id": QWEN_8B, "model.id": QWEN_8B}).status_code == 404
