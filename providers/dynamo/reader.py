"""Reads a DynamoGraphDeployment back into the spec fields of a deployment; the inverse of ``dynamo.render``.

Anything that the fields can't express shows up as a difference when they are rendered again.
"""

from typing import Any

from pydantic import Field

from airunway.provider.engine_args_reading import read_arguments
from airunway.provider.live_object import LiveModel, Quantity, WholeNumber, read_as
from airunway.provider.live_pod import Container, EnvVar, Placement, TemplateMetadata
from airunway.provider.pod_reading import Object, UnreadableError, gpu_fields, read_environment, read_pod
from airunway.provider.workers import ANY_ROLE
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import GPU_RESOURCE, Engine
from airunway.text.merge import non_empty
from providers.dynamo.render import NAME, SERVICE, disaggregation_flags


class Limits(LiveModel):
    """Resource limits of a service's pods."""

    cpu: Quantity | None = None
    memory: Quantity | None = None
    gpu: WholeNumber = 0
    gpu_type: str | None = None


class Resources(LiveModel):
    """Resources of a service's pods."""

    limits: Limits = Limits()


class ExtraPodSpec(Placement):
    """Additions to a service's pods."""

    main_container: Container = Container()


class Multinode(LiveModel):
    """The nodes of each replica."""

    node_count: WholeNumber = 1


class Service(LiveModel):
    """One service of a graph."""

    replicas: int = 1
    resources: Resources = Resources()
    envs: list[EnvVar] = Field([])
    env_from_secret: str | None = None
    extra_pod_metadata: TemplateMetadata = TemplateMetadata()
    extra_pod_spec: ExtraPodSpec = ExtraPodSpec()
    multinode: Multinode = Multinode()


class GraphSpec(LiveModel):
    """The spec of a graph."""

    backend_framework: str = ""
    services: dict[str, Service] = Field({})


class Graph(LiveModel):
    """The fields of a graph that describe the deployment."""

    spec: GraphSpec = GraphSpec()


def read_fields(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The spec fields for the graph. Raises ``UnreadableError``."""
    spec = read_as(Graph, obj).spec
    engine, services = _workers(spec)
    role = ANY_ROLE if ANY_ROLE in services else "decode"
    worker = services[role]
    main = worker.extra_pod_spec.main_container
    limits = worker.resources.limits
    settings = read_arguments(
        engine, main.args, limits.gpu * worker.multinode.node_count, *disaggregation_flags(engine, role)
    )
    image = {} if main.image == config.spec.images.get(engine) else non_empty(image=main.image)
    fields = {
        **_overrides(spec),
        "model": settings["model"],
        "engine": {"type": str(engine), **settings["engine"], **image},
        **read_environment(worker.envs),
        **non_empty(secrets=non_empty(huggingFaceToken=worker.env_from_secret)),
        **read_pod(worker.extra_pod_metadata, worker.extra_pod_spec),
    }
    if role == ANY_ROLE:
        resources = {"gpu": _gpu(limits), **non_empty(cpu=limits.cpu, memory=limits.memory)}
        return (
            fields
            | {"resources": resources}
            | non_empty(scaling={"replicas": worker.replicas} if worker.replicas != 1 else {})
        )
    scaling = {
        role: {"replicas": service.replicas, **_part(service.resources.limits)} for role, service in services.items()
    }
    return (
        fields
        | {"serving": {"mode": "disaggregated"}, "scaling": scaling}
        | non_empty(resources=non_empty(cpu=limits.cpu))
    )


def _overrides(spec: GraphSpec) -> dict[str, Any]:
    """The section ``provider`` for services that run on several nodes, from which parallel sizes are derived."""
    counts = {name: service.multinode.node_count for name, service in spec.services.items()}
    services = {name: {"multinode": {"nodeCount": count}} for name, count in counts.items() if count > 1}
    return {"provider": {"name": NAME, "overrides": {"spec": {"services": services}}}} if services else {}


def _workers(spec: GraphSpec) -> tuple[Engine, dict[str, Service]]:
    """The engine and the worker services by role; the role is ``ANY_ROLE`` in an aggregated deployment."""
    engine, prefix = next(
        ((engine, name) for engine, name in SERVICE.items() if engine == spec.backend_framework), (Engine.VLLM, "")
    )
    if not prefix or "Frontend" not in spec.services:
        raise UnreadableError("spec: must have a Frontend and the backendFramework vllm, sglang or trtllm")
    services = {name: service for name, service in spec.services.items() if name != "Frontend"}
    expected = {f"{prefix}Worker"}, {f"{prefix}PrefillWorker", f"{prefix}DecodeWorker"}
    if set(services) not in expected:
        names = " or ".join(", ".join(sorted(pair)) for pair in expected)
        raise UnreadableError(
            f"spec.services: has {', '.join(sorted(services)) or 'no workers'}, but the workers must be called {names}"
        )
    return engine, {
        name.removeprefix(prefix).removesuffix("Worker").lower(): service for name, service in services.items()
    }


def _part(limits: Limits) -> dict[str, Any]:
    return {"gpu": _gpu(limits), **non_empty(memory=limits.memory)}


def _gpu(limits: Limits) -> dict[str, Any]:
    return gpu_fields(limits.gpu, limits.gpu_type or GPU_RESOURCE)
