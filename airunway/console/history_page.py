"""The part of a deployment's page that shows who changed its entry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException

from airunway.console.project import Project
from airunway.program.entry_changes import Change, Kind
from airunway.program.entry_history import entry_history
from airunway.text.credentials import without_tokens
from airunway.text.problems import InputError

_LONGEST_SUBJECT = 200
_DONE = {Kind.ADDED: "added", Kind.CHANGED: "changed", Kind.REMOVED: "removed", Kind.UNKNOWN: "changed"}


@dataclass(frozen=True)
class ShownChange:
    """A change as it is shown: what was done, the subject of its commit, and its lines without credentials.

    Without a ``commit`` it is not committed yet; ``page`` is that of its commit on the forge.
    """

    change: Change
    at: datetime | None
    done: str
    subject: str
    size: str
    difference: tuple[str, ...]
    page: str | None


def history_values(project: Project, stack: str, name: str) -> dict[str, Any]:
    """The changes of a deployment's entry, or the problem why they are not known. Raises ``HTTPException``.

    It waits for git, so it is not for the thread that serves all pages.
    """
    try:
        path = project.file_of(stack, name)
        if path is None:
            raise HTTPException(404, f"stack {stack} has no deployment {name}")
        history = entry_history(path, name)
    except InputError as error:
        return {"problem": str(error)}
    changes = [_shown(change, history.pages) for change in history.changes]
    return {"problem": "", "file": history.file, "changes": changes, "notes": history.notes}


def _shown(change: Change, pages: dict[str, str]) -> ShownChange:
    commit = change.commit
    done = f"renamed from {change.former}" if change.former else _DONE[change.kind]
    if commit and commit.begins_clone and change.kind is Kind.ADDED:
        done = "there already"
    subject = without_tokens(commit.subject) if commit else ""
    return ShownChange(
        change,
        commit.at if commit else None,
        done,
        subject if len(subject) <= _LONGEST_SUBJECT else f"{subject[:_LONGEST_SUBJECT]}…",
        _size(change) if change.lines else "",
        tuple(without_tokens("\n".join(change.lines)).split("\n")) if change.lines else (),
        pages.get(commit.id) if commit else None,
    )


def _size(change: Change) -> str:
    """How many lines it added and removed, in words: ``1 line added, 2 removed``."""
    counts = [(change.added, "added"), (change.removed, "removed")]
    (first, what), *others = [(count, what) for count, what in counts if count]
    return ", ".join([f"{first} {'line' if first == 1 else 'lines'} {what}", *(f"{n} {done}" for n, done in others)])
