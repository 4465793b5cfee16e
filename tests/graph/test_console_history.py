"""Graph (the console's pages in process, with real git): a deployment's page shows who changed its entry, in words that
no name, subject or file can turn into something else.
"""

import asyncio
import html
import os
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from airunway.console.app import Console
from airunway.console.project import Project
from airunway.program import entry_history
from tests.graph.entry_repository import EntryRepository, entry
from tests.graph.projects import copy_program
from tests.graph.test_branch import git, nobody_s_configuration
from tests.unit.console_pages import HOST, Browser

__all__ = ["nobody_s_configuration"]

STACK = "stacks/Pulumi.own.yaml"
HEAD = """config:
  airunway:cluster: {context: x}
  airunway:deploymentFiles: [deployments/**/*.yaml]
  airunway:manifests: [manifests/*.yaml]
  airunway:deployments:
"""
DOCUMENT = """apiVersion: airunway.ai/v1alpha1
kind: ModelDeployment
metadata: {{name: {name}}}
spec:
  model: {{id: org/{name}}}
  scaling: {{replicas: {replicas}}}
"""
TOKEN = "hf_" + "a1B2" * 9


class Site:
    """A console on a project, which is a folder of a repository, and that repository."""

    def __init__(self, root: Path) -> None:
        self.project = root / "repository" / "infra" / "my models"
        self.repository = EntryRepository(root / "repository", f"infra/my models/{STACK}").begin()
        self.project.mkdir(parents=True)
        copy_program(self.project)
        for folder in ("deployments/team", "manifests"):
            (self.project / folder).mkdir(parents=True)
        self.write("deployments/team/a.yaml", entry("filed"))
        self.write("manifests/a.yaml", DOCUMENT.format(name="manifest", replicas=1))
        self.stack(entry("chat"), entry("embed"))
        self.browser = Browser(Console(Project(self.project), "own").app([HOST]))

    def write(self, file: str, text: str) -> None:
        (self.project / file).write_text(text)

    def stack(self, *entries: str) -> None:
        self.write(STACK, HEAD + "".join(f"    {line}\n" for text in entries for line in text.splitlines()))

    def page(self, name: str = "chat") -> str:
        answer = self.browser.get(f"/stacks/own/deployments/{name}/history")
        assert answer.status_code == 200, answer.text
        return answer.text

    def words(self, name: str = "chat") -> str:
        """The page's text on one line."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.page(name))).split())


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, "")
    return Site(tmp_path)


def test_the_page_of_a_deployment_loads_its_history_afterwards(site: Site) -> None:
    page = site.browser.get("/stacks/own/deployments/chat").text
    assert 'hx-get="/stacks/own/deployments/chat/history" hx-trigger="load"' in page


def test_each_change_is_told_with_subject_author_date_and_difference(site: Site) -> None:
    first = site.repository.commit("Serve it")
    site.stack(entry("chat", 2), entry("embed"))
    second = site.repository.commit("Two of it", author="Grace Hopper <grace@example.com>")
    words = site.words()
    assert re.match(
        rf"Two of it changed by Grace Hopper, 2026-01-02 , \d+ d ago , {second[:8]} 1 line added, 1 removed"
        r" - name: chat model: \{id: org/chat\} - scaling: \{replicas: 1\} \+ scaling: \{replicas: 2\}"
        rf" Serve it added by Ada, 2026-01-01 , \d+ d ago , {first[:8]} 3 lines added \+ - name: chat",
        words,
    ), words
    assert "example.com" not in site.page()
    assert '<time class="together" datetime="2026-01-02T10:00:00+02:00">' in site.page()
    assert '<span class="removed">-   scaling: {replicas: 1}\n</span>' in site.page()


def test_a_saved_change_is_told_as_not_committed(site: Site) -> None:
    site.repository.commit("Serve it")
    form = {"kind": "deployment", "replacing": "chat", "name": "chat", "model.id": "org/other", "scaling.replicas": "1"}
    review = site.browser.post("/stacks/own/review", form).text
    fields = dict(re.findall(r'<input type="hidden" name="(change|read)" value="([^"]*)">', review))
    assert fields, review
    saved = site.browser.post("/stacks/own/save", {name: html.unescape(value) for name, value in fields.items()})
    assert saved.status_code == 303
    assert site.words().startswith(f"Not committed yet changed in infra/my models/{STACK} 1 line added, 1 removed")
    assert "Serve it added by Ada" in site.words()
    assert site.words("embed").startswith("Serve it added by Ada")


def test_entries_of_deployment_files_and_manifests_have_histories_too(site: Site) -> None:
    site.repository.commit("Serve it")
    site.write("deployments/team/a.yaml", entry("filed", 2) + entry("new"))
    site.write("manifests/a.yaml", "---\n".join(DOCUMENT.format(name=n, replicas=2) for n in ("manifest", "second")))
    assert site.words("filed").startswith("Not committed yet changed in infra/my models/deployments/team/a.yaml 1 line")
    site.repository.commit("Two of them")
    assert site.words("filed").startswith("Two of them changed by Ada")
    assert site.words("new").startswith("Two of them added by Ada")
    assert site.words("manifest").startswith("Two of them changed by Ada")
    assert site.words("second").startswith("Two of them added by Ada")
    assert "Serve it" in site.words("manifest")
    assert "Serve it" not in site.words("second")


def test_an_entry_in_flow_style_has_a_history_without_that_of_its_line(site: Site) -> None:
    def line(chat: int, embed: int) -> str:
        entries = [
            f"{{name: {n}, model: {{id: org/m}}, scaling: {{replicas: {r}}}}}"
            for n, r in (("chat", chat), ("embed", embed))
        ]
        return f"config: {{airunway:cluster: {{context: x}}, airunway:deployments: [{', '.join(entries)}]}}\n"

    for number, (chat, embed) in enumerate([(1, 1), (1, 2), (2, 2)]):
        site.write(STACK, line(chat, embed))
        site.repository.commit(f"Commit {number}")
    assert re.findall(r"Commit \d", site.words()) == ["Commit 2", "Commit 0"]
    assert re.findall(r"Commit \d", site.words("embed")) == ["Commit 1", "Commit 0"]


def test_an_entry_that_the_project_s_own_file_gives_every_stack_has_its_history(site: Site) -> None:
    project = site.project / "Pulumi.yaml"
    declared = "config:\n  airunway:deployments:\n    value:\n      - {name: everywhere, model: {id: org/m}}\n"
    project.write_text(re.sub(r"(?ms)^config:.*?(?=^\S|\Z)", declared, project.read_text()))
    site.write(STACK, "config:\n  airunway:cluster: {context: x}\n")
    site.repository.commit("Serve it everywhere")
    assert site.words("everywhere").startswith("Serve it everywhere added by Ada")


def test_a_folder_that_is_no_repository_is_told_in_one_line(tmp_path: Path) -> None:
    site = Site(tmp_path)
    subprocess.run(["rm", "-rf", str(tmp_path / "repository" / ".git")], check=True)
    assert site.words() == (
        "The history is not read: Pulumi.own.yaml: is in no git repository, so who changed it is not known; git init"
        " begins one"
    )


def test_a_file_in_no_commit_is_told(site: Site) -> None:
    assert site.words().startswith(f"Not committed yet added in infra/my models/{STACK} 3 lines added + - name: chat")
    assert site.words().endswith(f"No commit has infra/my models/{STACK} yet.")


def test_markup_and_control_characters_are_only_text(site: Site) -> None:
    subject = "<script>alert(1)</script> \x1b[31m`code` \u202eevil ::error::x"
    author = "‹b>\"Ada\" & 'Bob'\x07 \u202e"  # git takes what "<" begins for an address
    site.stack(entry("chat", labels='{"<i>": "\u202e"}'), entry("embed"))
    site.repository.raw_commit(f"{author} <ada@example.com> 1 +0000", subject)
    page = site.page()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; [31m`code` evil" in page
    assert "&#34;Ada&#34; &amp; &#39;Bob&#39;" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", page)
    assert "&lt;i&gt;" in page
    assert "<i>" not in page


def test_credentials_in_subjects_and_in_former_versions_are_hidden(site: Site) -> None:
    site.stack(entry("chat", env=f'[{{name: HF_TOKEN, value: "{TOKEN}"}}]'), entry("embed"))
    site.repository.commit(f"With {TOKEN}")
    site.stack(entry("chat"), entry("embed"))
    site.repository.commit("Without it")
    assert "hf_…" in site.page()
    assert TOKEN not in site.page()
    assert "With hf_…" in site.words()


def test_a_subject_without_end_is_cut(site: Site) -> None:
    site.repository.commit("x" * 10_000)
    assert f"{'x' * 200}… added by Ada" in site.words()


def test_commits_without_words_or_names_are_told_as_such(site: Site) -> None:
    commit = site.repository.raw_commit(" <> 99999999999999 +0000", "")
    assert site.words().startswith(f"(no subject) added by nobody named, {commit[:8]} 3 lines added")


def test_a_version_that_is_no_yaml_is_told(site: Site) -> None:
    site.repository.commit("Serve it")
    text = (site.project / STACK).read_text()
    site.write(STACK, f"<<<<<<< HEAD\n{text}")
    site.repository.commit("Conflict")
    site.write(STACK, text)
    site.repository.commit("Mended")
    assert f"infra/my models/{STACK} is not YAML before or after this commit" in site.words()


def test_a_shallow_clone_does_not_tell_its_first_commit_as_the_author_s(site: Site, tmp_path: Path) -> None:
    site.repository.commit("Serve it")
    site.stack(entry("chat"), entry("embed", 2))
    site.repository.commit("Two of embed", author="Grace <grace@example.com>")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{site.repository.folder}", "shallow")
    project = Project(tmp_path / "shallow" / "infra" / "my models")
    page = Browser(Console(project, "own").app([HOST])).get("/stacks/own/deployments/chat/history").text
    words = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert words.startswith("Two of embed there already by")
    assert "git fetch --unshallow" in words


def test_a_commit_on_the_remote_is_linked(site: Site) -> None:
    commit = site.repository.commit("Serve it")
    git(site.repository.folder, "remote", "add", "origin", "https://user:secret@github.com/org/my%20models.git")
    git(site.repository.folder, "update-ref", "refs/remotes/origin/main", commit)
    page = site.page()
    assert (
        f'<a href="https://github.com/org/my%20models/commit/{commit}" target="_blank" rel="noopener noreferrer">'
        in page
    )
    assert "secret" not in page


def test_an_unknown_deployment_or_stack_has_none(site: Site) -> None:
    assert site.browser.get("/stacks/own/deployments/nobody/history").status_code == 404
    assert site.browser.get("/stacks/other/deployments/chat/history").status_code == 404


def test_a_stack_that_is_not_valid_has_a_history_too(site: Site) -> None:
    site.repository.commit("Serve it")
    site.stack(entry("chat", engine="{type: odd}"), entry("embed"))
    assert site.words().startswith("Not committed yet changed in")
    site.write(STACK, "config: [")
    assert site.words().startswith("The history is not read: ")


def test_a_file_with_an_odd_name_is_shown_as_text(site: Site) -> None:
    odd = "deployments/team/<b>`x` $(y) \udcff.yaml"
    site.write(odd, entry("odd"))
    assert "Not committed yet added in infra/my models/deployments/team/<b>`x` $(y) .yaml" in site.words("odd")
    assert "<b>" not in site.page("odd")


# Stands in for a git that is slow, as on a network's disk: it goes on once it is let.
WAITING = """#!/bin/sh
while [ ! -e {let} ]; do sleep 0.05; done
exec {git} "$@"
"""


def test_other_pages_do_not_wait_for_git(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    site.repository.commit("Serve it")
    program, let = tmp_path / "bin" / "git", tmp_path / "let"
    program.parent.mkdir()
    program.write_text(WAITING.format(let=let, git=shutil.which("git")))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(entry_history, "_SECONDS", 60.0)
    guard = Console(Project(site.project), "own").app([HOST])

    async def visiting() -> str:
        transport = httpx.ASGITransport(guard)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            await client.get(f"/stacks/own/?token={guard.token}")
            history = asyncio.create_task(client.get("/stacks/own/deployments/chat/history"))
            await asyncio.sleep(0.2)
            assert (await client.get("/stacks/own/deployments/chat")).status_code == 200
            assert not history.done()
            let.touch()
            return (await history).text

    assert "Serve it" in asyncio.run(asyncio.wait_for(visiting(), 50))
