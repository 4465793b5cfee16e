"""Reads a KAITO Workspace back into the spec fields of a deployment; the inverse of ``kaito.render``.

Anything that the fields can't express shows up as a difference when they are rendered again.
"""

import dataclasses
import re
from typing import Any
from urllib.parse import unquote

from pydantic import Field

from airunway.provider import aikit
from airunway.provider.live_object import LiveModel, read_as
from airunway.provider.live_pod import Container, PodTemplate
from airunway.provider.pod_reading import Object, UnreadableError, read_environment, read_pod, read_resources
from airunway.provider.storage_reading import read_mounts, read_storage
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import Engine, VolumePurpose
from airunway.text.merge import non_empty
from providers.kaito.presets import Token, find_preset

_CONTAINERS = "inference.template.spec.containers"


class LabelSelector(LiveModel):
    """The labels that nodes need."""

    match_labels: dict[str, str] = Field({})


class NodeSpec(LiveModel):
    """The labels of a Workspace's nodes."""

    label_selector: LabelSelector = LabelSelector()


class PresetOptions(LiveModel):
    """Options of a preset."""

    model_access_secret: str | None = None


class Preset(LiveModel):
    """A model that KAITO knows how to run."""

    name: str
    preset_options: PresetOptions = PresetOptions()


class Inference(LiveModel):
    """What a Workspace runs: one of the two."""

    preset: Preset | None = None
    template: PodTemplate = PodTemplate()


class Workspace(LiveModel):
    """What is read of a Workspace to say it as a deployment."""

    resource: NodeSpec = NodeSpec()
    inference: Inference | None = None


def read_fields(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The spec fields for the Workspace. Raises ``UnreadableError``."""
    workspace = read_as(Workspace, obj)
    inference = workspace.inference
    if inference is None:
        raise UnreadableError("inference: missing; a Workspace that tunes a model is not a deployment")
    labels = dict(workspace.resource.label_selector.match_labels)
    labels.pop("nvidia.com/gpu.present", None)
    if labels.get("kubernetes.io/os") == "linux":
        labels.pop("kubernetes.io/os")
    count = labels.pop("nvidia.com/gpu.count", "1")
    common = non_empty(nodeSelector=labels)
    preset = inference.preset
    if preset is not None:
        gpus = {"gpu": {"count": int(count) if _COUNT.fullmatch(count) else 1}}
        refused = find_preset(preset.name).token is Token.REFUSED
        secrets = non_empty(huggingFaceToken=None if refused else preset.preset_options.model_access_secret)
        return {
            "model": {"id": preset.name},
            "engine": {"type": "vllm"},
            "resources": gpus,
            **non_empty(secrets=secrets),
            **common,
        }
    template = inference.template
    containers = template.spec.containers
    if len(containers) != 1:
        raise UnreadableError(f"{_CONTAINERS}: must have exactly one container, not {len(containers)}")
    fields = _llamacpp(containers[0], config)
    return _with_storage(fields, template) | common | read_pod(template.metadata, template.spec)


def _with_storage(fields: dict[str, Any], template: PodTemplate) -> dict[str, Any]:
    """``fields`` with the volumes; the one that AIKit's runner keeps its model in is a modelCache."""
    folder, fetches = aikit.aikit_data()["models"], "source" not in fields["model"]
    volumes = [
        dataclasses.replace(volume, purpose=VolumePurpose.MODEL_CACHE) if fetches and volume.path == folder else volume
        for volume in read_mounts(template.spec.volumes, template.spec.containers[0].volume_mounts)
    ]
    storage, _ = read_storage(volumes, Engine.LLAMACPP, [])
    return fields | {"model": fields["model"] | non_empty(storage=storage)}


_COUNT = re.compile(r"[0-9]{1,9}")


def _llamacpp(container: Container, config: InferenceProviderConfig) -> dict[str, Any]:
    image, arguments = container.image or "", list(container.args)
    resources = read_resources(container.resources.limits, f"{_CONTAINERS}[0].resources.limits")
    model: dict[str, Any] = {"source": "custom"}
    first_argument = arguments[0] if arguments else ""
    file_url = re.fullmatch(r"https://huggingface\.co/(.+)/resolve/([^/]+)/(.+\.gguf)", first_argument)
    if first_argument.startswith("huggingface://"):
        model = {"id": first_argument.removeprefix("huggingface://")}
    elif file_url:
        model = {"id": unquote(file_url[1]), "gguf": {"file": unquote(file_url[3])}}
        model |= {} if file_url[2] == "main" else {"revision": unquote(file_url[2])}
    default_image = config.spec.images.get(aikit.runner_role(gpu="gpu" in resources))
    engine: dict[str, Any] = {"type": "llamacpp"}
    if model.get("source"):
        premade = next(
            (
                i
                for i in aikit.aikit_data()["premade"]
                if config.spec.images.get("premade", "").replace("{id}", i) == image
            ),
            None,
        )
        model, engine = ({"source": "aikit", "id": premade}, engine) if premade else (model, engine | {"image": image})
    else:
        arguments = arguments[1:]
        engine |= {} if image == default_image else {"image": image}
    extra_args = [a for a in arguments if a != f"--address=:{aikit.aikit_data()['port']}"]
    if extra_args and (length := re.fullmatch(r"--context-size=([0-9]{1,9})", extra_args[0])):
        engine["contextLength"] = int(length[1])
        extra_args = extra_args[1:]
    return {
        "model": model,
        "engine": engine | non_empty(extraArgs=extra_args),
        **non_empty(resources=resources),
        **read_environment(container.env),
    }
