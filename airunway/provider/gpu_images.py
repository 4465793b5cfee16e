"""Images for GPUs: those of the built-in documents are built for NVIDIA's."""

from collections.abc import Iterator

from airunway.provider.aikit import image_role
from airunway.provider.contract import Provider
from airunway.provider.image_references import without_digest
from airunway.provider.request import Request
from airunway.spec.model import Engine, ModelDeploymentSpec, Source
from airunway.text.problems import Problem
from airunway.text.yaml_reading import load_data

_NVIDIA = "nvidia.com/"


def gpu_image_problems(provider: Provider, request: Request) -> Iterator[Problem]:
    """A problem for each GPU type of another maker whose image would be a built-in one, which is built for CUDA."""
    spec = request.spec
    foreign = [(field, gpu_type) for field, gpu_type in _gpu_types(spec) if not gpu_type.startswith(_NVIDIA)]
    if not foreign or spec.container_image or spec.model.source is Source.CUSTOM:
        return
    engine = request.selection.engine
    role = image_role(spec) if engine is Engine.LLAMACPP else str(engine)
    image = request.built_image or request.config.spec.images.get(role)
    builtin = load_data(provider.FOLDER / "config.yaml")["spec"].get("images", {}).get(role)
    if image is None or without_digest(image) not in (without_digest(builtin or ""), request.built_image):
        return
    for field, gpu_type in foreign:
        hint = f"name an image for {gpu_type} in engine.image"
        if request.built_image:
            hint = f"leave out model.gguf.build and {hint}"
        else:
            hint += f", or in airunway:providers.{provider.NAME}.spec.images.{role}"
        built_for = f"{image.replace('{id}', str(spec.model.id))} is built for CUDA"
        yield Problem(field, f"{gpu_type} given, but {built_for}; {hint}")


def _gpu_types(spec: ModelDeploymentSpec) -> Iterator[tuple[str, str]]:
    parts = [
        ("resources", spec.resources.gpu),
        ("scaling.prefill", spec.scaling.prefill and spec.scaling.prefill.gpu),
        ("scaling.decode", spec.scaling.decode and spec.scaling.decode.gpu),
    ]
    for section, gpu in parts:
        if gpu and gpu.count:
            yield f"{section}.gpu.type", gpu.type
