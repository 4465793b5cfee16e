"""Graph (real git): how git is run for a person who is not there: what it may do, how it is ended, and what its errors
say.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from airunway.program.git import Git, GitError, GitMissingError, GitTimeoutError
from tests.graph.projects import ROOT, write_project
from tests.graph.test_branch import git, nobody_s_configuration

__all__ = ["nobody_s_configuration"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(folder))
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "user.email", "ada@example.com")
    (folder / "file.txt").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "First")
    return folder


def is_running(process: str) -> bool:
    done = subprocess.run(["ps", "-o", "state=", "-p", process], capture_output=True, text=True, check=False)
    return done.stdout.strip() not in ("", "Z")


def wait_for(path: Path) -> str:
    """What a file says once it says something."""
    ends = time.monotonic() + 30
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < ends, f"{path} does not come"
        time.sleep(0.02)
    return path.read_text().strip()


def test_what_git_printed_before_it_was_ended_is_not_lost(repository: Path) -> None:
    git(repository, "config", "alias.slow", "!echo first; sleep 60")
    with pytest.raises(GitTimeoutError, match="git slow did not end within 1 seconds") as raised:
        Git(repository)("slow", seconds=1)
    assert raised.value.output == "first\n"


def test_a_git_that_can_not_be_found_is_another_error_than_one_that_fails(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(GitError, match="fatal: ") as raised:
        Git(repository)("rev-parse", "--verify", "nowhere")
    assert not isinstance(raised.value, GitMissingError)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GitMissingError, match="git can't be run: No such file or directory"):
        Git(repository)("status")


def test_a_git_that_only_reads_leaves_the_index_as_it_is(repository: Path) -> None:
    index = repository / ".git" / "index"
    os.utime(repository / "file.txt", (1, 1))  # what git would note in the index
    before = index.read_bytes()
    assert Git(repository)("status", "--porcelain") == ""
    assert index.read_bytes() == before
    git(repository, "status", "--porcelain")
    assert index.read_bytes() != before


def test_a_git_that_fetches_nothing_leaves_what_a_partial_clone_lacks(repository: Path, tmp_path: Path) -> None:
    git(repository, "config", "uploadpack.allowFilter", "true")
    (repository / "file.txt").write_text("two\n")
    git(repository, "commit", "--quiet", "--all", "-m", "Second")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", f"file://{repository}", str(clone))
    old = git(repository, "rev-parse", "HEAD~1:file.txt")
    for _ in range(2):
        with pytest.raises(GitError, match="fatal: transport 'file' not allowed"):
            Git(clone, fetches=False)("cat-file", "-s", old)
    assert Git(clone)("cat-file", "-s", old) == "4\n"
    assert Git(clone, fetches=False)("cat-file", "-s", old) == "4\n"


def test_an_interrupted_comparison_ends_git_and_leaves_no_worktree(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    write_project(project, [])
    for step in (
        ("init", "--quiet", "--initial-branch=main"),
        ("config", "user.name", "Ada"),
        ("config", "user.email", "ada@example.com"),
        ("add", "."),
        ("commit", "--quiet", "-m", "First"),
    ):
        git(project, *step)
    (project / ".git" / "info" / "attributes").write_text("Pulumi.yaml filter=slow\n")
    git(project, "config", "filter.slow.smudge", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    command = [sys.executable, "-m", "airunway.cli", "diff", "own", "--cwd", str(project)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as diff:
        process = wait_for(tmp_path / "pid")
        diff.send_signal(signal.SIGINT)
        diff.communicate(timeout=30)
    assert diff.returncode != 0
    assert not is_running(process)
    assert len(git(project, "worktree", "list").splitlines()) == 1
