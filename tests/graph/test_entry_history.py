"""Graph (real git): the history of an entry: what is not committed, what each commit did, and how far back is read."""

import os
import shutil
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from airunway.program import entry_history
from airunway.program.file_versions import Commit
from tests.graph.entry_repository import FILE, EntryRepository, entry, repository, told
from tests.graph.test_branch import git, nobody_s_configuration

__all__ = ["nobody_s_configuration", "repository"]

OTHER = entry("embed")


def test_each_commit_that_changed_the_entry_is_told_with_author_date_and_change(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"))
    repository.commit("Serve embed", entry("chat"), OTHER)
    grace = repository.commit("Two of it", entry("chat", 2), OTHER, author="Grace <grace@example.com>")
    repository.commit("Two of embed", entry("chat", 2), entry("embed", 2))
    history = repository.history()
    assert history.file == FILE
    assert told(history) == ["changed: Two of it", "added: Serve chat"]
    assert history.changes[0].commit == Commit(
        grace, datetime(2026, 1, 3, 10, tzinfo=timezone(timedelta(hours=2))), "Grace", "Two of it"
    )
    assert history.changes[0].lines == (
        " - name: chat",
        "   model: {id: org/chat}",
        "-  scaling: {replicas: 1}",
        "+  scaling: {replicas: 2}",
    )
    assert history.notes == ()
    assert repository.told("embed") == ["changed: Two of embed", "added: Serve embed"]


def test_what_is_saved_and_not_committed_comes_first(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"), OTHER)
    repository.write(entry("chat", 3), OTHER)
    assert repository.told() == ["changed: not committed", "added: Serve chat"]
    assert repository.told("embed") == ["added: Serve chat"]
    git(repository.folder, "add", "--all")
    assert repository.told() == ["changed: not committed", "added: Serve chat"]


def test_an_entry_that_is_in_no_commit_is_told_so(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"))
    repository.write(entry("chat"), OTHER)
    assert repository.told("embed") == ["added: not committed"]


def test_a_new_name_that_is_not_committed_leads_to_the_history_of_the_earlier_one(repository: EntryRepository) -> None:
    repository.commit("Serve talk", entry("talk", 2), OTHER)
    repository.write(entry("talk", 2).replace("name: talk", "name: chat"), OTHER)
    assert repository.told() == ["renamed: not committed", "added: Serve talk"]


def test_a_file_that_is_in_no_commit_is_told_so(repository: EntryRepository) -> None:
    repository.commit("Nothing yet")
    repository.write(entry("chat"))
    assert repository.told() == ["added: not committed"]
    assert repository.history().notes == (f"No commit has {FILE} yet.",)
    git(repository.folder, "add", "--all")
    assert repository.history().notes == (f"No commit has {FILE} yet.",)
    git(repository.folder, "rm", "--quiet", "--cached", FILE)
    (repository.folder / ".gitignore").write_text("/deployments\n")
    assert repository.history().notes == (f"No commit has {FILE} yet, and git is told to ignore it.",)


def test_a_repository_without_a_commit_is_told_so(repository: EntryRepository) -> None:
    repository.write(entry("chat"))
    assert repository.told() == ["added: not committed"]
    assert repository.history().notes == (f"No commit has {FILE} yet.",)


def test_a_folder_that_is_no_repository_is_told_so(tmp_path: Path) -> None:
    repository = EntryRepository(tmp_path / "plain")
    repository.write(entry("chat"))
    assert repository.refusal() == (
        "team.yaml: is in no git repository, so who changed it is not known; `git init` begins one"
    )


def test_a_machine_without_git_is_told_so(repository: EntryRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.commit("Serve chat", entry("chat"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert repository.refusal() == (
        "team.yaml: who changed it is not known, as git can't be run: No such file or directory: install git"
    )


def test_a_repository_that_git_does_not_open_is_told_in_its_words(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"))
    (repository.folder / ".git" / "config").write_text("[core\n")
    assert "team.yaml: git can't read its repository: fatal: bad config" in repository.refusal()


def test_a_version_that_is_damaged_is_told_and_what_came_after_it_too(repository: EntryRepository) -> None:
    for number in (1, 2, 3):
        repository.commit(f"{number} of it", entry("chat", number))
    damage(repository, "HEAD~2")
    history = repository.history()
    assert told(history) == ["changed: 3 of it"]
    (note,) = history.notes
    assert note.startswith(f"This clone lacks older versions of {FILE}; `git log --follow -p -- {FILE}` fetches")
    damage(repository, "HEAD")
    assert repository.refusal() == (
        f"{FILE}: this clone lacks the last commit's version, which `git show HEAD:{FILE}` fetches"
    )


def damage(repository: EntryRepository, commit: str) -> None:
    blob = git(repository.folder, "rev-parse", f"{commit}:{FILE}")
    file = repository.folder / ".git" / "objects" / blob[:2] / blob[2:]
    file.chmod(0o644)
    file.write_bytes(b"garbage")


def test_a_file_that_is_renamed_and_moved_keeps_its_history(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"), OTHER)
    git(repository.folder, "mv", "deployments", "models")
    git(repository.folder, "mv", "models/team.yaml", "models/chat models.yaml")
    repository.name = "models/chat models.yaml"
    repository.commit("Move it")
    repository.commit("Two of it", entry("chat", 2), OTHER)
    assert repository.told() == ["changed: Two of it", "added: Serve chat"]


def test_a_move_that_is_not_committed_is_told_as_a_file_in_no_commit(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"))
    git(repository.folder, "mv", FILE, "deployments/new.yaml")
    repository.name = "deployments/new.yaml"
    assert repository.history().notes == ("No commit has deployments/new.yaml yet.",)


def test_an_entry_that_moves_to_another_file_begins_there(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"), OTHER)
    repository.write(OTHER)
    repository.name = "deployments/new.yaml"
    repository.commit("Move chat", entry("chat"))
    assert repository.told() == ["added: Move chat"]


def test_a_merge_is_told_only_where_it_did_what_neither_branch_has(repository: EntryRepository) -> None:
    repository.commit("Serve both", entry("chat"), OTHER)
    git(repository.folder, "switch", "--quiet", "-c", "side")
    repository.commit("Two of chat", entry("chat", 2), OTHER)
    git(repository.folder, "switch", "--quiet", "main")
    repository.commit("Three of embed", entry("chat"), entry("embed", 3))
    git(repository.folder, "merge", "--quiet", "-m", "Clean merge", "side")
    assert repository.told() == ["changed: Two of chat", "added: Serve both"]
    assert repository.told("embed") == ["changed: Three of embed", "added: Serve both"]
    git(repository.folder, "switch", "--quiet", "-c", "other")
    repository.commit("Four of chat", entry("chat", 4), entry("embed", 3))
    git(repository.folder, "switch", "--quiet", "main")
    repository.commit("Five of chat", entry("chat", 5), entry("embed", 3))
    subprocess.run(["git", "-C", str(repository.folder), "merge", "--quiet", "other"], capture_output=True, check=False)
    repository.commit("Six after all", entry("chat", 6), entry("embed", 3))
    assert sorted(repository.told()[:3]) == ["changed: Five of chat", "changed: Four of chat", "changed: Six after all"]
    assert repository.told()[0] == "changed: Six after all"
    assert repository.told("embed") == ["changed: Three of embed", "added: Serve both"]


def test_a_commit_that_git_leaves_out_is_told(repository: EntryRepository) -> None:
    """Seen on git 2.39: --follow goes on with the file's earlier name, and what other branches did to it is lost."""
    repository.commit("Serve chat", entry("chat"), OTHER)
    git(repository.folder, "switch", "--quiet", "-c", "side")
    git(repository.folder, "mv", FILE, "new.yaml")
    repository.commit("Rename the file")
    git(repository.folder, "switch", "--quiet", "main")
    repository.commit("Two of chat", entry("chat", 2), OTHER)
    git(repository.folder, "merge", "--quiet", "-m", "Merge", "side")
    repository.name = "new.yaml"
    history = repository.history()
    assert "scaling: {replicas: 2}" in repository.file.read_text()
    assert told(history) == ["added: Serve chat"]
    assert history.notes == (
        "A commit is missing here: git does not follow a file that one branch renamed and another changed."
        " `git log -p` has it.",
    )
    assert repository.history("embed").notes == ()


def test_the_last_ten_changes_are_told_and_how_to_see_the_others(repository: EntryRepository) -> None:
    for number in range(1, 13):
        repository.commit(f"{number} of it", entry("chat", number))
    history = repository.history()
    assert told(history) == [f"changed: {number} of it" for number in range(12, 2, -1)]
    assert history.notes == (f"These are the last 10 changes; `git log --follow -p -- {FILE}` has all of the file.",)
    repository.commit("Serve embed", entry("chat", 12), OTHER)
    assert repository.history("embed").notes == ()


def test_only_so_many_commits_of_a_file_are_looked_through(
    repository: EntryRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_history, "_COMMITS", 4)
    repository.commit("Serve chat", entry("chat"))
    for number in range(1, 5):
        repository.commit(f"{number} of embed", entry("chat"), entry("embed", number))
    history = repository.history()
    assert told(history) == []
    assert history.notes == (
        f"Only the last 4 commits of {FILE} were looked through; `git log --follow -p -- {FILE}` has all.",
    )


def test_commits_of_other_files_are_not_counted(repository: EntryRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_history, "_COMMITS", 2)
    repository.commit("Serve chat", entry("chat"))
    for number in range(5):
        (repository.folder / "other.txt").write_text(f"{number}\n")
        repository.commit(f"Other {number}")
    assert repository.told() == ["added: Serve chat"]
    assert repository.history().notes == ()


def many_commits(repository: EntryRepository, count: int) -> None:
    """Commits of another file on top of what there is, by git-fast-import."""
    stream = "".join(
        f"commit refs/heads/main\ncommitter Ada <a@example.com> {1_800_000_000 + number} +0000\ndata 1\nx\n"
        + ("from refs/heads/main^0\n" if not number else "")
        + f"M 100644 inline src/{number % 50}.txt\ndata {len(str(number))}\n{number}\n"
        for number in range(count)
    )
    subprocess.run(["git", "-C", str(repository.folder), "fast-import", "--quiet"], input=stream.encode(), check=True)


def test_a_long_history_is_read_in_time(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"))
    many_commits(repository, 3_000)
    git(repository.folder, "reset", "--quiet", "--hard")
    repository.commit("Two of it", entry("chat", 2))
    assert repository.told() == ["changed: Two of it", "added: Serve chat"]
    assert repository.history().notes == ()


# Stands in for a git that is slow, as on a network's disk: it prints what the real one does, and stops amid a commit.
SLOW_LOG = """#!/bin/sh
case "$*" in
*" log "*) {git} "$@" | head -c {bytes}; sleep 60 ;;
*) exec {git} "$@" ;;
esac
"""


@pytest.mark.parametrize(("length", "changes"), [(0, 0), (300, 1), (520, 2)])
def test_what_git_found_in_time_is_told(
    length: int, changes: int, repository: EntryRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        repository.commit(f"{number} of it", entry("chat", number))
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(SLOW_LOG.format(git=shutil.which("git"), bytes=length))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(entry_history, "_SECONDS", 3.0)
    started = time.monotonic()
    history = repository.history()
    assert time.monotonic() - started < 15
    assert told(history) == ["changed: 3 of it", "changed: 2 of it"][:changes]
    assert history.notes == (
        f"git found no more within 3 seconds; `git log --follow -p -- {FILE}` has all of the file.",
    )
