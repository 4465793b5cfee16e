"""Pages (real Chromium, a console in a process of its own, Hugging Face's real client; the hub stood in for): a new
deployment from the choice of its model to its review, as a person makes it.
"""

from tests.chromium import NEEDS_CHROMIUM
from tests.graph.model_hub import ModelHub
from tests.pages.console_tab import Console

pytestmark = NEEDS_CHROMIUM


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


def test_the_browser_s_way_back_keeps_what_was_typed(shown: Console) -> None:
    shown.open("edit/one")
    shown.fill(model__id="org/typed", resources__gpu__count="2")
    shown.decided("vllm", "dynamo")
    shown.page.click("text=Review the change")
    shown.page.wait_for_selector(".difference")
    shown.page.go_back()
    shown.decided("vllm", "dynamo")
    assert [shown.page.input_value(field) for field in ("#model-id", "#resources-gpu-count")] == ["org/typed", "2"]
    shown.open("edit/one")
    assert shown.page.input_value("#model-id") == "org/gguf"
