"""A repository of real git with one file of deployments, whose commits a test makes."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from airunway.program.entry_history import EntryHistory, entry_history
from airunway.program.git import Git
from airunway.text.problems import InputError
from tests.graph.test_branch import git

FILE = "deployments/team.yaml"


def entry(name: str, replicas: int = 1, **more: str) -> str:
    """An entry in block style."""
    lines = [f"{key}: {value}" for key, value in more.items()]
    return "\n  ".join(
        [f"- name: {name}", f"model: {{id: org/{name}}}", f"scaling: {{replicas: {replicas}}}", *lines, ""]
    ).rstrip(" ")


@dataclass
class EntryRepository:
    """A folder with git, and a file in it; ``day`` is that of the next commit."""

    folder: Path
    name: str = FILE
    day: int = field(default=1)

    def begin(self) -> "EntryRepository":
        self.folder.mkdir(parents=True, exist_ok=True)
        git(self.folder, "init", "--quiet", "--initial-branch=main")
        git(self.folder, "config", "user.name", "Ada")
        git(self.folder, "config", "user.email", "ada@example.com")
        return self

    @property
    def file(self) -> Path:
        return self.folder / self.name

    def write(self, *entries: str) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("".join(entries))

    def commit(self, subject: str, *entries: str, author: str = "Ada <ada@example.com>") -> str:
        """Commit all there is, with these entries in the file if any are given."""
        if entries:
            self.write(*entries)
        date = f"2026-01-{self.day:02}T10:00:00+02:00"
        self.day = self.day % 28 + 1
        os.environ["GIT_AUTHOR_DATE"] = os.environ["GIT_COMMITTER_DATE"] = date
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", f"--author={author}", "-m", subject)
        return git(self.folder, "rev-parse", "HEAD")

    def raw_commit(self, author: str, message: str) -> str:
        """Commit all there is by an author line that git-commit would not write."""
        git(self.folder, "add", "--all")
        parent = Git(self.folder).line("rev-parse", "--verify", "--quiet", "HEAD")
        lines = [f"tree {git(self.folder, 'write-tree')}", *([f"parent {parent}"] if parent else [])]
        raw = "\n".join([*lines, f"author {author}", "committer  <> 1 +0000", "", message, ""])
        commit = Git(self.folder)("hash-object", "-t", "commit", "-w", "--literally", "--stdin", text=raw).strip()
        git(self.folder, "reset", "--quiet", "--hard", commit)
        return commit

    def history(self, name: str = "chat") -> EntryHistory:
        return entry_history(self.file, name)

    def refusal(self) -> str:
        """The one problem why there is no history."""
        with pytest.raises(InputError) as raised:
            self.history()
        (problem,) = raised.value.problems
        return str(problem)

    def told(self, name: str = "chat") -> list[str]:
        """What is told of each change, in a line."""
        return told(self.history(name))


def told(history: EntryHistory) -> list[str]:
    """Each change in a line: what it did, and the subject of its commit."""
    return [f"{c.kind}: {c.commit.subject if c.commit else 'not committed'}" for c in history.changes]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EntryRepository:
    """A repository without a commit."""
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, "")  # which commits set, put back after the test
    return EntryRepository(tmp_path / "repository").begin()
