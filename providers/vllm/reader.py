"""Reads a Deployment of vLLM back into the spec fields of a deployment; the inverse of ``vllm.render``.

Anything that the fields can't express shows up as a difference when they are rendered again.
"""

from typing import Any

from pydantic import Field

from airunway.provider.engine_args_reading import read_arguments
from airunway.provider.labels import GROUP
from airunway.provider.live_object import LiveModel, read_as
from airunway.provider.live_pod import Container, Placement, PodVolume, TemplateMetadata
from airunway.provider.pod_reading import Object, UnreadableError, read_environment, read_pod, read_resources
from airunway.provider.storage_reading import read_mounts, read_storage
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import Engine, Source
from airunway.text.merge import non_empty
from providers.vllm import cache
from providers.vllm.arguments import PORT_FLAG

COMMAND = ("vllm", "serve")
"""The command of the container, whatever the entry point of its image."""

_CONTAINERS = "spec.template.spec.containers"


class ServingContainer(Container):
    """A container with its command."""

    command: list[str] = Field([])


class ServingPodSpec(Placement):
    """The spec of a pod."""

    containers: list[ServingContainer] = Field([])
    volumes: list[PodVolume] = Field([])


class ServingTemplate(LiveModel):
    """The template of the pods."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: ServingPodSpec = ServingPodSpec()


class ServingSpec(LiveModel):
    """The spec of a Deployment."""

    replicas: int = 1
    template: ServingTemplate = ServingTemplate()


class ServingMetadata(TemplateMetadata):
    """The metadata of a Deployment."""

    name: str = ""


class ServingDeployment(LiveModel):
    """The fields of a Deployment that describe the model deployment."""

    metadata: ServingMetadata = ServingMetadata()
    spec: ServingSpec = ServingSpec()


def read_fields(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The spec fields for the Deployment. Raises ``UnreadableError``."""
    live = read_as(ServingDeployment, obj)
    template, containers = live.spec.template, live.spec.template.spec.containers
    if len(containers) != 1:
        raise UnreadableError(f"{_CONTAINERS}: must have exactly one container, not {len(containers)}")
    (container,) = containers
    if tuple(container.command) != COMMAND:
        raise UnreadableError(f"{_CONTAINERS}[0].command: must be {' '.join(COMMAND)}")
    resources = read_resources(container.resources.limits, f"{_CONTAINERS}[0].resources.limits")
    settings = _arguments(container.args, resources.get("gpu", {}).get("count", 0))
    custom = live.metadata.labels.get(f"{GROUP}/model-source") == Source.CUSTOM
    labels = {key: label for key, label in template.metadata.labels.items() if key != f"{GROUP}/provider"}
    metadata = template.metadata.model_copy(update={"labels": labels})
    environment = read_environment(container.env)
    mounted = read_mounts([v for v in template.spec.volumes if not _is_own(v, live, config)], container.volume_mounts)
    storage, env = read_storage(mounted, Engine.VLLM, environment.pop("env", []))
    image = {} if container.image == config.spec.images.get(Engine.VLLM) else non_empty(image=container.image)
    return {
        "model": settings["model"] | ({"source": str(Source.CUSTOM)} if custom else {}) | non_empty(storage=storage),
        "engine": {"type": str(Engine.VLLM), **settings["engine"], **image},
        "resources": resources,
        **non_empty(scaling={"replicas": live.spec.replicas} if live.spec.replicas != 1 else {}),
        **environment,
        **non_empty(env=env),
        **read_pod(metadata, template.spec),
    }


def _is_own(volume: PodVolume, live: ServingDeployment, config: InferenceProviderConfig) -> bool:
    """Whether a volume is the one that the provider's defaults ask for."""
    claim = volume.persistent_volume_claim
    own = claim is not None and claim.claim_name == cache.default_claim(live.metadata.name)
    return own and volume.name == cache.VOLUME and bool(config.spec.defaults.get("cacheStorage"))


def _arguments(arguments: list[str], gpus: int) -> dict[str, Any]:
    """The spec sections for a command line that begins with the model."""
    if not arguments or arguments[0].startswith("-"):
        raise UnreadableError(f"{_CONTAINERS}[0].args: must begin with a model")
    return read_arguments(Engine.VLLM, ["--model", *arguments], gpus, PORT_FLAG)
