"""Checks of the model: its id, its revision and its GGUF file."""

import re
from collections.abc import Iterator

from airunway.spec.model import Engine, ModelDeploymentSpec, Source
from airunway.text.problems import Problem, format_value

_ID = re.compile(r"[A-Za-z0-9/][A-Za-z0-9._/:@-]*")
_HUB = re.compile(r"(?:(?:huggingface|hf)://|(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/)(?:models/)?")
"""What an address of a Hugging Face repository has in front of its id."""
_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_QUANTISATION = re.compile(r":[A-Za-z0-9][A-Za-z0-9_.-]*$")
"""How vLLM is told which GGUF file of a repository to load; a repository's id has no colon."""
_STORE = re.compile(r"(s3|gs|az)://")
"""Object stores that an engine streams weights from."""
_PART = re.compile(r"-([0-9]+)-of-([0-9]+)\.gguf$")


def model_problems(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    """Problems with the section ``model``."""
    model = spec.model
    if model.source is not Source.CUSTOM and model.id is None:
        yield Problem("model.id", f"required when model.source is {model.source}")
    if model.id is not None:
        yield from _id_problems(model.id, model.source)
    if model.revision is not None and model.source is not Source.HUGGINGFACE:
        yield Problem(
            "model.revision", f"only for source huggingface; with source {model.source} the image holds the model"
        )
    if model.gguf and model.gguf.file is not None:
        message = gguf_file_problem(model.gguf.file)
        if message:
            yield Problem("model.gguf.file", f"{format_value(model.gguf.file)} given, {message}")
    yield from _gguf_problems(spec)


def _id_problems(model_id: str, source: Source) -> Iterator[Problem]:
    stated = f"{format_value(model_id)} given"
    if not _ID.fullmatch(model_id):
        yield Problem("model.id", f"{stated}; letters, digits and . _ / : @ - are valid, as in Qwen/Qwen3-0.6B")
        return
    if source is not Source.HUGGINGFACE or model_id.startswith("/") or _STORE.match(model_id):
        return
    bare = _HUB.sub("", model_id, count=1)
    if bare != model_id:
        parts = "/".join(bare.strip("/").split("/")[:2]).partition("@")[0].partition(":")[0]
        hint = f"; write {parts}" if _HUB_ID.fullmatch(parts) else ""
        yield Problem("model.id", f"{stated}, must be an id without scheme and host{hint}")
    elif "://" in model_id:
        yield Problem("model.id", f"{stated}, must be an id such as Qwen/Qwen3-0.6B; an image belongs into image")
    elif "/" in model_id and not _HUB_ID.fullmatch(_QUANTISATION.sub("", model_id)):
        yield Problem("model.id", f"{stated}, {_expected_id(model_id)}")


def _expected_id(model_id: str) -> str:
    name, _, revision = model_id.partition("@")
    if revision and _HUB_ID.fullmatch(name):
        return f"must be OWNER/NAME; write {name}, and model.revision: {revision}"
    return "must be OWNER/NAME as on Hugging Face, or an absolute path in the container"


def gguf_file_problem(file: str) -> str | None:
    """What is wrong with the path of a GGUF file in its repository; None if nothing is."""
    if "://" in file:
        return "must be a path inside the repository of model.id, not an address"
    if re.search(r"[*?\[\]]", file):
        return "must be the name of one file, without * ? [ ]"
    if "\\" in file or any(part in ("", ".", "..") for part in file.split("/")):
        return "must be a path inside the repository, such as folder/model.gguf"
    if not file.lower().endswith(".gguf"):
        return "must be a file name that ends in .gguf"
    if not file.endswith(".gguf") or file.rpartition("/")[2] == ".gguf":
        return "must be a file name that ends in .gguf in lower case, as the container looks for *.gguf"
    part = _PART.search(file)
    if part and int(part[2]) > 1:
        return f"which is one of {int(part[2])} parts, and only one file is fetched; take a file that is whole"
    return None


def _gguf_problems(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    gguf = spec.model.gguf
    if gguf is None:
        return
    if spec.model.source is not Source.HUGGINGFACE:
        yield Problem(
            "model.gguf", f"only for source huggingface; with source {spec.model.source} the image holds the model"
        )
    if not gguf.build:
        return
    if gguf.file is None:
        yield Problem("model.gguf.file", "required when model.gguf.build is true")
    if spec.engine.type not in (None, Engine.LLAMACPP):
        yield Problem(
            "model.gguf.build", f"an image is built for engine llamacpp, but engine.type is {spec.engine.type}"
        )
    if spec.container_image:
        yield Problem(
            "engine.image" if spec.engine.image else "image", "model.gguf.build builds the image; give one of the two"
        )
