"""Reads a DynamoGraphDeployment back into the spec fields of a deployment; the inverse of ``dynamo.render``.

Anything that the fields can't express shows up as a difference when they are rendered again.
"""

from typing import Any

from airunway.provider.engine_args_reading import read_arguments
from airunway.provider.pod_reading import Object, UnreadableError, gpu_fields
from airunway.provider.storage_reading import read_storage
from airunway.provider.workers import ANY_ROLE
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import GPU_RESOURCE, Engine
from airunway.text.merge import non_empty
from providers.dynamo import v1alpha1, v1beta1
from providers.dynamo.component import FRONTEND, Component
from providers.dynamo.render import NAME, SERVICE, disaggregation_flags


def read_fields(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The spec fields for the graph. Raises ``UnreadableError``."""
    version = v1beta1 if obj.get("apiVersion") == v1beta1.API_VERSION else v1alpha1
    framework, graph = version.read_graph(obj)
    engine, components = _workers(framework, graph)
    role = ANY_ROLE if ANY_ROLE in components else "decode"
    worker = components[role]
    image, arguments = worker.container["image"], worker.container["args"]
    gpus = (worker.gpus or 0) * worker.nodes
    settings = read_arguments(engine, arguments, gpus, *disaggregation_flags(engine, role))
    own_image = {} if image == config.spec.images.get(engine) else non_empty(image=image)
    template = non_empty(metadata=non_empty(labels=worker.labels, annotations=worker.annotations))
    # The frontend has the user's variables too, but none for volumes.
    own = {variable["name"] for component in graph if component.is_frontend for variable in component.env}
    storage, env = read_storage(worker.volumes, engine, worker.env, own)
    fields = {
        **_overrides(version.multinode_overrides(components.values())),
        "model": settings["model"] | non_empty(storage=storage),
        "engine": {"type": str(engine), **settings["engine"], **own_image},
        **non_empty(env=env),
        **non_empty(secrets=non_empty(huggingFaceToken=worker.token_secret)),
        **non_empty(podTemplate=template, **worker.scheduling),
    }
    if role == ANY_ROLE:
        resources = {"gpu": _gpu(worker), **worker.limits}
        return (
            fields
            | {"resources": resources}
            | non_empty(scaling={"replicas": worker.replicas} if worker.replicas != 1 else {})
        )
    scaling = {
        role: {"replicas": c.replicas, "gpu": _gpu(c), **non_empty(memory=c.limits.get("memory"))}
        for role, c in components.items()
    }
    return (
        fields
        | {"serving": {"mode": "disaggregated"}, "scaling": scaling}
        | non_empty(resources=non_empty(cpu=worker.limits.get("cpu")))
    )


def _overrides(overrides: dict[str, Any]) -> dict[str, Any]:
    """The section ``provider`` for workers on several nodes, from which parallel sizes are derived."""
    return {"provider": {"name": NAME, "overrides": {"spec": overrides}}} if overrides else {}


def _workers(framework: str, components: list[Component]) -> tuple[Engine, dict[str, Component]]:
    """The engine and the workers by role; the role is ``ANY_ROLE`` in an aggregated deployment."""
    engine = next((engine for engine in SERVICE if engine == framework), None)
    if engine is None:
        stated = f"is {framework}" if framework else "is missing"
        raise UnreadableError(f"spec.backendFramework: {stated}, but must be vllm, sglang or trtllm")
    workers = {c.name: c for c in components if not c.is_frontend}
    if len(workers) == len(components):
        raise UnreadableError(f"spec: has no component called {FRONTEND}")
    prefix = SERVICE[engine]
    expected = {f"{prefix}Worker"}, {f"{prefix}PrefillWorker", f"{prefix}DecodeWorker"}
    if set(workers) not in expected:
        names = " or ".join(", ".join(sorted(pair)) for pair in expected)
        raise UnreadableError(
            f"spec: has {', '.join(sorted(workers)) or 'no workers'}, but the workers must be called {names}"
        )
    return engine, {name.removeprefix(prefix).removesuffix("Worker").lower(): c for name, c in workers.items()}


def _gpu(component: Component) -> dict[str, Any]:
    return gpu_fields(component.gpus or 0, component.gpu_type or GPU_RESOURCE)
