"""`airunway lock`: commits of models and digests of images of a project's stacks; imported only when it runs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.markup import escape

from airunway.assessment.model_lock import LOCK_FILE, LockedModel, ModelLock, lock_key, short_digest
from airunway.cli.options import LockPart
from airunway.live.image_registry import image_address
from airunway.live.image_registry import look_up as look_up_in_registry
from airunway.live.model_cache import ModelCache
from airunway.live.model_hub import look_up as look_up_on_hub
from airunway.live.registry_logins import RegistryLogins
from airunway.planning.entries import read_entries
from airunway.planning.used_images import used_images
from airunway.program.model_lock_file import lock_text, read_lock_file, write_lock_file
from airunway.program.stack_file import stack_names
from airunway.program.stack_plan import stack_settings, unlocked_plan
from airunway.spec.model import Source
from airunway.text.byte_sizes import byte_size
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.terminal import console, one_line

_CONCURRENT = 8
_GATED = "is gated: without HF_TOKEN of an account that accepted its terms, what it takes beside weights is unknown"
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class LockOptions:
    """What to lock: all, or one part; and what to ask for again, of models and images that are locked."""

    update: Sequence[str] = ()
    update_all: bool = False
    offline: bool = False
    only: LockPart | None = None


@dataclass(frozen=True)
class _Used:
    """What the stacks serve and pull; ``problems`` are those of stacks whose images can't be known."""

    models: Sequence[str]
    images: Sequence[str]
    problems: Sequence[Problem]


def lock_project(root: Path, options: LockOptions) -> bool:
    """Lock what stacks use and the lock lacks, and move what is to be updated; forget what no stack uses.

    Returns whether it is complete: without an image, all that was found is written. Raises ``InputError``; without a
    model, nothing is.
    """
    used = _used(root, options.only)
    _check_updates(options, used)
    before, lock = read_lock_file(root)
    models = lock.models if options.only is LockPart.IMAGES else _locked_models(lock, used.models, options)
    images, problems = (lock.images, []) if options.only is LockPart.MODELS else _locked_images(lock, used, options)
    _print([*_model_changes(lock.models, models), *_image_changes(lock.digests, images or {})])
    text = lock_text(before, models, images)
    out = console(stderr=True)
    if text != before:
        write_lock_file(root, text)
        out.print(f"Wrote {LOCK_FILE}.", soft_wrap=True)
    elif not problems:
        out.print(f"{LOCK_FILE} stays as it is.", soft_wrap=True)
    if problems:
        _print_problems(problems)
        out.print("The rest is locked; --only models locks no images.", soft_wrap=True)
    return not problems


def check_lock(root: Path, options: LockOptions) -> bool:
    """Print what the lock lacks, what has moved, and what can't be known; return whether there is any.

    Raises ``InputError``.
    """
    used = _used(root, options.only)
    _, lock = read_lock_file(root)
    changes: list[str] = []
    if options.only is not LockPart.IMAGES:
        changes += _model_changes(lock.models, dict(_looked_up_models(used.models, offline=options.offline)))
    problems: Sequence[Problem] = ()
    if options.only is not LockPart.MODELS:
        now, problems = _locked_images(lock, used, LockOptions(update_all=True, offline=options.offline))
        changes += _image_changes(lock.digests, now or {})
    _print(changes)
    if changes:
        console(stderr=True).print(
            "Run airunway lock, with --update NAME or --update-all for those that moved.", soft_wrap=True
        )
    _print_problems(problems)
    return bool(changes or problems)


def _used(root: Path, only: LockPart | None) -> _Used:
    models = [] if only is LockPart.IMAGES else served_models(root)
    images: set[str] = set()
    problems: list[Problem] = []
    for stack in [] if only is LockPart.MODELS else stack_names(root):
        try:
            images.update(used_images(unlocked_plan(root, stack)))
        except InputError as error:
            problems += [problem.under(f"stack {stack}") for problem in error.problems]
    return _Used(models, sorted(images), problems)


def served_models(root: Path) -> list[str]:
    """Return the keys of the models from Hugging Face that the project's stacks serve. Raises ``InputError``."""
    keys: set[str] = set()
    problems: list[Problem] = []
    for stack in stack_names(root):
        entries, found = read_entries(*stack_settings(root, stack))
        problems += [p.under(f"stack {stack}") for p in (*found, *(p for entry in entries for p in entry.problems))]
        models = [entry.spec.model for entry in entries if entry.spec]
        keys |= {lock_key(m.id, m.revision) for m in models if m.source is Source.HUGGINGFACE and m.id}
    if problems:
        raise InputError(problems)
    return sorted(keys)


def _check_updates(options: LockOptions, used: _Used) -> None:
    """Raise ``InputError`` for what is to be updated and can't be."""
    names = {*used.models, *used.images}
    problems = [
        Problem("--update", f"no stack uses '{name}'; {suggest_name(name, names)}")
        for name in options.update
        if name not in names
    ]
    if options.offline:
        asked = [name for name in options.update if name in used.images]
        problems += [
            Problem("--update", f"{name} is an image: leave out --offline to ask its registry") for name in asked
        ]
    if problems:
        raise InputError(problems)


def _locked_models(lock: ModelLock, used: Sequence[str], options: LockOptions) -> dict[str, LockedModel]:
    """The models to lock, as they are or as they are found now. Raises ``InputError``."""
    wanted = [key for key in used if key not in lock.models or key in options.update or options.update_all]
    found = dict(_looked_up_models(wanted, offline=options.offline))
    return {key: locked for key, locked in lock.models.items() if key in used} | found


def _locked_images(
    lock: ModelLock, used: _Used, options: LockOptions
) -> tuple[Mapping[str, str] | None, Sequence[Problem]]:
    """The digests to lock, as they are or as they are found now, and why others can't be had.

    None where neither the lock nor the stacks have images.
    """
    # What a stack that can't be planned uses is unknown, so nothing is forgotten.
    kept = {image: digest for image, digest in lock.digests.items() if image in used.images or used.problems}
    wanted = [i for i in used.images if i not in lock.digests or i in options.update or options.update_all]
    if options.offline:
        if missing := [image for image in used.images if image not in lock.digests]:
            note = f"note: --offline asks no registry, so these images stay without a digest: {', '.join(missing)}"
            console(stderr=True).print(note, markup=False, soft_wrap=True)
        return (None if lock.images is None else kept), used.problems
    found: dict[str, str] = {}
    problems = list(used.problems)
    try:
        found.update(_looked_up_images(wanted))
    except InputError as error:
        problems += error.problems
    images = kept | found
    return (images if images or lock.images is not None else None), problems


def _looked_up_models(keys: Sequence[str], *, offline: bool) -> Iterator[tuple[str, LockedModel]]:
    """Ask the hub, or the cache, for each model. Raises ``InputError`` with all problems."""
    look_up = ModelCache().look_up if offline and keys else look_up_on_hub
    for key, locked in _looked_up(keys, look_up):
        if locked.gated and locked.architecture is None:
            console(stderr=True).print(f"note: {key} {_GATED}", markup=False, soft_wrap=True)
        yield key, locked


def _looked_up_images(images: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Ask the registry of each image. Raises ``InputError`` with all problems, when all that is found is told."""
    logins = RegistryLogins()

    def look_up(image: str) -> str:
        return look_up_in_registry(image, logins.login(image_address(image).registry))

    yield from _looked_up(images, look_up)


def _looked_up(keys: Sequence[str], look_up: Callable[[str], _Found]) -> Iterator[tuple[str, _Found]]:
    """Look up several at a time. Raises ``InputError`` with all problems, when all that is found is told."""
    out = console(stderr=True)
    problems: list[Problem] = []
    with ThreadPoolExecutor(_CONCURRENT) as threads:
        answers = [(key, threads.submit(look_up, key)) for key in keys]
        for number, (key, answer) in enumerate(answers, 1):
            try:
                yield key, answer.result()
                out.print(f"{number} of {len(keys)}: {key}", markup=False, soft_wrap=True)
            except InputError as error:
                problems += error.problems
                out.print(f"{number} of {len(keys)}: {key} failed", markup=False, soft_wrap=True)
    if problems:
        raise InputError(problems)


def _model_changes(old: Mapping[str, LockedModel], new: Mapping[str, LockedModel]) -> Iterator[str]:
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if before is None and after is not None:
            facts = [byte_size(after.bytes), f"licence {after.license or 'unknown'}", *["gated"] * after.gated]
            yield f"{key}: new at {after.revision[:12]} ({', '.join(facts)})"
        elif after is None:
            yield f"{key}: no stack serves it"
        elif before is not None and before.revision != after.revision:
            change = byte_size(after.bytes - before.bytes, sign=True)
            yield f"{key}: moved from {before.revision[:12]} to {after.revision[:12]} ({change})"


def _image_changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for image in sorted({*old, *new}):
        if image not in old:
            yield f"{image}: new at {short_digest(new[image])}"
        elif image not in new:
            yield f"{image}: no stack uses it"
        elif old[image] != new[image]:
            yield f"{image}: moved from {short_digest(old[image])} to {short_digest(new[image])}"


def _print_problems(problems: Iterable[Problem]) -> None:
    for problem in problems:
        text = escape(one_line(str(problem)))
        console(stderr=True).print(f"[red]error:[/red] {text}", soft_wrap=True)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        console().print(line, markup=False, soft_wrap=True)
