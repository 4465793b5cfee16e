"""The history of one entry of a stack: what is not committed yet, and what each commit changed of it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from airunway.program.blob_texts import MissingBlobError
from airunway.program.commit_pages import commit_pages
from airunway.program.entry_changes import Change, Kind, change_of, committed_changes
from airunway.program.entry_texts import entry_texts
from airunway.program.file_versions import FileVersions
from airunway.program.git import GitError, GitTimeoutError
from airunway.text.bounded_files import UnreadableFileError, read_text_file
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import load_data

_LIMITS = load_data(Path(__file__).with_name("limits.yaml"))
_CHANGES, _COMMITS, _BYTES = (int(_LIMITS[f"history{name}"]) for name in ("Changes", "Commits", "Bytes"))
_SECONDS = float(_LIMITS["historySeconds"])

_LEFT_OUT = (
    "A commit is missing here: git does not follow a file that one branch renamed and another changed."
    " `git log -p` has it."
)


@dataclass(frozen=True)
class EntryHistory:
    """The changes of an entry, newest first, in ``file`` of the repository; ``notes`` say what is not among them.

    ``pages`` are web pages of commits by their ids.
    """

    file: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    pages: dict[str, str]


def entry_history(path: Path, name: str) -> EntryHistory:
    """The history of the entry ``name`` of a file: its last changes, as far as git has them in time.

    Raises ``InputError`` where git knows nothing of it.
    """
    try:
        return _history(FileVersions(path, _SECONDS), path, name)
    except GitTimeoutError as error:
        raise InputError([Problem(path.name, f"git had no answer within {_SECONDS:.0f} seconds")]) from error
    except GitError as error:
        raise InputError([Problem(path.name, f"git can't read its history: {error}")]) from error


def _history(file: FileVersions, path: Path, name: str) -> EntryHistory:
    now = _present(path)
    blob = file.committed()
    if blob is None:
        ignored = ", and git is told to ignore it" if file.is_ignored() else ""
        note = f"No commit has {file.name} yet{ignored}."
        change = change_of(None, name, {}, now)
        return EntryHistory(file.name, (change,) if change else (), (note,), {})
    committed = _committed(file, blob)
    change = change_of(None, name, committed, now)
    committed_name = (change and change.former) or name
    earlier, notes = _earlier(file, committed_name)
    if _lacks(earlier, committed.get(committed_name)):
        notes.append(_LEFT_OUT)
    changes = ((change,) if change else ()) + tuple(earlier)
    pages = commit_pages(file.git, [c.commit.id for c in changes if c.commit])
    return EntryHistory(file.name, changes, tuple(notes), pages)


def _present(path: Path) -> Mapping[str, str]:
    try:
        texts = entry_texts(read_text_file(path))
    except UnreadableFileError as error:
        raise InputError([Problem(path.name, str(error))]) from error
    if texts is None:
        raise InputError([Problem(path.name, "is not YAML")])
    return texts


def _committed(file: FileVersions, blob: str) -> Mapping[str, str]:
    """Raises ``InputError`` if the last commit's version is no YAML."""
    try:
        text = file.texts([blob], _BYTES).text(blob)
    except MissingBlobError as error:
        message = f"this clone lacks the last commit's version, which `git show HEAD:{file.name}` fetches"
        raise InputError([Problem(file.name, message)]) from error
    texts = entry_texts(text) if text is not None else None
    if texts is None:
        message = "is no YAML in the last commit, as where git encrypts it, so nothing can be compared"
        raise InputError([Problem(file.name, message)])
    return texts


def _lacks(changes: Sequence[Change], committed: str | None) -> bool:
    """Whether none of the changes that are known led to what the last commit has."""
    known = [change.after for change in changes if change.kind is not Kind.UNKNOWN]
    return bool(changes) and len(known) == len(changes) and committed is not None and committed not in known


def _earlier(file: FileVersions, name: str) -> tuple[list[Change], list[str]]:
    """What commits did, and what is to be known of others."""
    all_of_it = f"`git log --follow -p -- {shlex.quote(file.name)}`"
    versions, in_time = file.versions(_COMMITS)
    texts = file.texts([blob for version in versions for blob in (version.after, *version.before)], _BYTES)
    changes: list[Change] = []
    notes = []
    try:
        for change in committed_changes(name, versions, texts.text):
            if len(changes) == _CHANGES:
                return changes, [f"These are the last {_CHANGES} changes; {all_of_it} has all of the file."]
            changes.append(change)
    except MissingBlobError:
        notes.append(f"This clone lacks older versions of {file.name}; {all_of_it} fetches those of a partial clone.")
    except GitTimeoutError:
        in_time = False
    if not in_time:
        notes.append(f"git found no more within {_SECONDS:.0f} seconds; {all_of_it} has all of the file.")
    elif len(versions) == _COMMITS:
        notes.append(f"Only the last {_COMMITS} commits of {file.name} were looked through; {all_of_it} has all.")
    if any(change.commit.begins_clone for change in changes if change.commit):
        notes.append("This clone is shallow: what came before its first commit, `git fetch --unshallow` brings.")
    return changes, notes
