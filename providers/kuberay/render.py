"""KubeRay: a RayService that runs Ray Serve LLM with vLLM.

Upstream facts: ray.io/v1 as of operator 1.7.0; ``ray.serve.llm`` as of Ray 2.55.0 (LLMServingArgs, PDServingArgs).
"""

from collections.abc import Mapping
from typing import Any

from airunway.provider.contract import Honours, NameLimit
from airunway.provider.engine_args import ARGUMENTS, Flag, flags, keyword_arguments, users_flags
from airunway.provider.honoured import Refusals
from airunway.provider.labels import GROUP
from airunway.provider.pods import (
    ENVIRONMENT,
    IMAGE,
    NOT_GGUF,
    NOT_WHOLE,
    PARTS,
    POD_METADATA,
    SCHEDULING,
    WHOLE,
    environment,
    quantities,
    scheduling,
)
from airunway.provider.request import Endpoint, Objects, Request
from airunway.spec.model import GPU_RESOURCE, ComponentScaling, Engine, Gpu, Mode, Source
from airunway.text.merge import given
from airunway.text.problems import Problem
from airunway.text.yaml_writing import to_yaml

NAME = "kuberay"
API_VERSION, KIND = "ray.io/v1", "RayService"
_EVERYWHERE = frozenset({"model.source", *ARGUMENTS, *IMAGE, *ENVIRONMENT, *POD_METADATA, *SCHEDULING})
HONOURS: Mapping[Engine, Mapping[Mode, Honours]] = {
    Engine.VLLM: {
        Mode.AGGREGATED: Honours(_EVERYWHERE | WHOLE, NOT_GGUF),
        Mode.DISAGGREGATED: Honours(_EVERYWHERE | PARTS, NOT_GGUF | NOT_WHOLE),
    }
}
# Written back, and with it the whole list is the operator's (seen with 1.7.0).
OWNED: Mapping[str, Any] = {"spec.rayClusterConfig.workerGroupSpecs[].scaleStrategy": {}}
IMMUTABLE: tuple[str, ...] = ()
_NIXL = {"kv_connector": "NixlConnector", "kv_role": "kv_both"}
_PORTS = [("gcs-server", 6379), ("dashboard", 8265), ("client", 10001), ("serve", 8000)]


def name_limit(request: Request) -> NameLimit:
    """The longest name of a RayService, the same for all."""
    return NameLimit(47, "KubeRay appends 6 for its RayCluster, which has at most 53 (ray-operator, utils/constant.go)")


def endpoint(name: str) -> Endpoint:
    """The Service that the operator makes for an object of that name."""
    return Endpoint(f"{name}-serve-svc", 8000)


def render(request: Request) -> Objects:
    """The RayService that serves ``request``. Raises ``InputError`` naming every value that KubeRay can't honour."""
    spec = request.spec
    refusals = Refusals(NAME)
    refusals.refuse(spec.model.source is Source.AIKIT, "model.source", "AIKit images are for engine llamacpp")
    refusals.refuse(spec.model.id is None, "model.id", "Ray Serve LLM needs an id or a path inside the image")
    for path, flag in users_flags(spec):
        refusals.refuse(flag.key == "served-model-name", path, "the API answers to model.servedName; set that")
    application, groups, problems = (_disaggregated if spec.disaggregated else _aggregated)(request)
    refusals.done(problems)
    service = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": request.metadata,
        "spec": {
            "serveConfigV2": to_yaml({"applications": [application]}),
            "rayClusterConfig": {"headGroupSpec": _head(request), "workerGroupSpecs": groups},
        },
    }
    return Objects(service)


_Parts = tuple[dict[str, Any], list[dict[str, Any]], list[Problem]]


def _aggregated(request: Request) -> _Parts:
    spec = request.spec
    part = ComponentScaling(replicas=spec.scaling.replicas, gpu=spec.resources.gpu, memory=spec.resources.memory)
    config, problems = _llm_config(request, part)
    return _application("build_openai_app", {"llm_configs": [config]}), [_workers(request, part, "gpu-workers")], problems


def _disaggregated(request: Request) -> _Parts:
    spec = request.spec
    parts = {"prefill": spec.scaling.prefill or ComponentScaling(), "decode": spec.scaling.decode or ComponentScaling()}
    arguments, groups, problems = {}, [], []
    for role, part in parts.items():
        config, found = _llm_config(request, part, role)
        arguments[f"{role}_config"] = config
        groups.append(_workers(request, part, f"{role}-workers", role))
        problems += [p for p in found if p not in problems]
    return _application("build_pd_openai_app", arguments), groups, problems


def _application(builder: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"name": "llm", "route_prefix": "/", "import_path": f"ray.serve.llm:{builder}", "args": arguments}


def _llm_config(request: Request, part: ComponentScaling, role: str | None = None) -> tuple[dict[str, Any], list[Problem]]:
    spec = request.spec
    gpus = part.gpu.count if part.gpu else 0
    found, clashes = flags(Engine.VLLM, spec, gpus, *transfer(role))
    arguments, problems = keyword_arguments([f for f in found if f.name not in ("model", "served-model-name")], spec, NAME)
    served = spec.model.served_name or spec.model.id
    config = {
        "model_loading_config": {"model_id": served, "model_source": spec.model.id},
        "deployment_config": {"num_replicas": part.replicas},
        "engine_kwargs": arguments,
    }
    if role:
        # A trace of a resource that only the role's own workers have keeps its replicas on them.
        config["placement_group_config"] = {"bundle_per_worker": {"GPU": 1, role: 0.001}}
    return config, clashes + problems


def transfer(role: str | None) -> list[Flag]:
    """The flags by which workers of a role hand over; none where there is but one kind of worker."""
    return [Flag("kv-transfer-config", _NIXL)] if role else []


def _head(request: Request) -> dict[str, Any]:
    defaults = request.config.spec.defaults
    limits = {"cpu": defaults["headCpu"], "memory": defaults["headMemory"]}
    ports = [{"name": name, "containerPort": port} for name, port in _PORTS]
    container = _container(request, "ray-head", limits) | {"ports": ports}
    start = {"dashboard-host": "0.0.0.0"}  # noqa: S104 in a pod
    return {"rayStartParams": start, "template": _template(request, container)}


def _workers(request: Request, part: ComponentScaling, group: str, role: str | None = None) -> dict[str, Any]:
    spec, defaults = request.spec, request.config.spec.defaults
    gpu = part.gpu or Gpu()
    memory = part.memory or spec.resources.memory or defaults["workerMemory"]
    limits = quantities(gpu.count, gpu.type, spec.resources.cpu or defaults["workerCpu"], memory)
    # Ray finds GPUs by itself only where the resource's name ends in "gpu" (KubeRay, common/pod.go).
    start = {"num-gpus": str(gpu.count)} if gpu.type != GPU_RESOURCE else {}
    return {
        "groupName": group,
        "replicas": part.replicas,
        "minReplicas": part.replicas,
        "maxReplicas": part.replicas,
        "rayStartParams": start,
        "scaleStrategy": {},
        **given(resources={role: "1"} if role else None),
        "template": _template(request, _container(request, "ray-worker", limits)),
    }


def _container(request: Request, name: str, limits: dict[str, str]) -> dict[str, Any]:
    image = request.image(str(Engine.VLLM))
    return {"name": name, "image": image, "resources": {"limits": limits, "requests": limits}, **given(env=environment(request))}


def _template(request: Request, container: dict[str, Any]) -> dict[str, Any]:
    metadata = request.spec.pod_template.metadata
    labels = {f"{GROUP}/deployment": request.name, **metadata.labels}
    pod = {"containers": [container], **scheduling(request.spec)}
    return {"metadata": {"labels": labels, **given(annotations=dict(metadata.annotations))}, "spec": pod}
