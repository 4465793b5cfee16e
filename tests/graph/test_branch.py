"""Graph (real git, and a bare repository on this machine as the remote): a change becomes a branch of HEAD and nothing
else, and the person's checkout stays as it is.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from airunway.program.branch import FileChange, PushedBranch, push_change, push_remote
from airunway.program.git import Git, GitError
from airunway.text.problems import InputError

FILE = "stacks/Pulumi.dev.yaml"


@pytest.fixture(autouse=True)
def nobody_s_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@dataclass
class Checkout:
    """A clone of a bare repository whose branch main has one stack file."""

    folder: Path
    remote: Path

    @property
    def file(self) -> Path:
        return self.folder / FILE

    def change(self, after: str = "config: {a: 2}\n", subject: str = "dev-chat") -> FileChange:
        return FileChange(self.file, after, "Serve it\n", subject)

    def push(self, after: str = "config: {a: 2}\n", subject: str = "dev-chat") -> PushedBranch:
        return push_change(self.folder, self.change(after, subject))

    def refusal(self) -> str:
        with pytest.raises(InputError) as raised:
            self.push()
        (problem,) = raised.value.problems
        return str(problem)

    def state(self) -> tuple[str, ...]:
        """All of the checkout that a person sees."""
        return (
            git(self.folder, "status", "--porcelain=v2", "--branch"),
            git(self.folder, "for-each-ref", "refs/heads", "refs/tags"),
            git(self.folder, "ls-files", "--stage"),
            self.file.read_text(),
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    remote, folder = tmp_path / "remote.git", tmp_path / "checkout"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(tmp_path, "clone", "--quiet", str(remote), str(folder))
    git(folder, "switch", "--quiet", "--orphan", "main")
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "user.email", "ada@example.com")
    (folder / "stacks").mkdir()
    (folder / FILE).write_text("config: {a: 1}\n")
    (folder / "other.txt").write_text("other\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "First")
    git(folder, "push", "--quiet", "-u", "origin", "main")
    return Checkout(folder, remote)


def test_the_branch_has_head_and_the_change_and_nothing_else(checkout: Checkout) -> None:
    (checkout.folder / "other.txt").write_text("not of the change\n")
    git(checkout.folder, "add", "other.txt")
    (checkout.folder / "new.txt").write_text("untracked\n")
    before = checkout.state()
    pushed = checkout.push()
    assert checkout.state() == before
    assert pushed.name.startswith("airunway/dev-chat-")
    assert (pushed.remote, pushed.base, pushed.page) == ("origin", "main", None)
    shown = git(checkout.remote, "log", "--format=%an <%ae>: %s", "--name-status", pushed.name, "^main")
    assert shown == f"Ada <ada@example.com>: Serve it\n\nM\t{FILE}"
    assert git(checkout.remote, "show", f"{pushed.name}:{FILE}") == "config: {a: 2}"
    assert git(checkout.remote, "rev-parse", f"{pushed.name}^") == git(checkout.folder, "rev-parse", "HEAD")


def test_two_changes_of_the_same_commit_are_two_branches(checkout: Checkout) -> None:
    assert checkout.push("config: {a: 2}\n").name != checkout.push("config: {a: 3}\n").name
    assert len(git(checkout.remote, "branch", "--list", "airunway/*").splitlines()) == 2


def test_the_same_change_again_is_the_same_branch(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    first = checkout.push()
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z")
    assert checkout.push() == first
    assert len(git(checkout.remote, "branch", "--list", "airunway/*").splitlines()) == 1


def test_a_file_with_other_changes_is_refused(checkout: Checkout) -> None:
    checkout.file.write_text("config: {a: 1, b: 1}\n")
    assert f"{FILE} has changes that are not committed" in checkout.refusal()
    git(checkout.folder, "add", FILE)
    assert f"{FILE} has changes that are not committed" in checkout.refusal()


def test_a_file_that_is_in_no_commit_is_refused(checkout: Checkout) -> None:
    new = checkout.folder / "stacks" / "Pulumi.new.yaml"
    new.write_text("config: {}\n")
    with pytest.raises(InputError, match="is in no commit yet"):
        push_change(checkout.folder, FileChange(new, "config: {b: 1}\n", "m", "s"))


def test_a_file_outside_the_repository_is_refused(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("a: 1\n")
    with pytest.raises(InputError, match="is outside the git repository"):
        push_change(checkout.folder, FileChange(tmp_path / "outside.yaml", "b: 1\n", "m", "s"))


@pytest.mark.parametrize("name", ["a [b]*.yaml", ":(top)x.yaml", "ä b.yaml", "-x.yaml"])
def test_files_may_have_names_that_git_takes_for_patterns(checkout: Checkout, name: str) -> None:
    file = checkout.folder / "stacks" / name
    file.write_text("a: 1\n")
    git(checkout.folder, "add", "--all")
    git(checkout.folder, "commit", "--quiet", "-m", "Odd names")
    pushed = push_change(checkout.folder, FileChange(file, "a: 2\n", "m", "s"))
    assert git(checkout.remote, "show", f"{pushed.name}:stacks/{name}") == "a: 2"
    file.write_text("a: 3\n")
    with pytest.raises(InputError, match="not committed"):
        push_change(checkout.folder, FileChange(file, "a: 2\n", "m", "s"))


def test_a_file_keeps_its_mode_and_its_line_endings_are_those_of_the_repository(checkout: Checkout) -> None:
    checkout.file.chmod(0o755)
    (checkout.folder / ".gitattributes").write_text("*.yaml text eol=crlf\n")
    git(checkout.folder, "add", "--all")
    git(checkout.folder, "commit", "--quiet", "-m", "Windows")
    pushed = checkout.push("a: 2\r\nb: 3\r\n")
    assert git(checkout.remote, "ls-tree", pushed.name, FILE).startswith("100755 ")
    raw = subprocess.run(
        ["git", "-C", str(checkout.remote), "cat-file", "blob", f"{pushed.name}:{FILE}"],
        capture_output=True,
        check=True,
    )
    assert raw.stdout == b"a: 2\nb: 3\n"


def test_a_linked_file_is_the_one_that_it_leads_to(checkout: Checkout) -> None:
    link = checkout.folder / "stacks" / "Pulumi.link.yaml"
    link.symlink_to("Pulumi.dev.yaml")
    pushed = push_change(checkout.folder, FileChange(link, "config: {a: 2}\n", "m", "s"))
    assert git(checkout.remote, "show", f"{pushed.name}:{FILE}") == "config: {a: 2}"


def test_a_detached_head_takes_the_remote_s_own_branch_as_base(checkout: Checkout) -> None:
    git(checkout.folder, "remote", "set-head", "origin", "main")
    git(checkout.folder, "switch", "--quiet", "--detach")
    assert checkout.push().base == "main"


def test_a_branch_that_follows_none_has_no_base_where_the_clone_noted_none(checkout: Checkout) -> None:
    git(checkout.folder, "switch", "--quiet", "-c", "mine", "--no-track")
    assert checkout.push().base is None


def test_a_shallow_clone_can_push(checkout: Checkout, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{checkout.remote}", str(shallow))
    git(shallow, "config", "user.name", "Ada")
    git(shallow, "config", "user.email", "ada@example.com")
    pushed = push_change(shallow, FileChange(shallow / FILE, "config: {a: 2}\n", "m", "s"))
    assert git(checkout.remote, "show", f"{pushed.name}:{FILE}") == "config: {a: 2}"


def test_a_push_that_the_remote_refuses_is_told_in_its_words(checkout: Checkout) -> None:
    hook = checkout.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'branches are closed today' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = checkout.state()
    message = checkout.refusal()
    assert "can't be pushed to origin, and nothing has changed" in message
    assert "branches are closed today" in message
    assert checkout.state() == before
    assert git(checkout.remote, "branch", "--list", "airunway/*") == ""


def test_what_a_forge_offers_is_where_the_pull_request_is_opened(checkout: Checkout) -> None:
    hook = checkout.remote / "hooks" / "post-receive"
    text = "Create a pull request by visiting:\n   https://forge.example/o/m/pull/new/x\n"
    hook.write_text(f"#!/bin/sh\nprintf '{text}' >&2\n")
    hook.chmod(0o755)
    assert checkout.push().page == "https://forge.example/o/m/pull/new/x"


def test_a_remote_that_is_gone_is_told_without_its_login(checkout: Checkout) -> None:
    address = "http://user:secret-word@127.0.0.1:9/o/m.git"
    git(checkout.folder, "remote", "set-url", "origin", address)
    message = checkout.refusal()
    assert "can't be pushed" in message
    assert "secret-word" not in message


def test_git_without_an_author_is_told(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    git(checkout.folder, "config", "user.useConfigOnly", "true")
    git(checkout.folder, "config", "--unset", "user.email")
    message = checkout.refusal()
    assert "the change can't be committed" in message
    assert "user.email" in message


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        ({}, "origin"),
        ({"remote.pushDefault": "fork"}, "fork"),
        ({"branch.main.remote": "fork"}, "fork"),
        ({"branch.main.pushRemote": "fork", "remote.pushDefault": "origin"}, "fork"),
        ({"branch.main.remote": "gone"}, "origin"),
    ],
)
def test_the_remote_is_the_one_that_git_would_push_to(
    checkout: Checkout, settings: dict[str, str], chosen: str
) -> None:
    git(checkout.folder, "remote", "add", "fork", str(checkout.remote))
    for key, value in settings.items():
        git(checkout.folder, "config", key, value)
    assert push_remote(checkout.folder) == chosen


def test_the_only_remote_is_taken_and_of_several_none(checkout: Checkout) -> None:
    git(checkout.folder, "remote", "rename", "origin", "upstream")
    assert push_remote(checkout.folder) == "upstream"
    git(checkout.folder, "remote", "add", "fork", str(checkout.remote))
    git(checkout.folder, "config", "--unset", "branch.main.remote")
    assert push_remote(checkout.folder) is None


def test_without_repository_commit_or_remote_there_is_nothing_to_push_to(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert push_remote(tmp_path / "plain") is None
    git(tmp_path, "init", "--quiet", "empty")
    git(tmp_path / "empty", "remote", "add", "origin", str(checkout.remote))
    assert push_remote(tmp_path / "empty") is None
    git(checkout.folder, "remote", "remove", "origin")
    assert push_remote(checkout.folder) is None
    assert "no git remote to push to" in checkout.refusal()


def test_without_git_there_is_nothing_to_push_to(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert push_remote(checkout.folder) is None


def test_a_git_that_waits_is_ended_with_what_it_started(checkout: Checkout, tmp_path: Path) -> None:
    hook = checkout.folder / ".git" / "hooks" / "pre-push"
    hook.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    hook.chmod(0o755)
    with pytest.raises(GitError, match="git push did not end within 1 seconds"):
        Git(checkout.folder)("push", "origin", "HEAD:refs/heads/x", seconds=1)
    process = (tmp_path / "pid").read_text().strip()
    done = subprocess.run(["ps", "-o", "state=", "-p", process], capture_output=True, text=True, check=False)
    assert done.stdout.strip() in ("", "Z")
