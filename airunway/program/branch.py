"""A change of one file as a branch of a git remote: HEAD and that change, without touching the person's checkout."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from airunway.program.forge import offered_page, pull_request_page
from airunway.program.git import Git, GitError
from airunway.text.problems import InputError, Problem

_PUSH_SECONDS = 60.0
_PREFIX = "airunway/"
_HEAD = "HEAD"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9-]+")


@dataclass(frozen=True)
class FileChange:
    """The new text of one file, and the message of its commit; ``subject`` goes into the branch's name."""

    path: Path
    after: str
    message: str
    subject: str


@dataclass(frozen=True)
class PushedBranch:
    """A branch that is on a remote; ``page`` is where its pull request is opened, None if that is not known."""

    name: str
    remote: str
    base: str | None
    page: str | None


def push_remote(root: Path) -> str | None:
    """The remote that branches are pushed to; None without a git repository, a commit or a remote."""
    git = Git(root)
    try:
        remotes = git("remote").split()
        git("rev-parse", "--verify", "--quiet", f"{_HEAD}^{{commit}}")
    except GitError:
        return None
    branch = git.line("symbolic-ref", "--quiet", "--short", _HEAD)
    keys = [f"branch.{branch}.pushRemote", "remote.pushDefault", f"branch.{branch}.remote"]
    chosen = [git.line("config", "--get", key) for key in (keys if branch else keys[1:2])]
    named = next((name for name in (*chosen, "origin") if name in remotes), None)
    return named or (remotes[0] if len(remotes) == 1 else None)


def push_change(root: Path, change: FileChange) -> PushedBranch:
    """Commit a change on top of HEAD, and push it as a branch of its own. Raises ``InputError``.

    Checkout, index and branches stay as they are. The same change again is the same branch. A file that has other
    changes beside HEAD is refused, as the branch would lack them or bring them along.
    """
    git = Git(root)
    remote = push_remote(root)
    if remote is None:
        raise _problem("no git remote to push to: add one (git remote add origin ADDRESS), or save the change")
    try:
        name = _committed_path(git, change.path)
        commit = _commit(git, name, change)
    except GitError as error:
        raise _problem(f"the change can't be committed: {error}") from error
    subject = _NOT_IN_NAMES.sub("-", change.subject)
    branch = f"{_PREFIX}{subject}-{_digest(git, name, change)}"
    try:
        # The empty lease: nobody has the branch yet.
        said = git(
            "push",
            f"--force-with-lease=refs/heads/{branch}:",
            remote,
            f"{commit}:refs/heads/{branch}",
            seconds=_PUSH_SECONDS,
            errors=True,
        )
    except GitError as error:
        if not _is_there(git, remote, branch):  # its name says that it has this very change
            raise _problem(f"{branch} can't be pushed to {remote}, and nothing has changed: {error}") from error
        said = ""
    base = _base(git, remote)
    address = git.line("remote", "get-url", "--push", remote)
    return PushedBranch(branch, remote, base, offered_page(said) or pull_request_page(address, branch, base))


def _committed_path(git: Git, path: Path) -> str:
    """The file's path in the repository. Raises ``InputError`` if HEAD has another text of it."""
    top = Path(git("rev-parse", "--show-toplevel").rstrip("\n")).resolve()
    file = path.resolve()
    if not file.is_relative_to(top):
        raise _problem(f"{path.name} is outside the git repository {top}")
    name = file.relative_to(top).as_posix()
    if not git("ls-tree", "--full-tree", _HEAD, "--", name):
        raise _problem(f"{name} is in no commit yet: commit it first, or save the change")
    if git("status", "--porcelain", "--untracked-files=no", "--", f":(top,literal){name}").strip():
        raise _problem(f"{name} has changes that are not committed: commit or stash them first, or save the change")
    return name


def _commit(git: Git, name: str, change: FileChange) -> str:
    mode = git("ls-tree", "--full-tree", _HEAD, "--", name).split()[0]
    blob = git("hash-object", "-w", "--path", name, "--stdin", text=change.after).strip()
    signed = ["-S"] if git.line("config", "--type=bool", "--get", "commit.gpgsign") == "true" else []
    with TemporaryDirectory(prefix="airunway-") as folder:
        index = Path(folder) / "index"
        git("read-tree", _HEAD, index=index)
        git("update-index", "--cacheinfo", f"{mode},{blob},{name}", index=index)
        tree = git("write-tree", index=index).strip()
    return git("commit-tree", tree, "-p", _HEAD, *signed, "-F", "-", text=change.message).strip()


def _digest(git: Git, name: str, change: FileChange) -> str:
    """The same for the same change of the same commit."""
    head = git.line("rev-parse", _HEAD)
    return hashlib.sha256("\0".join((head, name, change.after)).encode()).hexdigest()[:8]


def _is_there(git: Git, remote: str, branch: str) -> bool:
    return bool(git.line("ls-remote", "--heads", remote, f"refs/heads/{branch}"))


def _base(git: Git, remote: str) -> str | None:
    """The branch of the remote that the checkout follows; else the remote's own default, where a clone noted it."""
    for ref in (git.line("rev-parse", "--symbolic-full-name", "@{upstream}"), f"refs/remotes/{remote}/HEAD"):
        target = git.line("symbolic-ref", "--quiet", ref) or ref
        prefix = f"refs/remotes/{remote}/"
        if target.startswith(prefix) and not target.endswith("/HEAD"):
            return target.removeprefix(prefix)
    return None


def _problem(message: str) -> InputError:
    return InputError([Problem("pull request", message)])
