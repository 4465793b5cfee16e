"""Unit (in this process): changes of stack files and deployment files by the console's pages: shown, saved, refused, in
conflict.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.console.file_edit import fingerprint
from airunway.console.project import Project
from airunway.console.security import Guard
from tests.unit.console_pages import FILED, Browser, hidden, texts


def test_a_change_is_shown_then_saved_and_a_second_one_on_the_old_file_is_not_lost_and_not_made(
    guard: Guard, tmp_path: Path
) -> None:
    browser, path = Browser(guard), tmp_path / "stacks" / "Pulumi.own.yaml"
    path.write_text(
        "# Kept.\nconfig:\n  airunway:cluster: {context: x}\n  airunway:deployments:\n    - name: one\n      model:"
        " {id: org/m}\n"
    )

    def reviewed(name: str) -> dict[str, str]:
        page = browser.post("/stacks/own/review", {"kind": "deployment", "name": name, "model.id": "org/x"})
        assert f"+    - name: {name}" in page.text
        hidden = dict(re.findall(r'name="(change|read)" value="([^"]*)"', page.text))
        return {key: value.replace("&#34;", '"') for key, value in hidden.items()}

    two, three = reviewed("two"), reviewed("three")
    assert browser.post("/stacks/own/save", two).headers["location"] == "/stacks/own/?saved=1"
    assert path.read_text().startswith("# Kept.\n")
    conflict = browser.post("/stacks/own/save", three)
    assert (conflict.status_code, "was changed by someone else" in conflict.text) == (409, True)
    assert "+    - name: three" in conflict.text
    assert [d["name"] for d in yaml.safe_load(path.read_text())["config"]["airunway:deployments"]] == ["one", "two"]


def test_a_stack_that_would_not_be_right_is_not_saved(guard: Guard, tmp_path: Path) -> None:
    browser = Browser(guard)
    built = {
        "kind": "deployment",
        "name": "two",
        "model.id": "org/x",
        "model.gguf.file": "m-Q4_0.gguf",
        "model.gguf.build": "true",
    }
    page = browser.post("/stacks/own/review", built).text
    assert "registry: a deployment builds an image; set the registry" in page
    assert "Save to the stack file" not in page
    before = (tmp_path / "stacks" / "Pulumi.own.yaml").read_text()
    entry = {"name": "two", "model": {"id": "org/x", "gguf": {"file": "m-Q4_0.gguf", "build": True}}}
    change = json.dumps({"kind": "deployment", "entry": entry, "replacing": None})
    assert browser.post("/stacks/own/save", {"change": change, "read": ""}).status_code == 400
    assert (tmp_path / "stacks" / "Pulumi.own.yaml").read_text() == before


def test_an_entry_of_a_file_is_edited_where_it_stands(guard: Guard, filed: Path) -> None:
    browser, before = Browser(guard), texts(filed)
    form = browser.get("/stacks/own/edit/chat").text
    assert "It is in <code>deployments/chat.yaml</code>" in form
    assert 'value="org/chat"' in form
    page = browser.post(
        "/stacks/own/review", {"kind": "deployment", "replacing": "chat", "name": "chat", "model.id": "org/new"}
    )
    assert "--- deployments/chat.yaml (current)" in page.text
    assert "Save to deployments/chat.yaml" in page.text
    saved = browser.post("/stacks/own/save", hidden(page))
    assert saved.headers["location"] == "/stacks/own/?saved=deployments/chat.yaml"
    assert texts(filed) == before | {"deployments/chat.yaml": FILED.replace("id: org/chat", "id: org/new")}
    assert "Saved to deployments/chat.yaml." in browser.get(saved.headers["location"]).text
    assert "Saved to the stack file." in browser.get("/stacks/own/?saved=anything").text


def test_an_entry_of_a_file_is_removed_there(guard: Guard, filed: Path) -> None:
    browser, before = Browser(guard), texts(filed)
    browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", {"kind": "remove", "name": "other"})))
    assert texts(filed) == before | {"deployments/chat.yaml": FILED[: FILED.index("- name: other")]}
    browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", {"kind": "remove", "name": "one"})))
    assert "name: one" not in texts(filed)["stacks/Pulumi.own.yaml"]


@pytest.mark.parametrize("file", ["", "deployments/chat.yaml", "deployments/none.yaml"])
def test_a_new_entry_goes_to_the_stack_file_or_where_it_is_chosen_to(file: str, guard: Guard, filed: Path) -> None:
    browser, before = Browser(guard), texts(filed)
    assert re.findall(r"<option>(deployments/\w+\.yaml)</option>", browser.get("/stacks/own/new/form").text) == [
        "deployments/chat.yaml",
        "deployments/none.yaml",
    ]
    new = {"kind": "deployment", "name": "new", "model.id": "org/new", "file": file}
    assert f"<h2>In {file or 'the stack file'}</h2>" in browser.post("/stacks/own/check", new).text
    browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", new)))
    changed = {name for name, text in texts(filed).items() if text != before[name]}
    assert changed == {file or "stacks/Pulumi.own.yaml"}
    assert set(Project(filed).entries("own")) == {"one", "chat", "other", "new"}


def test_a_choice_stays_where_the_form_is_shown_again(guard: Guard, filed: Path) -> None:
    wrong = {"kind": "deployment", "name": "Wrong", "model.id": "org/new", "file": "deployments/none.yaml"}
    assert "<option selected>deployments/none.yaml</option>" in Browser(guard).post("/stacks/own/review", wrong).text


@pytest.mark.parametrize(
    "file", ["../outside.yaml", "/etc/passwd", "stacks/Pulumi.own.yaml", "manifest.yaml", ["deployments/chat.yaml"]]
)
def test_only_a_deployment_file_of_the_stack_can_be_chosen(file: Any, guard: Guard, filed: Path) -> None:
    before = texts(filed)
    change = {"kind": "deployment", "entry": {"name": "new", "model": {"id": "a/b"}}, "replacing": None, "file": file}
    answer = Browser(guard).post("/stacks/own/save", {"change": json.dumps(change), "read": ""})
    assert (answer.status_code, "is no deployment file of stack own; " in answer.text) == (400, True)
    assert texts(filed) == before


@pytest.mark.parametrize(
    ("name", "location"),
    [("one", "deployments[0]"), ("chat", "deployments/chat.yaml[0]"), ("manifest", "manifest.yaml")],
)
def test_a_name_is_taken_wherever_its_entry_stands(name: str, location: str, guard: Guard, filed: Path) -> None:
    checked = (
        Browser(guard)
        .post("/stacks/own/check", {"name": name, "model.id": "org/m", "file": "deployments/none.yaml"})
        .text
    )
    assert f"is the name of {location} too; a name is used once per stack" in checked


def test_a_file_that_changed_meanwhile_is_not_overwritten_and_another_one_is_no_conflict(
    guard: Guard, filed: Path
) -> None:
    browser, file = Browser(guard), filed / "deployments" / "chat.yaml"
    change = {"kind": "deployment", "replacing": "chat", "name": "chat", "model.id": "org/new"}
    reviewed = hidden(browser.post("/stacks/own/review", change))
    file.write_text(FILED + "- name: theirs\n  model: {id: org/theirs}\n")
    conflict = browser.post("/stacks/own/save", reviewed)
    assert (conflict.status_code, "chat.yaml was changed by someone else" in conflict.text) == (409, True)
    assert "org/new" not in file.read_text()
    stack = filed / "stacks" / "Pulumi.own.yaml"
    stack.write_text(stack.read_text() + "    - name: two\n      model: {id: org/two}\n")
    assert browser.post("/stacks/own/save", hidden(conflict)).status_code == 303
    assert [e["name"] for e in yaml.safe_load(file.read_text())] == ["chat", "other", "theirs"]
    assert "org/new" in file.read_text()


def test_an_entry_that_moved_to_another_file_meanwhile_is_a_conflict(guard: Guard, filed: Path) -> None:
    browser, before = Browser(guard), texts(filed)
    reviewed = hidden(browser.post("/stacks/own/review", {"kind": "remove", "name": "chat"}))
    (filed / "deployments" / "none.yaml").write_text(before["deployments/chat.yaml"])
    (filed / "deployments" / "chat.yaml").write_text(before["deployments/none.yaml"])
    moved = texts(filed)
    (filed / "deployments" / "none.yaml").write_text(before["deployments/chat.yaml"] + "# changed\n")
    assert browser.post("/stacks/own/save", reviewed).status_code == 409
    assert texts(filed) == moved | {"deployments/none.yaml": before["deployments/chat.yaml"] + "# changed\n"}


def test_a_change_of_a_file_that_would_break_the_stack_is_not_saved(guard: Guard, filed: Path) -> None:
    browser, before = Browser(guard), texts(filed)
    change = {"kind": "deployment", "entry": {"name": "one", "model": {"id": "a/b"}}, "replacing": "chat"}
    answer = browser.post("/stacks/own/save", {"change": json.dumps(change), "read": fingerprint(FILED)})
    assert "deployments/chat.yaml[0].name: &#39;one&#39; is the name of deployments[0] too" in answer.text
    assert texts(filed) == before


def test_a_stack_that_is_wrong_says_so_and_can_be_mended_by_form(guard: Guard, filed: Path) -> None:
    browser, stack = Browser(guard), filed / "stacks" / "Pulumi.own.yaml"
    before = stack.read_text()
    stack.write_text(before + "      resources: {gpu: {count: 99}}\n")
    page = browser.get("/stacks/own/")
    assert (page.status_code, "deployments[0].resources.gpu.count: 99 given, must be at most 64" in page.text) == (
        400,
        True,
    )
    assert '<a href="/stacks/own/edit/one">' in page.text
    assert 'value="99"' in browser.get("/stacks/own/edit/one").text
    form = {"kind": "deployment", "replacing": "one", "name": "one", "model.id": "org/m"}
    assert "at most 64" in browser.post("/stacks/own/check", form | {"resources.gpu.count": "99"}).text
    assert browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", form))).status_code == 303
    assert stack.read_text() == before


def test_a_file_that_is_wrong_can_be_mended_by_form(guard: Guard, filed: Path) -> None:
    browser, file = Browser(guard), filed / "deployments" / "chat.yaml"
    file.write_text(FILED.replace("id: org/chat", "id: org/chat\n  engine: {type: vlm}"))
    page = browser.get("/stacks/own/")
    assert (page.status_code, "deployments/chat.yaml[0].engine.type: &#39;vlm&#39; given" in page.text) == (400, True)
    assert '<a href="/stacks/own/edit/chat">' in page.text
    form = {"kind": "deployment", "replacing": "chat", "name": "chat", "model.id": "org/chat"}
    assert browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", form))).status_code == 303
    assert file.read_text() == FILED


def test_a_file_of_two_stacks_is_pointed_out(guard: Guard, filed: Path) -> None:
    stack = (filed / "stacks" / "Pulumi.own.yaml").read_text()
    (filed / "stacks" / "Pulumi.second.yaml").write_text(stack)
    (filed / "stacks" / "Pulumi.broken.yaml").write_text("config: 1")
    (filed / "stacks" / "Pulumi.apart.yaml").write_text("config: {}")
    browser = Browser(guard)
    page = browser.post("/stacks/own/review", {"kind": "remove", "name": "chat"}).text
    assert "This file belongs to stack second too." in page
    assert "This file belongs" not in browser.post("/stacks/own/review", {"kind": "remove", "name": "one"}).text


def test_what_pulumi_could_not_start_is_not_saved_to_the_stack_file_but_to_another(guard: Guard, filed: Path) -> None:
    browser, stack = Browser(guard), filed / "stacks" / "Pulumi.own.yaml"
    long = {
        "kind": "deployment",
        "name": "new",
        "model.id": "org/new",
        "env": f"- {{name: LONG, value: {'x' * 120_000}}}",
    }
    assert browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", long))).status_code == 303
    assert "most of them for airunway:deployments; with more than 131,072 Linux" in browser.get("/stacks/own/").text
    more = long | {"name": "more", "env": f"- {{name: LONG, value: {'x' * 12_000}}}"}
    page = browser.post("/stacks/own/review", more).text
    assert "with more than 131,072 Linux does not let Pulumi start the program" in page
    assert "Save to the stack file" not in page
    assert (
        "Save to deployments/none.yaml"
        in browser.post("/stacks/own/review", more | {"file": "deployments/none.yaml"}).text
    )
    stack.write_text(stack.read_text() + f"    - name: more\n      model: {{id: {'x' * 12_000}}}\n")
    assert "Save to the stack file" in browser.post("/stacks/own/review", {"kind": "remove", "name": "one"}).text


@pytest.mark.parametrize(
    "change",
    [
        "",
        "[]",
        '{"kind": "shell"}',
        '{"kind": "remove", "name": "gone"}',
        '{"kind": "provider", "name": "x", "state": "off"}',
        '{"kind": "deployment"}',
    ],
)
def test_a_change_that_is_none_is_refused(guard: Guard, change: str) -> None:
    assert Browser(guard).post("/stacks/own/save", {"change": change, "read": ""}).status_code == 400
