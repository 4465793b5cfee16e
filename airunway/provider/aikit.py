"""GGUF models by AIKit: which image runs one, and with which arguments."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airunway.spec.model import ModelDeploymentSpec, Source
from airunway.text.problems import Problem, nearest
from airunway.text.yaml_reading import load_data


def data() -> dict[str, Any]:
    """Port and pre-made models, from ``aikit.yaml``."""
    return load_data(Path(__file__).with_suffix(".yaml"))


def image(spec: ModelDeploymentSpec, images: Mapping[str, str]) -> str | None:
    """The image that serves ``spec`` with llama.cpp: asked for, pre-made, or a runner. None for a custom source without
    one.

    ``images`` are the provider's, by role: ``llamacppCpu``, ``llamacppGpu`` and ``premade``.
    """
    if spec.container_image:
        return spec.container_image
    if spec.model.source is Source.AIKIT:
        return images["premade"].replace("{id}", str(spec.model.id))
    if spec.model.source is Source.CUSTOM:
        return None
    return images["llamacppGpu" if spec.gpu_count else "llamacppCpu"]


def model_arguments(spec: ModelDeploymentSpec) -> list[str]:
    """What tells a runner image which model to fetch; nothing where the image holds the model.

    A runner takes a repository as ``huggingface://ID`` and fetches every GGUF file of it; a single file it takes only
    as an address (kaito-project/aikit, pkg/aikit2llb/inference/runner.go).
    """
    if spec.model.source is not Source.HUGGINGFACE or (spec.model.gguf and spec.model.gguf.build):
        return []
    if spec.model.gguf and spec.model.gguf.file:
        return [f"https://huggingface.co/{quote(str(spec.model.id))}/resolve/main/{quote(spec.model.gguf.file)}"]
    return [f"huggingface://{spec.model.id}"]


def served_name(spec: ModelDeploymentSpec) -> str | None:
    """The name that the image gives the model, where it can be told: AIKit does not let it be chosen."""
    if spec.model.source is Source.AIKIT:
        return str(data()["premade"].get(spec.model.id, "")) or None
    if spec.model.gguf and spec.model.gguf.file:
        # A built image keeps the ending (pkg/build/args.go), a runner drops it.
        name = spec.model.gguf.file.rsplit("/", 1)[-1]
        return name if spec.model.gguf.build else name.removesuffix(".gguf")
    return None


def problems_of(spec: ModelDeploymentSpec) -> list[Problem]:
    """What is wrong with a pre-made model's name."""
    known = data()["premade"]
    if spec.model.source is Source.AIKIT and spec.model.id is not None and spec.model.id not in known:
        return [Problem("model.id", f"no pre-made AIKit model '{spec.model.id}'; {nearest(spec.model.id, known)}")]
    return []
