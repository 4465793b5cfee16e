"""A Deployment of vLLM read back into the fields of a deployment, as far as those say what it says.

The inverse of ``vllm.render``; what it leaves out shows when the result is rendered again.
"""

from typing import Any

from pydantic import Field

from airunway.provider.engine_args_reading import read_words
from airunway.provider.labels import GROUP
from airunway.provider.live_object import LiveModel, read_as
from airunway.provider.live_pod import Container, Placement, TemplateMetadata
from airunway.provider.reading import Object, UnreadableError, environment_of, pod_of, resources_of
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import Engine, Source
from airunway.text.merge import given
from providers.vllm.arguments import SERVED, sizes, tensor_parallel

COMMAND = ("vllm", "serve")
"""What a container runs, whatever the entry point of its image is."""

_CONTAINERS = "spec.template.spec.containers"


class ServingContainer(Container):
    """A container with the command that it runs."""

    command: list[str] = Field([])


class ServingPodSpec(Placement):
    """What a pod runs, and where."""

    containers: list[ServingContainer] = Field([])


class ServingTemplate(LiveModel):
    """What the pods are made from."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: ServingPodSpec = ServingPodSpec()


class ServingSpec(LiveModel):
    """What a Deployment runs."""

    replicas: int = 1
    template: ServingTemplate = ServingTemplate()


class ServingDeployment(LiveModel):
    """What is read of a Deployment to say it as a deployment of a model."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: ServingSpec = ServingSpec()


def read(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The fields of a deployment that say what the Deployment says. Raises ``UnreadableError``."""
    live = read_as(ServingDeployment, obj)
    template, containers = live.spec.template, live.spec.template.spec.containers
    if len(containers) != 1:
        raise UnreadableError(f"{_CONTAINERS}: {len(containers)} are there, a deployment has one")
    (container,) = containers
    if tuple(container.command) != COMMAND:
        raise UnreadableError(f"{_CONTAINERS}[0].command: is not {' '.join(COMMAND)}")
    resources = resources_of(container.resources.limits, f"{_CONTAINERS}[0].resources.limits")
    settings = _arguments(container.args, resources.get("gpu", {}).get("count", 0))
    custom = live.metadata.labels.get(f"{GROUP}/model-source") == Source.CUSTOM
    own = {key: label for key, label in template.metadata.labels.items() if key != f"{GROUP}/provider"}
    metadata = template.metadata.model_copy(update={"labels": own})
    image = {} if container.image == config.spec.images.get(Engine.VLLM) else given(image=container.image)
    return {
        "model": settings["model"] | ({"source": str(Source.CUSTOM)} if custom else {}),
        "engine": {"type": str(Engine.VLLM), **settings["engine"], **image},
        "resources": resources,
        **given(scaling={"replicas": live.spec.replicas} if live.spec.replicas != 1 else {}),
        **environment_of(container.env),
        **pod_of(metadata, template.spec),
    }


def _arguments(words: list[str], gpus: int) -> dict[str, Any]:
    """Sections of a command line that begins with the model."""
    if not words or words[0].startswith("-"):
        raise UnreadableError(f"{_CONTAINERS}[0].args: do not begin with a model")
    return read_words(Engine.VLLM, ["--model", *words], tensor_parallel(gpus, sizes({}, words)), SERVED)
