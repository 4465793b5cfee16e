"""A KAITO Workspace read back into the fields of a deployment, as far as those say what it says.

The inverse of ``kaito.render``; what it leaves out shows when the result is rendered again.
"""

import re
from typing import Any
from urllib.parse import unquote

from pydantic import Field

from airunway.provider import aikit
from airunway.provider.live_object import LiveModel, read_as
from airunway.provider.live_pod import Container, PodTemplate
from airunway.provider.reading import Object, UnreadableError, environment_of, pod_of, resources_of
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.text.merge import given

_CONTAINERS = "inference.template.spec.containers"


class LabelSelector(LiveModel):
    """The labels that nodes need."""

    match_labels: dict[str, str] = Field({})


class NodeSpec(LiveModel):
    """How many nodes a Workspace wants, and which."""

    count: int = 1
    label_selector: LabelSelector = LabelSelector()


class PresetOptions(LiveModel):
    """What a preset is given."""

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


def read(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The fields of a deployment that say what the Workspace says. Raises ``UnreadableError``."""
    workspace = read_as(Workspace, obj)
    inference, resource = workspace.inference, workspace.resource
    if inference is None:
        raise UnreadableError("inference: is not there; a Workspace that tunes a model is not a deployment")
    labels = dict(resource.label_selector.match_labels)
    labels.pop("nvidia.com/gpu.present", None)
    if labels.get("kubernetes.io/os") == "linux":
        labels.pop("kubernetes.io/os")
    count = labels.pop("nvidia.com/gpu.count", "1")
    scaling = {"replicas": resource.count} if resource.count != 1 else {}
    common = given(nodeSelector=labels, scaling=scaling)
    preset = inference.preset
    if preset is not None:
        gpus = {"gpu": {"count": int(count) if _COUNT.fullmatch(count) else 1}}
        secrets = given(huggingFaceToken=preset.preset_options.model_access_secret)
        return {
            "model": {"id": preset.name},
            "engine": {"type": "vllm"},
            "resources": gpus,
            **given(secrets=secrets),
            **common,
        }
    template = inference.template
    containers = template.spec.containers
    if len(containers) != 1:
        raise UnreadableError(f"{_CONTAINERS}: {len(containers)} are there, a deployment has one")
    return _llamacpp(containers[0], config) | common | pod_of(template.metadata, template.spec)


_COUNT = re.compile(r"[0-9]{1,9}")


def _llamacpp(container: Container, config: InferenceProviderConfig) -> dict[str, Any]:
    image, arguments = container.image or "", list(container.args)
    resources = resources_of(container.resources.limits, f"{_CONTAINERS}[0].resources.limits")
    model: dict[str, Any] = {"source": "custom"}
    first = arguments[0] if arguments else ""
    single = re.fullmatch(r"https://huggingface\.co/(.+)/resolve/main/(.+\.gguf)", first)
    if first.startswith("huggingface://"):
        model = {"id": first.removeprefix("huggingface://")}
    elif single:
        model = {"id": unquote(single[1]), "gguf": {"file": unquote(single[2])}}
    own = config.spec.images["llamacppGpu" if "gpu" in resources else "llamacppCpu"]
    engine: dict[str, Any] = {"type": "llamacpp"}
    if model.get("source"):
        premade = next(
            (i for i in aikit.data()["premade"] if config.spec.images["premade"].replace("{id}", i) == image), None
        )
        model, engine = ({"source": "aikit", "id": premade}, engine) if premade else (model, engine | {"image": image})
    else:
        arguments = arguments[1:]
        engine |= {} if image == own else {"image": image}
    rest = [a for a in arguments if a != f"--address=:{aikit.data()['port']}"]
    if rest and (length := re.fullmatch(r"--context-size=([0-9]{1,9})", rest[0])):
        engine["contextLength"] = int(length[1])
        rest = rest[1:]
    return {
        "model": model,
        "engine": engine | given(extraArgs=rest),
        **given(resources=resources),
        **environment_of(container.env),
    }
