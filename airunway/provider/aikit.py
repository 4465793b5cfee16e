"""GGUF models served by AIKit: the image to run and its arguments."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airunway.provider.image_references import image_of_role
from airunway.spec.model import ModelDeploymentSpec, Source
from airunway.text.problems import Problem, suggest_name
from airunway.text.yaml_reading import load_data


def aikit_data() -> dict[str, Any]:
    """Port and pre-made models, from ``aikit.yaml``."""
    return load_data(Path(__file__).with_suffix(".yaml"))


def select_image(spec: ModelDeploymentSpec, images: Mapping[str, str]) -> str | None:
    """The image that serves ``spec`` with llama.cpp: the spec's, a pre-made one, or a runner image.

    None for a custom source that names no image. ``images`` are the provider's images by role: ``llamacppCpu``,
    ``llamacppGpu`` and ``premade``. Raises ``InputError`` if there is no image for the role.
    """
    if spec.container_image:
        return spec.container_image
    if spec.model.source is Source.CUSTOM:
        return None
    return image_of_role(images, image_role(spec)).replace("{id}", str(spec.model.id))


def image_role(spec: ModelDeploymentSpec) -> str:
    """The role of the provider's image that serves ``spec`` with llama.cpp."""
    return "premade" if spec.model.source is Source.AIKIT else runner_role(gpu=bool(spec.gpu_count))


def runner_role(*, gpu: bool) -> str:
    """The role of the provider's image that fetches a model when it starts."""
    return "llamacppGpu" if gpu else "llamacppCpu"


def model_arguments(spec: ModelDeploymentSpec) -> list[str]:
    """Arguments that tell a runner image which model to fetch; empty if the image contains the model.

    A runner accepts a repository as ``huggingface://ID`` and fetches all its GGUF files; it accepts a single file only
    as a URL (kaito-project/aikit, pkg/aikit2llb/inference/runner.go).
    """
    if spec.model.source is not Source.HUGGINGFACE or (spec.model.gguf and spec.model.gguf.build):
        return []
    if spec.model.gguf and spec.model.gguf.file:
        return [file_url(str(spec.model.id), spec.model.gguf.file, spec.model.revision)]
    return [f"huggingface://{spec.model.id}"]


def file_url(model_id: str, file: str, revision: str | None = None) -> str:
    """The address of one file of a Hugging Face repository, of its branch main unless there is a ``revision``."""
    return f"https://huggingface.co/{quote(model_id)}/resolve/{quote(revision or 'main', safe='')}/{quote(file)}"


def served_name(spec: ModelDeploymentSpec) -> str | None:
    """The name under which the image serves the model, if it can be derived; AIKit doesn't let users choose it."""
    if spec.model.source is Source.AIKIT:
        return str(aikit_data()["premade"].get(spec.model.id, "")) or None
    if spec.model.gguf and spec.model.gguf.file:
        # A built image keeps the file extension (pkg/build/args.go), a runner drops it.
        name = spec.model.gguf.file.rsplit("/", 1)[-1]
        return name if spec.model.gguf.build else name.removesuffix(".gguf")
    return None


def takes_revision(spec: ModelDeploymentSpec) -> bool:
    """Whether a container can fetch the model at a revision: one file, by its address."""
    return spec.model.gguf is not None and spec.model.gguf.file is not None


def model_id_problems(spec: ModelDeploymentSpec) -> list[Problem]:
    """Problems if a container can't fetch the model: no such pre-made one, another store, a revision of all files."""
    premade = aikit_data()["premade"]
    if spec.model.source is Source.AIKIT and spec.model.id is not None and spec.model.id not in premade:
        return [
            Problem("model.id", f"no pre-made AIKit model '{spec.model.id}'; {suggest_name(spec.model.id, premade)}")
        ]
    if spec.model.source is not Source.HUGGINGFACE:
        return []
    problems = []
    if "://" in str(spec.model.id):
        problems.append(Problem("model.id", f"'{spec.model.id}' given, but llama.cpp fetches only from Hugging Face"))
    name, colon, quantisation = str(spec.model.id).partition(":")
    if colon and "/" in name and not problems:
        hint = f"write {name}, and the file of {quantisation} as model.gguf.file"
        problems.append(
            Problem("model.id", f"'{spec.model.id}' given, but llama.cpp takes no quantisation here; {hint}")
        )
    if spec.model.revision and not takes_revision(spec):
        problems.append(
            Problem("model.revision", "llama.cpp takes a revision for one file only; name it in model.gguf.file")
        )
    return problems


def context_problems(spec: ModelDeploymentSpec) -> list[Problem]:
    """Problems with flags that set the context's length beside ``engine.contextLength``, in whatever spelling."""
    if spec.engine.context_length is None:
        return []
    written = [(f"engine.args.{name}", name) for name in spec.engine.args if name != "context-size"]
    written += [
        (f"engine.extraArgs[{index}]", argument[2:].partition("=")[0])
        for index, argument in enumerate(spec.engine.extra_args)
        if argument.startswith("--")
    ]
    return [
        Problem(field, "engine.contextLength sets --context-size already; give it once")
        for field, name in written
        if name.replace("_", "-") == "context-size"
    ]
