"""Deploys the commits of models that the project's lock names."""

from collections.abc import Sequence

from pydantic import ValidationError

from airunway.assessment.model_lock import LOCK_FILE, LockedModel, ModelLock, lock_key
from airunway.planning.files import Files, Unreadable
from airunway.provider import aikit
from airunway.provider.contract import Provider
from airunway.selection.select import Selection
from airunway.spec.entry import DeploymentEntry
from airunway.spec.model import Engine, Source
from airunway.text.problems import InputError, Problem, validation_problems
from airunway.text.yaml_reading import read_document

_FIELD = "model.revision"


def read_lock(files: Files) -> tuple[ModelLock | None, Sequence[Problem]]:
    """The project's lock, None if it has none, and what is wrong with it."""
    text = files.texts.get(LOCK_FILE)
    if text is None:
        return None, ()
    if isinstance(text, Unreadable):
        return None, [Problem(LOCK_FILE, text.reason)]
    try:
        return parse_lock(text), ()
    except InputError as error:
        return None, error.problems


def parse_lock(text: str) -> ModelLock:
    """The lock in a file's text. Raises ``InputError``."""
    try:
        content = read_document(text, LOCK_FILE)
        return ModelLock.model_validate({} if content is None else content)
    except ValidationError as error:
        raise InputError([p.under(LOCK_FILE) for p in validation_problems(error, ModelLock)]) from error


def locked_model(entry: DeploymentEntry, lock: ModelLock | None, *, required: bool) -> LockedModel | None:
    """What the lock has of an entry's model. Raises ``InputError`` if it lacks a model and ``required`` says so."""
    if entry.model.source is not Source.HUGGINGFACE or entry.model.id is None:
        return None
    found = lock.model(entry.model.id, entry.model.revision) if lock else None
    if found is None and required:
        key = lock_key(entry.model.id, entry.model.revision)
        raise InputError(
            [Problem("model.id", f"{key} is not in {LOCK_FILE}, which airunway:locked requires; run: airunway lock")]
        )
    return found


def pinned(
    entry: DeploymentEntry, locked: LockedModel | None, provider: Provider, selection: Selection
) -> tuple[DeploymentEntry, tuple[str, ...]]:
    """``entry`` at the locked commit, or as it is with a warning if its provider takes no revision of it."""
    if locked is None:
        return entry, ()
    mode = provider.SUPPORTED.get(selection.engine, {}).get(entry.serving.mode)
    is_taken = selection.engine is not Engine.LLAMACPP or aikit.takes_revision(entry)
    if mode is None or _FIELD not in mode.fields or not is_taken:
        message = f"{LOCK_FILE} has it at {locked.revision[:12]}, but provider {provider.NAME} fetches what it finds"
        return entry, (f"{_FIELD}: {message}",)
    model = entry.model.model_copy(update={"revision": locked.revision})
    return entry.model_copy(update={"model": model}), ()
