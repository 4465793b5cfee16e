"""`airunway lock`: the commits of the models that a project's stacks serve; imported only when it runs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from airunway.assessment.model_lock import LOCK_FILE, LockedModel, lock_key
from airunway.live.model_cache import ModelCache
from airunway.live.model_hub import look_up as look_up_on_hub
from airunway.planning.entries import read_entries
from airunway.program.model_lock_file import lock_text, read_lock_file, write_lock_file
from airunway.program.stack_file import stack_names
from airunway.program.stack_plan import stack_settings
from airunway.spec.model import Source
from airunway.text.byte_sizes import byte_size
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.terminal import console

_CONCURRENT = 8
_GATED = "is gated: without HF_TOKEN of an account that accepted its terms, what it takes beside weights is unknown"


def lock_models(root: Path, update: Sequence[str], *, update_all: bool, offline: bool) -> None:
    """Lock what stacks serve and the lock lacks, and move what ``update`` names; forget what no stack serves."""
    used = served_models(root)
    if unknown := [key for key in update if key not in used]:
        raise InputError(
            [Problem("--update", f"no stack serves '{key}'; {suggest_name(key, used)}") for key in unknown]
        )
    before, lock = read_lock_file(root)
    wanted = [key for key in used if key not in lock.models or key in update or update_all]
    found = dict(_looked_up(wanted, offline=offline))
    models = {key: locked for key, locked in lock.models.items() if key in used} | found
    _print(_changes(lock.models, models))
    text = lock_text(before, models)
    if text == before:
        console(stderr=True).print(
            f"{LOCK_FILE} has every model that stacks serve; nothing was written.", soft_wrap=True
        )
        return
    write_lock_file(root, text)
    console(stderr=True).print(f"Wrote {LOCK_FILE}.", soft_wrap=True)


def check_lock(root: Path, *, offline: bool) -> bool:
    """Print what the lock lacks, and what has moved upstream; return whether there is any."""
    used = served_models(root)
    _, lock = read_lock_file(root)
    changes = list(_changes(lock.models, dict(_looked_up(used, offline=offline))))
    _print(changes)
    if changes:
        console(stderr=True).print(
            "Run airunway lock, with --update MODEL or --update-all for those that moved.", soft_wrap=True
        )
    return bool(changes)


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


def _looked_up(keys: Sequence[str], *, offline: bool) -> Iterator[tuple[str, LockedModel]]:
    """Ask the hub, or the cache, for each model, several at a time. Raises ``InputError`` with all problems."""
    if not keys:
        return
    look_up = ModelCache().look_up if offline else look_up_on_hub
    out = console(stderr=True)
    problems: list[Problem] = []
    with ThreadPoolExecutor(_CONCURRENT) as threads:
        answers = [(key, threads.submit(look_up, key)) for key in keys]
        for number, (key, answer) in enumerate(answers, 1):
            try:
                locked = answer.result()
                yield key, locked
                if locked.gated and locked.architecture is None:
                    out.print(f"note: {key} {_GATED}", markup=False, soft_wrap=True)
                out.print(f"{number} of {len(keys)}: {key}", markup=False, soft_wrap=True)
            except InputError as error:
                problems += error.problems
    if problems:
        raise InputError(problems)


def _changes(old: Mapping[str, LockedModel], new: Mapping[str, LockedModel]) -> Iterator[str]:
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


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        console().print(line, markup=False, soft_wrap=True)
