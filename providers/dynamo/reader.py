"""Reads a DynamoGraphDeployment back into the spec fields of a deployment; the inverse of ``dynamo.render``.

Anything that the fields can't express shows up as a difference when they are rendered again.
"""

from typing import Any

from airunway.provider.engine_args_reading import read_arguments
from airunway.provider.engine_flags import flag_table
from airunway.provider.pod_reading import Object, UnreadableError, gpu_fields
from airunway.provider.storage_reading import read_storage
from airunway.provider.workers import ANY_ROLE
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import GPU_RESOURCE, Engine
from airunway.text.merge import non_empty
from providers.dynamo import v1alpha1, v1beta1
from providers.dynamo.component import FRONTEND, Component
from providers.dynamo.render import NAME, SERVICE, WORKER_TYPES, disaggregation_flags, own_names

_MODULES = "dynamo."
"""Prefix of the modules that workers run, which end in the engine."""
_MODEL_FLAGS = ("--model", "--model-path")
"""The flags by which workers take the model; some take both."""
_ROLES = ("prefill", "decode")


def read_fields(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The spec fields for the graph. Raises ``UnreadableError``."""
    version = v1beta1 if obj.get("apiVersion") == v1beta1.API_VERSION else v1alpha1
    framework, graph = version.read_graph(obj)
    engine, components = _workers(framework, graph)
    role = ANY_ROLE if ANY_ROLE in components else "decode"
    worker = components[role]
    image, gpus = worker.container["image"], (worker.gpus or 0) * worker.nodes
    try:
        settings = read_arguments(engine, _arguments(engine, worker), gpus, *disaggregation_flags(engine, role))
    except UnreadableError as error:
        raise UnreadableError(f"{worker.name}: {error}") from error
    names = dict(zip(own_names(engine, components), (c.name for c in components.values()), strict=True))
    names = {own: name for own, name in names.items() if own != name}
    own_image = {} if image == config.spec.images.get(engine) else non_empty(image=image)
    template = non_empty(metadata=non_empty(labels=worker.labels, annotations=worker.annotations))
    # The frontend has the user's variables too, but none for volumes.
    own = {variable["name"] for component in graph if component.is_frontend for variable in component.env}
    storage, env = read_storage(worker.volumes, engine, worker.env, own)
    fields = {
        **_overrides(version.component_overrides(components.values(), names)),
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


def _arguments(engine: Engine, worker: Component) -> list[str]:
    """The engine's arguments, of which the command may end in the first two, with the model by the flag of ours."""
    arguments: list[str] = worker.container["args"]
    if arguments[:2] == ["-m", f"{_MODULES}{engine}"]:
        arguments = arguments[2:]
    model = next(row.flag for row in flag_table().rows(engine) if row.field == "model.id")
    other = next((flag for flag in _MODEL_FLAGS if flag != f"--{model}" and flag in arguments), None)
    return [f"--{model}" if other and argument == other else argument for argument in arguments]


def _overrides(overrides: dict[str, Any]) -> dict[str, Any]:
    """The section ``provider`` for workers with names of their own, or on several nodes."""
    return {"provider": {"name": NAME, "overrides": {"spec": overrides}}} if overrides else {}


def _workers(framework: str, components: list[Component]) -> tuple[Engine, dict[str, Component]]:
    """The engine and the workers by role; the role is ``ANY_ROLE`` in an aggregated deployment."""
    if not any(c.is_frontend for c in components):
        raise UnreadableError(f"spec: has no component called {FRONTEND}")
    workers = [c for c in components if not c.is_frontend and c.role in WORKER_TYPES]
    engine = _engine(framework, workers)
    if len(workers) == 1:
        return engine, {ANY_ROLE: workers[0]}
    roles = {_role(worker): worker for worker in workers}
    if len(workers) != 2 or set(roles) != set(_ROLES):
        names = ", ".join(sorted(worker.name for worker in workers)) or "no workers"
        raise UnreadableError(
            f"spec: has {names}, but a deployment has workers of one kind, or prefill and decode workers"
        )
    return engine, {role: roles[role] for role in _ROLES}


def _engine(framework: str, workers: list[Component]) -> Engine:
    """The engine, which the workers' commands tell if the graph does not."""
    modules = {
        part.removeprefix(_MODULES)
        for worker in workers
        for part in (*worker.container["command"], *worker.container["args"])
        if part.startswith(_MODULES)
    }
    stated = framework or (modules.pop() if len(modules) == 1 else "")
    engine = next((engine for engine in SERVICE if engine == stated), None)
    if engine is not None:
        return engine
    if framework:
        raise UnreadableError(f"spec.backendFramework: is {framework}, but must be vllm, sglang or trtllm")
    raise UnreadableError(
        "spec.backendFramework: is missing, and no command python3 -m dynamo.ENGINE of a worker tells the engine"
    )


def _role(worker: Component) -> str:
    """Prefill or decode, by the worker's type or else by its name; another text if neither says so."""
    if worker.role in _ROLES:
        return worker.role
    return next((role for role in _ROLES if role in worker.name.lower()), worker.name)


def _gpu(component: Component) -> dict[str, Any]:
    return gpu_fields(component.gpus or 0, component.gpu_type or GPU_RESOURCE)
