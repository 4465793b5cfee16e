"""The models that a new deployment may begin with: what is known of each, and what the form is filled in with."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from airunway.assessment.fit import weight_bytes
from airunway.assessment.model_lock import LockedFile, LockedModel, ModelLock, lock_key, parts_of
from airunway.planning.entries import Entry
from airunway.program.new_project import FirstModel
from airunway.provider.aikit import aikit_data
from airunway.spec.model import Source
from airunway.spec.model_checks import gguf_file_problem
from airunway.text.byte_sizes import byte_size

if TYPE_CHECKING:  # it needs optional packages
    from airunway.live.model_search import FoundModel

_PROJECTOR = "mmproj"
"""How files that hold no model, but what reads pictures for one, begin (llama.cpp, docs/multimodal.md)."""
_ON_HUB = re.compile(r"[\w.-]+/[\w.-]+(@.+)?")
_UNITS = ((1e12, "T", 1), (1e9, "B", 1), (1e6, "M", 0))


@dataclass(frozen=True)
class ModelChoice:
    """A model to choose: ``path`` is that of the page that comes next, below that of the new deployment.

    Without a path, the model's ``id`` has to be looked up first. ``facts`` are in words. What is copied is called
    ``STACK/NAME``.
    """

    id: str
    facts: tuple[str, ...]
    path: str = ""
    is_gated: bool = False


def locked_choices(lock: ModelLock | None, taken: Collection[str]) -> list[ModelChoice]:
    """The models of the lock. ``taken`` are names of the stack's deployments."""
    models: Mapping[str, LockedModel] = lock.models if lock else {}
    return [
        ModelChoice(key, tuple(model_facts(locked)), next_path(key, locked, taken), locked.gated)
        for key, locked in sorted(models.items(), key=lambda item: item[0].lower())
    ]


def premade_choices(taken: Collection[str]) -> Iterator[ModelChoice]:
    """The models that images of AIKit bring."""
    for model, name in aikit_data()["premade"].items():
        values = {"name": free_name(name, taken), "model.source": Source.AIKIT.value, "model.id": model}
        yield ModelChoice(model, (), form_path(values))


def copied_choices(stack: str, entries: Iterable[Entry]) -> Iterator[ModelChoice]:
    """The deployments of a stack, to begin with all that is said of one."""
    for entry in entries:
        if entry.spec is not None and entry.name is not None:
            path = f"form?{urlencode({'copy': f'{stack}/{entry.name}'})}"
            yield ModelChoice(f"{stack}/{entry.name}", (entry.spec.model.id or "the model of its image",), path)


def found_choices(found: "Iterable[FoundModel]") -> Iterator[ModelChoice]:
    """The models that a search of the hub has found."""
    for model in found:
        facts = [
            f"{counted(model.weights)} parameters" if model.weights else "",
            "GGUF" if model.is_gguf else "",
            model.license or "licence unknown",
            f"context {model.context:,}" if model.context else "",
            f"{counted(model.downloads)} downloads a month" if model.downloads else "",
        ]
        yield ModelChoice(model.id, tuple(filter(None, facts)), is_gated=bool(model.gated))


def model_facts(locked: LockedModel) -> Iterator[str]:
    """What is known of a model, in words."""
    if locked.weights:
        yield f"{counted(sum(locked.weights.values()))} parameters"
    if size := weight_bytes(locked):
        yield f"{byte_size(size)} of weights"
    elif files := list(gguf_files(locked)):
        yield f"{len(files)} GGUF file{'s' * (len(files) > 1)}"
    yield locked.license or "licence unknown"
    if locked.architecture and locked.architecture.context:
        yield f"context {locked.architecture.context:,}"


def gguf_files(locked: LockedModel) -> Iterator[LockedFile]:
    """The GGUF files that hold a whole model, the smallest first."""
    files = (f for f in locked.files if f.path.endswith(".gguf") and gguf_file_problem(f.path) is None)
    whole = (f for f in files if not PurePosixPath(f.path).name.startswith(_PROJECTOR))
    yield from sorted(whole, key=lambda file: (file.bytes, file.path))


def is_gguf(locked: LockedModel) -> bool:
    """Whether a model consists of GGUF files alone."""
    paths = [file.path for file in locked.files]
    return any(path.endswith(".gguf") for path in paths) and not any(path.endswith(".safetensors") for path in paths)


def next_path(key: str, locked: LockedModel | None, taken: Collection[str]) -> str:
    """The page that follows on the choice of a model: which of its GGUF files, or the form."""
    if locked is not None and is_gguf(locked):
        return f"files?{urlencode({'model': key})}"
    return form_path(model_values(key, taken) | {"resources.gpu.count": "1"})


def file_path(key: str, file: str | None, taken: Collection[str]) -> str:
    """The form for a GGUF file of a model; for all of its files without one."""
    return form_path(model_values(key, taken) | ({"model.gguf.file": file} if file else {"engine.type": "llamacpp"}))


def model_values(key: str, taken: Collection[str]) -> dict[str, str]:
    """The form's values for a model of Hugging Face."""
    model_id, revision = parts_of(key)
    values = {"name": free_name(model_id, taken), "model.id": model_id}
    return values | ({} if key == model_id else {"model.revision": revision})


def form_path(values: Mapping[str, str]) -> str:
    """The address of the form that is filled in with values."""
    return f"form?{urlencode(values)}"


def typed_key(form: Mapping[str, str]) -> str | None:
    """The key in the lock of the model that a form names; None if it names none of Hugging Face's."""
    model_id, source = form.get("model.id", "").strip(), form.get("model.source") or Source.HUGGINGFACE
    if not model_id or source != Source.HUGGINGFACE:
        return None
    return lock_key(model_id, form.get("model.revision", "").strip() or None)


def is_on_hub(key: str) -> bool:
    """Whether a key of the lock looks like that of a model on the hub, and no path or address."""
    return _ON_HUB.fullmatch(key) is not None


def free_name(text: str, taken: Collection[str]) -> str:
    """A name for the deployment of a model that no other one has."""
    name = FirstModel(text).name
    numbered = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
    return next(candidate for candidate in numbered if candidate not in taken)


def counted(number: int) -> str:
    """A large number in short: ``8.2 B``."""
    for size, unit, digits in _UNITS:
        if number >= size * 0.9995:
            return f"{number / size:,.{digits}f} {unit}"
    return f"{number:,}"
