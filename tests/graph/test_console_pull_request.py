"""Graph (the console's pages in process, with real git and a bare repository as the remote): a reviewed change becomes
a branch, and the project's files stay as they are.
"""

import html
import re
from pathlib import Path
from typing import Any

import pytest

from airunway.console.app import Console
from airunway.console.project import Project
from airunway.console.pull_request_page import commit_message
from tests.graph.projects import write_project
from tests.graph.test_branch import git, nobody_s_configuration
from tests.unit.console_pages import HOST, Browser

__all__ = ["nobody_s_configuration"]


class Site:
    """A console on a clone, and its remote."""

    def __init__(self, root: Path) -> None:
        self.remote, self.project = root / "remote.git", root / "project"
        git(root, "init", "--quiet", "--bare", "--initial-branch=main", str(self.remote))
        self.project.mkdir()
        write_project(self.project, [{"name": "chat", "model": {"id": "org/m"}}])
        for command in (
            ("init", "--quiet", "--initial-branch=main"),
            ("config", "user.name", "Ada"),
            ("config", "user.email", "ada@example.com"),
            ("remote", "add", "origin", str(self.remote)),
            ("add", "."),
            ("commit", "--quiet", "-m", "First"),
            ("push", "--quiet", "-u", "origin", "main"),
        ):
            git(self.project, *command)
        self.browser = Browser(Console(Project(self.project), "own").app([HOST]))

    def review(self, **form: str) -> dict[str, str]:
        """The fields of the review's form, and under "" its text."""
        text = self.browser.post("/stacks/own/review", form).text
        fields = dict(re.findall(r'<input type="hidden" name="(change|read)" value="([^"]*)">', text))
        return {name: html.unescape(value) for name, value in fields.items()} | {"": text}

    def pull_request(self, **form: str) -> Any:
        fields = self.review(**form)
        return self.browser.post("/stacks/own/pull-request", {k: v for k, v in fields.items() if k})

    def subjects(self) -> list[str]:
        """The commits that branches of the remote have beside main."""
        return git(self.remote, "log", "--branches=airunway/*", "--not", "main", "--format=%s").splitlines()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


NEW = {"kind": "deployment", "name": "new", "model.id": "Qwen/Qwen3-8B", "resources.gpu.count": "1"}


def test_a_new_deployment_becomes_a_branch_and_nothing_is_saved(site: Site) -> None:
    file = site.project / "stacks" / "Pulumi.own.yaml"
    before = file.read_text()
    assert "Open a pull request on origin" in site.review(**NEW)[""]
    answer = site.pull_request(**NEW)
    assert answer.status_code == 200
    (branch,) = re.findall(r"<code>(airunway/own-new-[0-9a-f]{8})</code>, for main", answer.text)
    assert file.read_text() == before
    assert git(site.project, "status", "--porcelain") == ""
    assert site.subjects() == ["Serve Qwen/Qwen3-8B as new in stack own"]
    assert "Qwen/Qwen3-8B" in git(site.remote, "show", f"{branch}:stacks/Pulumi.own.yaml")
    assert f"git fetch origin &amp;&amp; git switch {branch}" in answer.text
    assert "Open it where origin is hosted" in answer.text


def test_where_the_forge_offers_a_page_it_is_linked(site: Site) -> None:
    hook = site.remote / "hooks" / "post-receive"
    hook.write_text("#!/bin/sh\necho 'Create a pull request: https://forge.example/o/m/pull/new/x?a=1&b=\"2' >&2\n")
    hook.chmod(0o755)
    answer = site.pull_request(**NEW)
    assert 'href="https://forge.example/o/m/pull/new/x?a=1&amp;b="' in answer.text
    assert 'rel="noopener noreferrer"' in answer.text


def test_removals_and_providers_become_branches_too(site: Site) -> None:
    assert site.pull_request(kind="remove", name="chat").status_code == 200
    assert site.pull_request(kind="provider", name="kuberay", state="existing").status_code == 200
    assert sorted(site.subjects()) == ["Remove chat from stack own", "Set provider kuberay to existing in stack own"]


def test_without_a_remote_there_is_only_save(site: Site) -> None:
    git(site.project, "remote", "remove", "origin")
    text = site.review(**NEW)[""]
    assert "Save to the stack file" in text
    assert "pull request" not in text


def test_a_change_that_can_not_be_planned_offers_neither(site: Site) -> None:
    review = site.review(kind="provider", name="kaito", state="off")
    assert "These problems must be fixed" in review[""]
    assert "pull request" not in review[""]
    answer = site.pull_request(kind="provider", name="kaito", state="off")
    assert answer.status_code == 400
    assert site.subjects() == []


def test_a_file_that_changed_since_its_review_is_not_pushed(site: Site) -> None:
    fields = site.review(**NEW)
    file = site.project / "stacks" / "Pulumi.own.yaml"
    file.write_text(file.read_text() + "\n")
    answer = site.browser.post("/stacks/own/pull-request", {k: v for k, v in fields.items() if k})
    assert answer.status_code == 409
    assert site.subjects() == []


def test_a_file_with_other_changes_is_refused_in_words(site: Site) -> None:
    file = site.project / "stacks" / "Pulumi.own.yaml"
    file.write_text(file.read_text() + "\n")
    answer = site.pull_request(**NEW)
    assert answer.status_code == 400
    assert "has changes that are not committed" in html.unescape(answer.text)


@pytest.mark.parametrize("change", ["", "[]", "null", "{", '{"kind": "deployment"}', '{"kind": "remove", "name": 3}'])
def test_what_is_no_change_is_refused(site: Site, change: str) -> None:
    answer = site.browser.post("/stacks/own/pull-request", {"change": change, "read": "x"})
    assert answer.status_code == 400
    assert "is not a change that the console makes" in answer.text


def test_only_the_console_s_own_pages_push(site: Site) -> None:
    fields = {k: v for k, v in site.review(**NEW).items() if k}
    assert site.browser.post("/stacks/own/pull-request", fields, origin="http://evil.example").status_code == 403
    assert site.browser.get("/stacks/own/pull-request").status_code == 405
    assert site.subjects() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "deployment", "replacing": "a", "entry": {"name": "a"}}, "Change a in stack dev\n"),
        ({"kind": "deployment", "replacing": "b", "entry": {"name": "a"}}, "Rename b to a in stack dev\n"),
        ({"kind": "deployment", "replacing": None, "entry": {"name": "a"}}, "Add a to stack dev\n"),
    ],
)
def test_the_commit_says_what_it_does(change: dict[str, Any], message: str) -> None:
    assert commit_message("dev", change) == message
