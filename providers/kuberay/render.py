"""KubeRay: a RayService that runs Ray Serve LLM with vLLM.

Upstream facts: ray.io/v1 as of operator 1.7.0; ``ray.serve.llm`` as of Ray 2.55.0 (LLMServingArgs, PDServingArgs).
"""

from collections.abc import Mapping
from typing import Any

from airunway.provider.contract import Honours, NameLimit
from airunway.provider.engine_args import ARGUMENTS, Flag, flags, keyword_arguments, users_flags
from airunway.provider.honoured import Refusals
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
    pod_template,
    quantities,
    scheduling,
)
from airunway.provider.request import Endpoint, Objects, Request
from airunway.provider.workers import ALIKE, Workers, refuse_unknown_models, workers_of
from airunway.spec.model import GPU_RESOURCE, Engine, Mode
from airunway.text.merge import given
from airunway.text.problems import Problem
from airunway.text.yaml_writing import to_yaml

NAME = "kuberay"
API_VERSION, KIND = "ray.io/v1", "RayService"
SELECTOR: Mapping[str, str] = {}
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
    refuse_unknown_models(refusals, spec, "Ray Serve LLM")
    for path, flag in users_flags(spec):
        refusals.refuse(flag.key == "served-model-name", path, "the API answers to model.servedName; set that")
    workers = workers_of(spec)
    configs: dict[str, Any] = {}
    problems: list[Problem] = []
    for role, part in workers.items():
        configs[role], wrong = _llm_config(request, part, role)
        problems += [p for p in wrong if p not in problems]
    refusals.done(problems)
    service = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": request.metadata,
        "spec": {
            "serveConfigV2": to_yaml({"applications": [_application(configs)]}),
            "rayClusterConfig": {
                "headGroupSpec": _head(request),
                "workerGroupSpecs": [_workers(request, part, role) for role, part in workers.items()],
            },
        },
    }
    return Objects(service)


def _application(configs: dict[str, Any]) -> dict[str, Any]:
    """The application that serves the model with one configuration, or with one for each role."""
    alike = configs.get(ALIKE)
    builder = "build_openai_app" if alike else "build_pd_openai_app"
    arguments = {"llm_configs": [alike]} if alike else {f"{role}_config": config for role, config in configs.items()}
    return {"name": "llm", "route_prefix": "/", "import_path": f"ray.serve.llm:{builder}", "args": arguments}


def _llm_config(request: Request, workers: Workers, role: str) -> tuple[dict[str, Any], list[Problem]]:
    spec = request.spec
    found, clashes = flags(Engine.VLLM, spec, workers.gpu.count, *transfer(role))
    arguments, problems = keyword_arguments(
        [f for f in found if f.name not in ("model", "served-model-name")], spec, NAME
    )
    served = spec.model.served_name or spec.model.id
    config = {
        "model_loading_config": {"model_id": served, "model_source": spec.model.id},
        "deployment_config": {"num_replicas": workers.replicas},
        "engine_kwargs": arguments,
    }
    if role != ALIKE:
        # A trace of a resource that only the role's own workers have keeps its replicas on them.
        config["placement_group_config"] = {"bundle_per_worker": {"GPU": 1, role: 0.001}}
    return config, clashes + problems


def transfer(role: str) -> list[Flag]:
    """The flags by which workers of a role hand over; none where all are alike."""
    return [] if role == ALIKE else [Flag("kv-transfer-config", _NIXL)]


def _head(request: Request) -> dict[str, Any]:
    defaults = request.config.spec.defaults
    limits = {"cpu": defaults["headCpu"], "memory": defaults["headMemory"]}
    ports = [{"name": name, "containerPort": port} for name, port in _PORTS]
    container = _container(request, "ray-head", limits) | {"ports": ports}
    start = {"dashboard-host": "0.0.0.0"}  # noqa: S104 in a pod
    return {"rayStartParams": start, "template": _template(request, container)}


def _workers(request: Request, workers: Workers, role: str) -> dict[str, Any]:
    gpu, defaults = workers.gpu, request.config.spec.defaults
    limits = quantities(
        gpu.count,
        gpu.type,
        request.spec.resources.cpu or defaults["workerCpu"],
        workers.memory or defaults["workerMemory"],
    )
    # Ray finds GPUs by itself only where the resource's name ends in "gpu" (KubeRay, common/pod.go).
    start = {"num-gpus": str(gpu.count)} if gpu.type != GPU_RESOURCE else {}
    return {
        "groupName": "gpu-workers" if role == ALIKE else f"{role}-workers",
        "replicas": workers.replicas,
        "minReplicas": workers.replicas,
        "maxReplicas": workers.replicas,
        "rayStartParams": start,
        "scaleStrategy": {},
        **given(resources={} if role == ALIKE else {role: "1"}),
        "template": _template(request, _container(request, "ray-worker", limits)),
    }


def _container(request: Request, name: str, limits: dict[str, str]) -> dict[str, Any]:
    image = request.image(str(Engine.VLLM))
    return {
        "name": name,
        "image": image,
        "resources": {"limits": limits, "requests": limits},
        **given(env=environment(request)),
    }


def _template(request: Request, container: dict[str, Any]) -> dict[str, Any]:
    return pod_template(request, {"containers": [container], **scheduling(request.spec)})
