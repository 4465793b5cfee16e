"""A DynamoGraphDeployment read back into the fields of a deployment, as far as those say what it says.

The inverse of ``dynamo.render``; what it leaves out shows when the result is rendered again.
"""

from typing import Any

from pydantic import Field

from airunway.provider.engine_args_reading import read_words
from airunway.provider.live_object import LiveModel, Quantity, Whole, read_as
from airunway.provider.live_pod import Container, EnvVar, Placement, TemplateMetadata
from airunway.provider.reading import Object, UnreadableError, environment_of, gpu_of, pod_of
from airunway.provider.workers import ALIKE
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import GPU_RESOURCE, Engine
from airunway.text.merge import given
from providers.dynamo.render import SERVICE, disaggregation


class Limits(LiveModel):
    """The most that a service's pods take."""

    cpu: Quantity | None = None
    memory: Quantity | None = None
    gpu: Whole = 0
    gpu_type: str | None = None


class Resources(LiveModel):
    """What a service's pods ask for."""

    limits: Limits = Limits()


class ExtraPodSpec(Placement):
    """What a service adds to its pods."""

    main_container: Container = Container()


class Service(LiveModel):
    """One service of a graph."""

    replicas: int = 1
    resources: Resources = Resources()
    envs: list[EnvVar] = Field([])
    env_from_secret: str | None = None
    extra_pod_metadata: TemplateMetadata = TemplateMetadata()
    extra_pod_spec: ExtraPodSpec = ExtraPodSpec()


class GraphSpec(LiveModel):
    """What a graph runs."""

    backend_framework: str = ""
    services: dict[str, Service] = Field({})


class Graph(LiveModel):
    """What is read of a graph to say it as a deployment."""

    spec: GraphSpec = GraphSpec()


def read(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The fields of a deployment that say what the graph says. Raises ``UnreadableError``."""
    spec = read_as(Graph, obj).spec
    engine, parts = _workers(spec)
    role = ALIKE if ALIKE in parts else "decode"
    sample = parts[role]
    main = sample.extra_pod_spec.main_container
    limits = sample.resources.limits
    settings = read_words(engine, main.args, limits.gpu, *disaggregation(engine, role))
    image = {} if main.image == config.spec.images.get(engine) else given(image=main.image)
    found = {
        "model": settings["model"],
        "engine": {"type": str(engine), **settings["engine"], **image},
        **environment_of(sample.envs),
        **given(secrets=given(huggingFaceToken=sample.env_from_secret)),
        **pod_of(sample.extra_pod_metadata, sample.extra_pod_spec),
    }
    if role == ALIKE:
        amounts = {"gpu": _gpu(limits), **given(cpu=limits.cpu, memory=limits.memory)}
        return (
            found
            | {"resources": amounts}
            | given(scaling={"replicas": sample.replicas} if sample.replicas != 1 else {})
        )
    scaling = {
        role: {"replicas": service.replicas, **_part(service.resources.limits)} for role, service in parts.items()
    }
    return found | {"serving": {"mode": "disaggregated"}, "scaling": scaling} | given(resources=given(cpu=limits.cpu))


def _workers(spec: GraphSpec) -> tuple[Engine, dict[str, Service]]:
    """The engine, and the services of a graph's workers by their roles; ``ALIKE`` in an aggregated deployment."""
    engine, prefix = next(
        ((engine, name) for engine, name in SERVICE.items() if engine == spec.backend_framework), (Engine.VLLM, "")
    )
    if not prefix or "Frontend" not in spec.services:
        raise UnreadableError("spec: a Frontend and a backendFramework of vllm, sglang or trtllm are wanted")
    services = {name: service for name, service in spec.services.items() if name != "Frontend"}
    wanted = {f"{prefix}Worker"}, {f"{prefix}PrefillWorker", f"{prefix}DecodeWorker"}
    if set(services) not in wanted:
        names = " or ".join(", ".join(sorted(w)) for w in wanted)
        raise UnreadableError(
            f"spec.services: has {', '.join(sorted(services)) or 'no workers'}, a deployment's workers are called"
            f" {names}"
        )
    return engine, {
        name.removeprefix(prefix).removesuffix("Worker").lower(): service for name, service in services.items()
    }


def _part(limits: Limits) -> dict[str, Any]:
    return {"gpu": _gpu(limits), **given(memory=limits.memory)}


def _gpu(limits: Limits) -> dict[str, Any]:
    return gpu_of(limits.gpu, limits.gpu_type or GPU_RESOURCE)
