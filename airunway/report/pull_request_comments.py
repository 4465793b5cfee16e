"""Which comments of a pull request are written, one for each stack: found again by a marker, and changed in place."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

UNCHANGED = "Nothing changes in this stack any more.\n"
"""Text of a comment whose stack changed in an earlier version of the pull request."""


@dataclass(frozen=True)
class Comment:
    """A comment of a pull request."""

    id: int
    author: str
    body: str


@dataclass(frozen=True)
class NewComment:
    """A comment to create."""

    stack: str
    body: str


@dataclass(frozen=True)
class ChangedComment:
    """Another text for an existing comment."""

    stack: str
    id: int
    body: str


@dataclass(frozen=True)
class SurplusComment:
    """A second comment for the same stack, to delete."""

    stack: str
    id: int


CommentChange = NewComment | ChangedComment | SurplusComment


def comment_changes(
    comments: Iterable[Comment], author: str, texts: Mapping[str, str | None]
) -> Iterator[CommentChange]:
    """What makes the comments by ``author`` say ``texts``, by stack; None where nothing changes.

    A comment that quotes a marker, or is somebody else's, is left alone: the first line of the author's own counts.
    """
    own = [comment for comment in comments if comment.author == author]
    for stack, text in texts.items():
        head = _marker(stack)
        body = f"{head}\n{UNCHANGED if text is None else text}"
        existing = [comment for comment in own if _lines(comment.body)[:1] == [head]]
        if not existing and text is not None:
            yield NewComment(stack, body)
        if existing and _lines(existing[0].body) != _lines(body):
            yield ChangedComment(stack, existing[0].id, body)
        yield from (SurplusComment(stack, comment.id) for comment in existing[1:])


def _marker(stack: str) -> str:
    return f"<!-- airunway diff: stack {stack} -->"


def _lines(body: str) -> list[str]:
    """The lines of a comment; GitHub may keep it with other line ends and without the last one."""
    return body.rstrip().splitlines()
