"""Graph (the console's pages in process; a script stands in for the Pulumi CLI and prints what 3.259 did, which
tests/cluster/test_last_applied.py asks again): when the stack was last applied, without a question and in bounded time.
"""

import html
import json
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airunway.console.app import Console
from airunway.console.last_update import LastUpdate, read_last_update
from airunway.console.process_group import LIMITS
from airunway.console.project import Project
from airunway.text.problems import InputError
from tests.graph.projects import write_project
from tests.graph.test_git import is_running
from tests.unit.console_pages import HOST, Browser

COMMIT = "ee184eb0ad220dd0be399038a536cd0def87b908"
BEGAN = datetime(2026, 11, 27, 7, 43, 2, tzinfo=UTC)


def operation(**changes: Any) -> dict[str, Any]:
    """What the CLI prints of an operation, in part."""
    return {
        "version": 0,
        "kind": "update",
        "startTime": "2026-11-27T07:43:02.000Z",
        "message": "Size chat for 20 requests per second",
        "environment": {
            "exec.kind": "auto.inline",
            "git.author": "Ada Lovelace",
            "git.author.email": "x@example.com",
            "git.dirty": "true",
            "git.head": COMMIT,
        },
        "config": {"airunway:cluster": {"value": "{}", "objectValue": {}, "secret": False}},
        "result": "succeeded",
        "endTime": "2026-11-27T07:43:03.000Z",
        "resourceChanges": {"create": 1},
    } | changes


def read(*operations: Any) -> LastUpdate | None:
    return read_last_update(json.dumps(operations).encode())


def test_the_last_update_is_the_newest_of_those_that_change_the_cluster() -> None:
    refresh = operation(kind="refresh", environment={})
    assert read(refresh, operation(), operation(result="failed")) == LastUpdate(False, "succeeded", BEGAN, COMMIT, True)
    assert read(operation(kind="destroy", environment={})) == LastUpdate(True, "succeeded", BEGAN)
    assert read(refresh) is None
    assert read() is None


@pytest.mark.parametrize(
    "output", [b"", b"null", b"{}", b"[1]", b"[{}]", b'[{"kind": "update", "startTime": "soon"}]', b"\xff", b"[" * 9999]
)
def test_what_is_no_history_is_told(output: bytes) -> None:
    with pytest.raises(InputError, match=r"its history is not as that of 3\.259"):
        read_last_update(output)


@pytest.mark.parametrize(
    ("update", "sentence"),
    [
        (
            LastUpdate(False, "succeeded", BEGAN, COMMIT, True),
            "Stack own was last applied on 2026-11-27, 5 min ago, of commit `ee184eb0`, with changes that were not"
            " committed.",
        ),
        (LastUpdate(False, "succeeded", BEGAN), "Stack own was last applied on 2026-11-27, 5 min ago."),
        (
            LastUpdate(False, "failed", BEGAN, COMMIT),
            "The last `pulumi up` of stack own failed on 2026-11-27, 5 min ago, of commit `ee184eb0`.",
        ),
        (
            LastUpdate(True, "in-progress", BEGAN),
            "`pulumi destroy` of stack own is running; it began on 2026-11-27, 5 min ago.",
        ),
        (LastUpdate(True, "succeeded", BEGAN), "Stack own was last destroyed on 2026-11-27, 5 min ago."),
    ],
)
def test_it_is_told_in_one_sentence(update: LastUpdate, sentence: str) -> None:
    assert update.sentence("own", "5 min") == sentence


class Site:
    """A console, and a script in the place of the Pulumi CLI."""

    def __init__(self, root: Path) -> None:
        self.program = root / "bin" / "pulumi"
        self.program.parent.mkdir()
        (root / "project").mkdir()
        self.project = write_project(root / "project", [{"name": "chat", "model": {"id": "org/m"}}])
        self.browser = Browser(Console(Project(self.project), "own").app([HOST]))

    def script(self, *lines: str) -> None:
        self.program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        self.program.chmod(0o755)

    def words(self) -> str:
        answer = self.browser.get("/stacks/own/deployments/chat/last-update")
        assert answer.status_code == 200
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(tmp_path)
    monkeypatch.setenv("PATH", f"{site.program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return site


def test_the_page_asks_pulumi_afterwards_and_only_where_it_is_installed(site: Site) -> None:
    asking = 'hx-get="/stacks/own/deployments/chat/last-update" hx-trigger="load"'
    assert asking not in site.browser.get("/stacks/own/deployments/chat").text
    site.script("exit 1")
    assert asking in site.browser.get("/stacks/own/deployments/chat").text


def test_pulumi_is_asked_in_the_project_and_can_ask_nothing(site: Site, tmp_path: Path) -> None:
    (tmp_path / "history.json").write_text(json.dumps([operation()]))
    site.script(
        f'echo "$@" > {tmp_path}/arguments; pwd > {tmp_path}/folder; env > {tmp_path}/environment',
        f"cat > {tmp_path}/input; cat {tmp_path}/history.json",
    )
    assert site.words().startswith("Stack own was last applied on 2026-11-27, ")
    assert (tmp_path / "arguments").read_text() == (
        "stack history --json --page-size 10 --stack own --non-interactive --color never\n"
    )
    assert (tmp_path / "folder").read_text().strip() == str(site.project)
    assert (tmp_path / "input").read_text() == ""
    assert "PULUMI_SKIP_UPDATE_CHECK=true" in (tmp_path / "environment").read_text()


def test_neither_an_address_nor_a_setting_is_shown(site: Site, tmp_path: Path) -> None:
    (tmp_path / "history.json").write_text(json.dumps([operation(config={"x": {"value": "of-the-config"}})]))
    site.script(f"cat {tmp_path}/history.json")
    assert "example.com" not in site.words()
    assert "of-the-config" not in site.words()


def test_what_stops_pulumi_is_told_in_its_words(site: Site) -> None:
    token = "hf_" + "a1B2" * 9
    said = f"error: PULUMI_ACCESS_TOKEN must be set, <b>not</b> {token}\033[0m"
    site.script("echo 'Logging in' >&2", f"echo '{said}' >&2", "exit 3")
    assert site.words() == (
        "When stack own was last applied is not read: Pulumi: PULUMI_ACCESS_TOKEN must be set, <b>not</b> hf_…[0m"
    )
    site.script("exit 3")
    assert "Pulumi: it failed and did not say why" in site.words()


def test_a_stack_that_was_never_applied_is_told_so(site: Site) -> None:
    site.script("echo '[]'")
    assert site.words() == "Stack own was not applied yet, or not among its last operations."


def test_a_pulumi_that_waits_is_ended_with_what_it_started(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "historySeconds", 1)
    site.script(f"sleep 60 & echo $! > {tmp_path}/pid", "wait")
    started = time.monotonic()
    assert site.words() == "When stack own was last applied is not read: Pulumi: did not answer within 1 seconds"
    assert time.monotonic() - started < 30
    assert not is_running((tmp_path / "pid").read_text().strip())


def test_without_the_cli_it_is_told(site: Site) -> None:
    assert site.words().endswith("is not read: Pulumi: its CLI is not installed")
