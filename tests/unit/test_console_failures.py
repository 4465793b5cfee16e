"""Unit (pages without a socket): what a page can't do is said on a page, and a bug does not end the console."""

import errno
import html
import json
import os
import re
from pathlib import Path

import pytest

from airunway.console.project import Project
from airunway.console.security import Guard
from tests.unit.console_pages import Browser

PAGES = ("", "new", "providers", "status", "edit/one")


@pytest.mark.parametrize("change", ["[" * 100_000, '{"a":' * 500 + "1" + "}" * 500, "x", "[]", '{"kind":["provider"]}'])
def test_a_change_that_the_console_does_not_make_is_refused(guard: Guard, change: str) -> None:
    answer = Browser(guard).post("/stacks/own/save", {"change": change, "read": "x"})
    assert answer.status_code == 400
    assert "is not a change that the console makes" in answer.text


def test_a_bug_is_told_on_a_page_and_the_rest_goes_on(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(guard, raises=False)
    monkeypatch.setattr(Project, "providers", lambda *_: json.loads("[" * 100_000))
    answer = browser.get("/stacks/own/providers")
    assert answer.status_code == 500
    assert "RecursionError" in answer.text
    assert "this is a bug in airunway" in answer.text
    assert "content-security-policy" in answer.headers
    assert browser.get("/stacks/own/new").status_code == 200
    (tmp_path / "Pulumi.yaml").write_text("- a")
    assert browser.get("/stacks/own/providers").status_code == 500


@pytest.mark.parametrize("config", ["{1: 2}", '{airunway:cluster: {context: x}, airunway:deployments: "[[[["}'])
def test_every_page_of_an_odd_stack_says_what_is_wrong_with_it(guard: Guard, tmp_path: Path, config: str) -> None:
    (tmp_path / "stacks" / "Pulumi.own.yaml").write_text(f"config: {config}")
    browser = Browser(guard)
    assert {browser.get(f"/stacks/own/{page}").status_code for page in PAGES} == {400}


def test_a_disk_that_is_full_is_told_and_the_file_is_as_it_was(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, path = Browser(guard), tmp_path / "stacks" / "Pulumi.own.yaml"
    before = "config:\n  airunway:cluster: {context: x}\n"
    path.write_text(before)
    page = browser.post("/stacks/own/review", {"kind": "deployment", "name": "a", "model.id": "org/x"})
    hidden = dict(re.findall(r'name="(change|read)" value="([^"]*)"', page.text))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = browser.post("/stacks/own/save", {key: html.unescape(value) for key, value in hidden.items()})
    assert answer.status_code == 500
    assert "Pulumi.own.yaml can&#39;t be saved and is as it was: No space left on device" in answer.text
    assert path.read_text() == before
