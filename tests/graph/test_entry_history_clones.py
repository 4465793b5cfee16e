"""Graph (real git): the history of an entry in repositories as people have them: clones that lack something, links, odd
names, dates, encodings and settings, and files that were no YAML.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from airunway.program import entry_history
from airunway.program.entry_changes import Kind
from tests.graph.entry_repository import FILE, EntryRepository, entry, repository, told
from tests.graph.test_branch import git, nobody_s_configuration

__all__ = ["nobody_s_configuration", "repository"]


def test_a_clone_that_lacks_versions_is_told_and_fetches_none(repository: EntryRepository, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        repository.commit(f"{number} of it", entry("chat", number))
    git(repository.folder, "config", "uploadpack.allowFilter", "true")
    clone = EntryRepository(tmp_path / "clone")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", f"file://{repository.folder}", str(clone.folder))
    history = clone.history()
    assert told(history) == []
    (note,) = history.notes
    assert note == (
        f"This clone lacks older versions of {FILE}; `git log --follow -p -- {FILE}` fetches those of a partial clone."
    )
    assert clone.history() == history
    git(clone.folder, "log", "--follow", "-p", "--", FILE)
    assert clone.told() == repository.told()


def test_a_shallow_clone_is_not_taken_for_the_beginning(repository: EntryRepository, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        repository.commit(f"{number} of it", entry("chat", number))
    shallow = EntryRepository(tmp_path / "shallow")
    git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{repository.folder}", str(shallow.folder))
    history = shallow.history()
    assert told(history) == ["changed: 3 of it", "added: 2 of it"]
    assert [change.commit and change.commit.begins_clone for change in history.changes] == [False, True]
    assert history.notes == (
        "This clone is shallow: what came before its first commit, `git fetch --unshallow` brings.",
    )
    git(shallow.folder, "fetch", "--quiet", "--unshallow")
    assert (shallow.told(), shallow.history().notes) == (repository.told(), ())


def test_line_endings_are_no_change(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"))
    repository.commit("Windows", entry("chat").replace("\n", "\r\n"))
    assert repository.told() == ["added: Serve chat"]
    (repository.folder / ".gitattributes").write_text("*.yaml text eol=crlf\n")
    repository.commit("Plain in git", entry("chat", 2).replace("\n", "\r\n"))
    assert b"\r\n" in repository.file.read_bytes()
    assert "\r" not in git(repository.folder, "show", f"HEAD:{FILE}")
    assert repository.told() == ["changed: Plain in git", "added: Serve chat"]
    assert not any("\r" in line for change in repository.history().changes for line in change.lines)


@pytest.mark.parametrize(
    "name",
    [
        "a [b]*.yaml",
        ":(top)x.yaml",
        ":x.yaml",
        "ä b.yaml",
        "-x.yaml",
        "it's `so`.yaml",
        'a"b\tc\nd.yaml',
        "deep/er/x.yaml",
    ],
)
def test_files_may_have_names_that_git_takes_for_patterns(name: str, repository: EntryRepository) -> None:
    repository.name = name
    repository.commit("Serve chat", entry("chat"))
    repository.commit("Two of it", entry("chat", 2))
    (repository.folder / "a b.yaml").write_text("[]\n")  # which "a [b]*.yaml" is a pattern of
    repository.commit("Another")
    (repository.folder / "a b.yaml").write_text("[]\n\n")
    repository.commit("And again")
    repository.write(entry("chat", 3))
    assert repository.told() == ["changed: not committed", "changed: Two of it", "added: Serve chat"]
    assert repository.history().file == repository.name


def test_a_file_name_that_is_no_utf_8_is_found(repository: EntryRepository) -> None:
    repository.name = os.fsdecode(b"models/\xff.yaml")
    repository.commit("Serve chat", entry("chat"))
    assert repository.told() == ["added: Serve chat"]


def test_links_lead_to_the_file_and_its_own_repository(repository: EntryRepository, tmp_path: Path) -> None:
    repository.commit("Serve chat", entry("chat"))
    linked = EntryRepository(tmp_path / "linked").begin()
    (linked.folder / "models").symlink_to(repository.folder / "deployments")
    (linked.folder / "chat.yaml").symlink_to(Path("models") / "team.yaml")
    linked.commit("Link it")
    for linked.name in ("models/team.yaml", "chat.yaml"):
        assert linked.told() == ["added: Serve chat"]
    above = EntryRepository(tmp_path / "above")
    above.folder.symlink_to(repository.folder.parent)
    above.name = f"repository/{FILE}"
    assert above.told() == ["added: Serve chat"]


def test_a_link_that_became_a_file_begins_there(repository: EntryRepository) -> None:
    (repository.folder / "real.yaml").write_text(entry("chat"))
    repository.file.parent.mkdir()
    repository.file.symlink_to("../real.yaml")
    repository.commit("Link it")
    repository.file.unlink()
    repository.commit("A file of its own", entry("chat"))
    assert repository.told()[0] == "added: A file of its own"


def test_a_submodule_and_a_worktree_have_histories_of_their_own(repository: EntryRepository, tmp_path: Path) -> None:
    repository.commit("Serve chat", entry("chat"))
    outer = EntryRepository(tmp_path / "outer").begin()
    git(outer.folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository.folder), "sub")
    outer.commit("With it")
    outer.name = f"sub/{FILE}"
    assert outer.told() == ["added: Serve chat"]
    tree = EntryRepository(tmp_path / "tree")
    git(repository.folder, "worktree", "add", "--quiet", "-b", "side", str(tree.folder))
    tree.commit("Two of it", entry("chat", 2))
    assert tree.told() == ["changed: Two of it", "added: Serve chat"]
    assert repository.told() == ["added: Serve chat"]


def test_versions_that_are_no_yaml_are_told_as_such(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"))
    repository.commit(
        "With its conflict", "<<<<<<< HEAD\n", entry("chat"), "=======\n", entry("chat", 2), ">>>>>>> x\n"
    )
    repository.commit("Mended", entry("chat", 2))
    assert repository.told() == ["unknown: Mended", "unknown: With its conflict", "added: Serve chat"]
    repository.file.write_bytes(os.urandom(512) + b"\0\xff- name: chat\n" * 100)
    repository.commit("Garbage")
    repository.commit("Mended again", entry("chat", 2))
    assert repository.told()[:2] == ["unknown: Mended again", "unknown: Garbage"]


def test_a_version_that_is_too_long_is_not_read(repository: EntryRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_history, "_BYTES", 1000)
    repository.commit("Serve chat", entry("chat"))
    repository.commit("Long", entry("chat", 2), "#" * 1000)
    repository.commit("Short", entry("chat", 3))
    assert repository.told() == ["unknown: Short", "unknown: Long", "added: Serve chat"]


def test_what_git_encrypts_is_told_as_not_to_be_compared(repository: EntryRepository) -> None:
    """As git-crypt does: a filter that makes something else of the file in the repository."""
    git(repository.folder, "config", "filter.crypt.clean", "gzip -c")
    git(repository.folder, "config", "filter.crypt.smudge", "gzip -dc")
    (repository.folder / ".gitattributes").write_text("*.yaml filter=crypt\n")
    repository.commit("Serve chat", entry("chat"))
    assert repository.refusal() == (
        f"{FILE}: is no YAML in the last commit, as where git encrypts it, so nothing can be compared"
    )


def test_names_are_those_of_the_mailmap_and_addresses_are_not_told(repository: EntryRepository) -> None:
    (repository.folder / ".mailmap").write_text("Ada Lovelace <ada@example.com> <countess@example.com>\n")
    repository.commit("Serve chat", entry("chat"), author="countess <countess@example.com>")
    history = repository.history()
    assert [change.commit and change.commit.author for change in history.changes] == ["Ada Lovelace"]
    assert "@" not in repr(history)


def test_commits_in_other_encodings_are_read(repository: EntryRepository) -> None:
    git(repository.folder, "config", "i18n.commitEncoding", "ISO-8859-1")
    repository.write(entry("chat"))
    git(repository.folder, "add", "--all")
    subprocess.run(
        ["git", "-C", str(repository.folder), "commit", "--quiet", "-F", "-"],
        input="Größe".encode("latin-1"),
        check=True,
    )
    assert repository.told() == ["added: Größe"]
    git(repository.folder, "config", "i18n.logOutputEncoding", "ISO-8859-1")
    assert repository.told() == ["added: Größe"]


@pytest.mark.parametrize("date", ["@0 +0000", "@99999999999999 +0000", "@18446744073709551615 +0000"])
def test_dates_that_nobody_can_have_meant_do_no_harm(date: str, repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"))
    repository.write(entry("chat", 2))
    repository.raw_commit(f" <> {date[1:]}", "")
    change = repository.history().changes[0]
    assert change.kind is Kind.CHANGED
    assert change.commit is not None
    assert (change.commit.author, change.commit.subject) == ("", "")
    assert change.commit.at is None or change.commit.at.year == 1970


SETTINGS = {
    "color.ui": "always",
    "log.showSignature": "true",
    "log.showRoot": "false",
    "log.follow": "true",
    "log.diffMerges": "off",
    "diff.renames": "false",
    "diff.noprefix": "true",
    "diff.external": "false",
    "core.quotePath": "true",
    "core.abbrev": "4",
    "log.decorate": "full",
    "format.pretty": "fuller",
    "log.date": "relative",
    "core.pager": "false",
    "pager.log": "true",
    "notes.displayRef": "*",
    "log.mailmap": "false",
}


def test_settings_of_the_person_change_nothing(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"), entry("embed"))
    git(repository.folder, "mv", FILE, "ä.yaml")
    repository.name = "ä.yaml"
    repository.commit("Move it")
    repository.commit("Two of it", entry("chat", 2), entry("embed"))
    git(repository.folder, "notes", "add", "-m", "A note", "HEAD")
    before = repository.history()
    assert told(before) == ["changed: Two of it", "added: Serve chat"]
    for key, value in SETTINGS.items():
        git(repository.folder, "config", key, value)
    assert repository.history() == before


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on PATH to sign with")
@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on PATH (Debian: openssh-client)")
def test_signatures_are_not_verified(repository: EntryRepository, tmp_path: Path) -> None:
    key, program, ran = tmp_path / "key", tmp_path / "verify", tmp_path / "ran"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    settings = {"gpg.format": "ssh", "user.signingKey": str(key), "commit.gpgSign": "true"}
    verifying = {"log.showSignature": "true", "gpg.ssh.program": str(program), "gpg.ssh.allowedSignersFile": str(key)}
    for setting, value in settings.items():
        git(repository.folder, "config", setting, value)
    repository.commit("Serve chat", entry("chat"))
    program.write_text(f"#!/bin/sh\ncat > /dev/null\ntouch {ran}\n")
    program.chmod(0o755)
    for setting, value in verifying.items():
        git(repository.folder, "config", setting, value)
    assert repository.told() == ["added: Serve chat"]
    assert not ran.exists()
    git(repository.folder, "log")
    assert ran.exists()


def test_a_file_outside_of_what_its_repository_tracks_is_told(repository: EntryRepository, tmp_path: Path) -> None:
    repository.write(entry("chat"))
    (tmp_path / "elsewhere").mkdir()
    git(repository.folder, "config", "core.worktree", str(tmp_path / "elsewhere"))
    assert repository.refusal() == (f"team.yaml: is outside the files of its git repository, {tmp_path / 'elsewhere'}")


def test_reading_changes_nothing_in_the_repository(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"))
    repository.write(entry("chat", 2))
    git(repository.folder, "gc", "--quiet")
    files = {path: path.stat().st_mtime_ns for path in sorted(repository.folder.rglob("*"))}
    assert repository.told() == ["changed: not committed", "added: Serve chat"]
    assert {path: path.stat().st_mtime_ns for path in sorted(repository.folder.rglob("*"))} == files


def test_commits_that_are_on_the_remote_have_a_page_on_the_forge(repository: EntryRepository) -> None:
    first = repository.commit("Serve chat", entry("chat"))
    second = repository.commit("Two of it", entry("chat", 2))
    assert repository.history().pages == {}
    git(repository.folder, "remote", "add", "origin", "git@gitlab.com:team/models.git")
    assert repository.history().pages == {}
    git(repository.folder, "update-ref", "refs/remotes/origin/main", first)
    assert repository.history().pages == {first: f"https://gitlab.com/team/models/-/commit/{first}"}
    git(repository.folder, "update-ref", "refs/remotes/origin/side", second)
    assert set(repository.history().pages) == {first, second}
    git(repository.folder, "remote", "set-url", "origin", "git@git.example.com:team/models.git")
    assert repository.history().pages == {}


def test_a_file_that_can_not_be_read_is_told(repository: EntryRepository) -> None:
    repository.commit("Serve chat", entry("chat"))
    repository.write("[")
    assert repository.refusal() == "team.yaml: is not YAML"
    repository.file.unlink()
    repository.file.mkdir()
    assert repository.refusal() == "team.yaml: is a folder"
