"""The versions of a file in git: in the last commit, and before and after each commit that changed it."""

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from airunway.program.blob_texts import BlobTexts
from airunway.program.git import Git, GitError, GitMissingError, GitTimeoutError
from airunway.text.problems import InputError, Problem

_FORMAT = ("%H", "%aI", "%aN", "%s")
_SHORT = 8
_SHARE_OF_LOG = 0.7
"""Of the time, that for finding commits; what they changed has to be read too."""


@dataclass(frozen=True)
class Commit:
    """A commit; ``at`` is when its author made it, None where git has no such date, and ``author`` as by .mailmap.

    With ``begins_clone`` a shallow clone has nothing before it, so that it seems to have added all that there is.
    """

    id: str
    at: datetime | None
    author: str
    subject: str
    begins_clone: bool = False

    @property
    def short(self) -> str:
        """The beginning of its id, which names it in nearly every repository."""
        return self.id[:_SHORT]


@dataclass(frozen=True)
class Version:
    """A file after a commit, and in each of its parents: the objects' ids, None where there is no such file."""

    commit: Commit
    after: str | None
    before: tuple[str | None, ...]


class FileVersions:
    """The versions of the file at ``path``, which is ``name`` in its repository, read in ``seconds`` and not fetched.

    Raises ``InputError`` without git, and outside a repository.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        path = path.resolve()
        self._ends = time.monotonic() + seconds
        self.git = Git(path.parent, fetches=False)
        try:
            top = Path(self._run("rev-parse", "--show-toplevel").removesuffix("\n"))
        except GitError as error:
            raise InputError([_no_repository(path.name, error)]) from error
        if not path.is_relative_to(top.resolve()):
            raise InputError([Problem(path.name, f"is outside the files of its git repository, {top}")])
        self.name = path.relative_to(top.resolve()).as_posix()
        self.git = Git(top, fetches=False)

    def committed(self) -> str | None:
        """The file's object in the last commit; None if it is not in it. Raises ``GitTimeoutError``."""
        return self._line("rev-parse", "--verify", "--quiet", f"HEAD:{self.name}") or None

    def is_ignored(self) -> bool:
        """Whether git is told to leave the file out of commits."""
        return bool(self._line("check-ignore", "--", self.name))

    def versions(self, most: int) -> tuple[list[Version], bool]:
        """The last ``most`` commits that changed the file, newest first, and whether git found them in time.

        Those below its earlier names are among them, and merges where the file is unlike that of each parent. Raises
        ``GitError``. Seen on git 2.39: of a file that was renamed on one branch and changed on another, the other's
        commits are left out.
        """
        mark, in_time = secrets.token_hex(16), True  # which no subject has
        options = ["--follow", "-c", "--raw", "--no-abbrev", "--root", "--no-show-signature"]
        told = ["--encoding=UTF-8", f"--format={'%n'.join((mark, *_FORMAT))}", f"--max-count={most}"]
        try:
            pathspec = f":(top,literal){self.name}"
            said = self._run("log", *options, *told, "HEAD", "--", pathspec, share=_SHARE_OF_LOG)
        except GitTimeoutError as error:
            said, in_time = error.output.rpartition(mark)[0], False  # the last one may be half a commit
        boundaries = self._boundaries()
        read = [_version(part, boundaries) for part in said.split(f"{mark}\n")[1:]]
        return [version for version in read if version], in_time

    def texts(self, blobs: Iterable[str | None], most_bytes: int) -> BlobTexts:
        """The texts of these objects, but for those that are None."""
        return BlobTexts(self._run, [blob for blob in blobs if blob is not None], most_bytes)

    def _run(self, *arguments: str, text: str | None = None, share: float = 1) -> str:
        """What git prints, within this share of the time that is left. Raises ``GitError``."""
        return self.git(*arguments, text=text, seconds=max(share * (self._ends - time.monotonic()), 0.01))

    def _line(self, *arguments: str) -> str:
        """The one line that git prints; empty if it fails. Raises ``GitTimeoutError``."""
        try:
            return self._run(*arguments).removesuffix("\n")
        except GitTimeoutError:
            raise
        except GitError:
            return ""

    def _boundaries(self) -> frozenset[str]:
        """The commits before which a shallow clone has nothing."""
        try:
            file = self.git.folder / self._line("rev-parse", "--git-path", "shallow")
            return frozenset(file.read_text(encoding="ascii").split())
        except (GitError, OSError, ValueError):
            return frozenset()


def _version(said: str, boundaries: frozenset[str]) -> Version | None:
    """What git-log says of one commit; None without a raw line, which some merges of renames lack."""
    id, at, author, subject, *rest = said.split("\n")
    raw = next((line for line in rest if line.startswith(":")), None)
    if raw is None:
        return None
    parents = len(raw) - len(raw.lstrip(":"))
    blobs = [_blob(blob) for blob in raw.split()[parents + 1 : 2 * parents + 2]]
    commit = Commit(id, _date(at), author, subject, id in boundaries)
    return Version(commit, blobs[-1], tuple(blobs[:-1]))


def _blob(id: str) -> str | None:
    return id if id.strip("0") else None


def _date(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _no_repository(name: str, error: GitError) -> Problem:
    if isinstance(error, GitMissingError):
        return Problem(name, f"who changed it is not known, as {error}: install git")
    if "not a git repository" in str(error):
        return Problem(name, "is in no git repository, so who changed it is not known; `git init` begins one")
    return Problem(name, f"git can't read its repository: {error}")
