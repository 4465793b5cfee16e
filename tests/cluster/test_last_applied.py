"""Cluster (the real Pulumi CLI with a backend of files; no cluster, and a program that creates nothing): what the
console tells of a stack's last update is what the CLI did.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pulumi import automation as auto

from airunway.console.app import Console
from airunway.console.project import Project
from tests.cluster.engine import PASSPHRASE
from tests.cluster.tools import program
from tests.graph.projects import write_project
from tests.graph.test_branch import git
from tests.unit.console_pages import HOST, Browser

PAGE = "/stacks/own/deployments/chat/last-update"


class Applied:
    """A stack whose program a test gives, in a repository, and its page in the console."""

    def __init__(self, root: Path) -> None:
        (root / "state").mkdir()
        (root / "project").mkdir()
        self.project = write_project(root / "project", [{"name": "chat", "model": {"id": "org/m"}}])
        self.browser = Browser(Console(Project(self.project), "own").app([HOST]))

    def stack(self, run: Callable[[], None] = lambda: None) -> auto.Stack:
        options = auto.LocalWorkspaceOptions(
            work_dir=str(self.project), env_vars={"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}, secrets_provider="passphrase"
        )
        return auto.create_or_select_stack("own", project_name="airunway", program=run, opts=options)

    def words(self) -> str:
        answer = self.browser.get(PAGE)
        assert answer.status_code == 200
        return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


@pytest.fixture
def applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Applied:
    monkeypatch.setenv("PATH", f"{program('pulumi').parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return Applied(tmp_path)


def test_the_last_update_is_told_without_passphrase_and_with_its_commit(applied: Applied) -> None:
    stack = applied.stack()
    assert applied.words() == "Stack own was not applied yet, or not among its last operations."
    stack.set_config("airunway:huggingFaceToken", auto.ConfigValue("hf_only_the_stack_has_it", secret=True))
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("config", "user.name", "Ada"),
        ("config", "user.email", "ada@example.com"),
        ("add", "."),
        ("commit", "--quiet", "-m", "First"),
    ):
        git(applied.project, *command)
    commit = git(applied.project, "rev-parse", "HEAD")
    stack.up()
    assert re.fullmatch(
        rf"Stack own was last applied on \d{{4}}-\d\d-\d\d, \d+ s ago, of commit {commit[:8]} \.", applied.words()
    ), applied.words()
    assert "hf_only" not in applied.browser.get(PAGE).text
    (applied.project / "new.txt").write_text("not committed\n")
    stack.refresh()
    stack.preview()
    assert "with changes" not in applied.words()  # a refresh and a preview are no update
    stack.up()
    assert applied.words().endswith(f"of commit {commit[:8]} , with changes that were not committed.")


def test_a_failed_update_and_a_destroyed_stack_are_told(applied: Applied) -> None:
    def failing() -> None:
        raise ValueError("the program fails")

    with pytest.raises(auto.CommandError):
        applied.stack(failing).up()
    assert applied.words().startswith("The last pulumi up of stack own failed on")
    applied.stack().destroy()
    assert applied.words().startswith("Stack own was last destroyed on")


def test_a_stack_that_the_backend_does_not_have_is_told(applied: Applied) -> None:
    assert applied.words() == "When stack own was last applied is not read: Pulumi: no stack named &#39;own&#39; found"


def test_who_is_not_logged_in_is_told_and_not_asked(applied: Applied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL")
    assert "PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions" in applied.words()


def test_reading_changes_no_file(applied: Applied, tmp_path: Path) -> None:
    applied.stack().up()
    applied.words()
    files = {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*")) if "home" not in path.parts}
    applied.words()
    assert {p: p.stat().st_mtime_ns for p in sorted(tmp_path.rglob("*")) if "home" not in p.parts} == files
