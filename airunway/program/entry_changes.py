"""What commits did to one entry of a file, found by its name in each version of the file.

git-log can follow lines itself (``-L``). Seen on git 2.39, it takes the commit that wrote the line before a new entry
for one of the entry, and loses an entry that moves within its file.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from airunway.program.entry_texts import entry_texts
from airunway.program.file_versions import Commit, Version

_ALIKE = 0.5
"""Of the lines of two entries, those that are equal at least where one is the other under a new name, as in git."""

_KEPT = 8
"""Versions that are kept: the one before a commit is mostly that after the commit before."""


class Kind(StrEnum):
    """What a change did."""

    ADDED = "added"
    CHANGED = "changed"
    RENAMED = "renamed"
    REMOVED = "removed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Change:
    """A change of an entry; one without a commit is not committed yet.

    ``lines`` are the whole entry as in a unified diff: each begins with "+", "-" or a blank. ``former`` is the earlier
    name of one that was renamed. A version that is no YAML makes what a commit did unknown.
    """

    commit: Commit | None
    kind: Kind
    lines: tuple[str, ...] = ()
    former: str = ""

    @property
    def after(self) -> str:
        """The entry after it."""
        return "\n".join(line[1:] for line in self.lines if not line.startswith("-"))

    @property
    def added(self) -> int:
        """How many lines it added."""
        return sum(line.startswith("+") for line in self.lines)

    @property
    def removed(self) -> int:
        """How many lines it removed."""
        return sum(line.startswith("-") for line in self.lines)


def change_of(commit: Commit | None, name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Change | None:
    """What a commit did to the entry ``name``, from all entries' texts; None if nothing."""
    now, former = after.get(name), name
    if now is not None and name not in before:
        former = _former_name(name, before, after) or name
    was = before.get(former)
    if was == now:
        return None
    kind = Kind.ADDED if was is None else Kind.REMOVED if now is None else Kind.CHANGED
    if former != name:
        return Change(commit, Kind.RENAMED, _difference(was, now), former)
    return Change(commit, kind, _difference(was, now))


def committed_changes(name: str, versions: Iterable[Version], read: Callable[[str], str | None]) -> Iterator[Change]:
    """What each commit did to the entry that is called ``name`` in the newest, newest first.

    ``read`` is an object's text, None if it is none.
    """

    text_of = lru_cache(_KEPT)(read)
    texts_of = lru_cache(_KEPT)(entry_texts)

    def texts(blob: str | None, wanted: str | None = None) -> Mapping[str, str] | None:
        """All entries' texts, or nothing where the one that is wanted can't be among them."""
        text = text_of(blob) if blob is not None else ""
        return None if text is None else {} if wanted and wanted not in text else texts_of(text)

    for version in versions:
        after = texts(version.after, name)
        wanted = None if after and name in after else name
        before = [texts(blob, wanted) for blob in version.before]
        if after is None or None in before:
            yield Change(version.commit, Kind.UNKNOWN)
            continue
        changes = [change_of(version.commit, name, parent, after) for parent in before if parent is not None]
        # What a merge has from one of its parents, it did not do.
        if (change := changes[0]) is not None and None not in changes:
            yield change
            name = change.former or name


def _former_name(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> str | None:
    """What ``name`` was called before, if one entry alone has gone, one alone has come, and the two are alike."""
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    if len(gone) != 1 or come != {name}:
        return None
    (former,) = gone
    lines = (before[former].split("\n"), after[name].split("\n"))
    return former if difflib.SequenceMatcher(None, *lines, autojunk=False).ratio() >= _ALIKE else None


def _difference(before: str | None, after: str | None) -> tuple[str, ...]:
    """All lines of both texts as in a unified diff, without its headers."""
    old, new = ([] if text is None else text.split("\n") for text in (before, after))
    lines = difflib.unified_diff(old, new, lineterm="", n=len(old) + len(new))
    return tuple(lines)[3:]
