"""Read and write a project's ``models.lock.yaml``, keeping the comments that people wrote into it."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from airunway.assessment.model_lock import LOCK_FILE, LockedModel, ModelLock
from airunway.planning.locked_models import parse_lock
from airunway.program.comment_places import hold_comments
from airunway.text.atomic_files import replace_file
from airunway.text.bounded_files import UnreadableFileError, read_text_file
from airunway.text.problems import InputError, Problem

_HEADER = (
    "# The commits of models and the digests of images that this project uses, by `airunway lock`. Comments stay.\n"
)


def read_lock_file(root: Path) -> tuple[str, ModelLock]:
    """Return the file's text and the lock in it; both are empty if there is none. Raises ``InputError``."""
    path = root / LOCK_FILE
    if not path.exists():
        return "", ModelLock()
    try:
        text = read_text_file(path)
    except UnreadableFileError as error:
        raise InputError([Problem(LOCK_FILE, str(error))]) from error
    return text, parse_lock(text)


def lock_text(before: str, models: Mapping[str, LockedModel], images: Mapping[str, str] | None = None) -> str:
    """Return ``before`` with these models and images, new ones in the order of their names. Raises ``InputError``.

    Without ``images``, those that it has stay.
    """
    yaml = YAML()
    yaml.width = 10_000
    try:
        document = yaml.load(before) or CommentedMap()
    except Exception as error:  # ruamel fails in many ways on what is valid YAML
        reason = f"can't be edited, as ruamel.yaml fails on it ({type(error).__name__}); delete it to write it anew"
        raise InputError([Problem(LOCK_FILE, reason)]) from error
    for section in document:
        if isinstance(document[section], CommentedMap):
            hold_comments(document[section], document, section)
    hold_comments(document)
    dumped = {
        key: model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        for key, model in models.items()
    }
    _replace_section(document, "models", dumped)
    if images is not None:
        _replace_section(document, "images", images)
    output = io.StringIO()
    yaml.dump(document, output)
    return output.getvalue() if before else _HEADER + output.getvalue()


def _replace_section(document: CommentedMap, name: str, new: Mapping[str, Any]) -> None:
    """Give a section these entries, and leave those that are equal, with their comments, alone."""
    if document.get(name) is None:  # a key without a value too
        document[name] = CommentedMap()
    present = document[name]
    if not present:
        present.fa.set_block_style()  # an empty one is written {}, and what is inserted would stay in its line
    for key in [key for key in present if key not in new]:
        del present[key]
    for key in sorted(new):
        if key not in present:
            present.insert(sum(1 for other in present if other < key), key, new[key])
        elif isinstance(new[key], Mapping):
            _replace(present[key], new[key])
        elif present[key] != new[key]:
            present[key] = new[key]


def _replace(old: Any, new: Mapping[str, Any]) -> None:
    """Give ``old`` the values of ``new``, and leave those that are equal, with their comments, alone."""
    for key in [key for key in old if key not in new]:
        del old[key]
    for key, value in new.items():
        if old.get(key) != value:
            old[key] = value


def write_lock_file(root: Path, text: str) -> None:
    """Write the file, whole or not at all. Raises ``InputError``."""
    parse_lock(text)
    path = (root / LOCK_FILE).resolve()
    try:
        path.parent.mkdir(exist_ok=True)
        is_written = replace_file(path, text, path.stat() if path.exists() else None)
    except OSError as error:
        raise InputError([Problem(LOCK_FILE, f"can't be written: {error.strerror}")]) from error
    if not is_written:
        raise InputError([Problem(LOCK_FILE, "can't be written: its folder or its owner does not allow it")])
