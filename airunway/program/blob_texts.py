"""Texts of git's objects, read many at a time: a process for each would take longer than all else."""

from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from airunway.program.git import GitError, GitTimeoutError
from airunway.text.bounded_files import UnreadableFileError, decoded

_AT_ONCE = 32


class MissingBlobError(Exception):
    """A partial clone has no such object, or a damaged one can't read it."""


class Run(Protocol):
    """Runs git in a repository."""

    def __call__(self, *arguments: str, text: str | None = None) -> str:
        """Return what a command prints; ``text`` is its input. Raises ``GitError``."""


class BlobTexts:
    """Texts of objects, which are asked for in about the order of ``blobs``."""

    def __init__(self, run: Run, blobs: Sequence[str], most_bytes: int) -> None:
        self._run, self._most = run, most_bytes
        self._order = {blob: number for number, blob in enumerate(dict.fromkeys(blobs))}
        self._read: dict[str, str | None] = {}

    def text(self, blob: str) -> str | None:
        """An object's text; None if it is not UTF-8 or too long. Raises ``MissingBlobError`` and ``GitError``."""
        if blob not in self._read:
            following = list(islice(self._order, self._order[blob], self._order[blob] + _AT_ONCE))
            try:
                self._read = self._texts(following)
            except GitTimeoutError:
                raise
            except GitError:  # in a partial clone git ends at the first that is missing
                self._read = self._only(blob)
        if blob not in self._read:
            raise MissingBlobError(blob)
        return self._read[blob]

    def _only(self, blob: str) -> dict[str, str | None]:
        try:
            return self._texts([blob])
        except GitError as error:
            if "promisor" in str(error):
                raise MissingBlobError(blob) from error
            raise

    def _texts(self, blobs: Sequence[str]) -> dict[str, str | None]:
        """The texts of those that are there."""
        checked = self._run("cat-file", "--batch-check=%(objectsize) %(objectname)", text=_lines(blobs)).split("\n")
        sizes = {blob: line.split()[0] for blob, line in zip(blobs, checked, strict=False)}
        present = [blob for blob, size in sizes.items() if size.isdecimal()]  # else "ID missing"
        short = [blob for blob in present if int(sizes[blob]) <= self._most]
        printed = self._run("cat-file", "--batch=%(objectsize)", text=_lines(short)).encode("utf-8", "surrogateescape")
        texts: dict[str, str | None] = dict.fromkeys(present)
        for blob in short:
            header, _, printed = printed.partition(b"\n")
            texts[blob], printed = _decoded(printed[: int(header)]), printed[int(header) + 1 :]
        return texts


def _lines(blobs: Sequence[str]) -> str:
    return "".join(f"{blob}\n" for blob in blobs)


def _decoded(content: bytes) -> str | None:
    try:
        return decoded(content)
    except UnreadableFileError:
        return None
