"""KubeRay: a RayService that runs Ray Serve LLM with vLLM.

Upstream facts: ray.io/v1 as of operator 1.7.0; ``ray.serve.llm`` as of Ray 2.55.0 (LLMServingArgs, PDServingArgs).
"""

from collections.abc import Mapping
from typing import Any

from providers.contract import Honours, NameLimit, Object
from providers.engine_args import ARGUMENTS, Flag, flags, keyword_arguments
from providers.kuberay_read import read as read
from providers.observation import Observation, Phase, Readiness, ReadyCondition, Replicas, complaint, conditions_of, short_of, whole
from providers.problems import Problem
from providers.rendering import (
    ENVIRONMENT,
    GPU_RESOURCE,
    GROUP,
    IMAGE,
    NOT_GGUF,
    NOT_WHOLE,
    PARTS,
    POD_METADATA,
    SCHEDULING,
    WHOLE,
    Deployment,
    Endpoint,
    Objects,
    Refusals,
    environment,
    given,
    quantities,
    scheduling,
)
from providers.spec import ComponentScaling, Engine, Gpu, Mode, Source
from providers.yaml_text import to_yaml

NAME = "kuberay"
API_VERSION, KIND = "ray.io/v1", "RayService"
_EVERYWHERE = frozenset({"model.source", *ARGUMENTS, *IMAGE, *ENVIRONMENT, *POD_METADATA, *SCHEDULING})
HONOURS: Mapping[Engine, Mapping[Mode, Honours]] = {
    Engine.VLLM: {
        Mode.AGGREGATED: Honours(_EVERYWHERE | WHOLE, NOT_GGUF),
        Mode.DISAGGREGATED: Honours(_EVERYWHERE | PARTS, NOT_GGUF | NOT_WHOLE),
    }
}
_CONDITION = ReadyCondition("Ready")
READY: Readiness = _CONDITION
# Written back, and with it the whole list is the operator's (seen with 1.7.0).
OWNED: Mapping[str, Any] = {"spec.rayClusterConfig.workerGroupSpecs[].scaleStrategy": {}}
IMMUTABLE: tuple[str, ...] = ()
_NIXL = {"kv_connector": "NixlConnector", "kv_role": "kv_both"}
_PORTS = [("gcs-server", 6379), ("dashboard", 8265), ("client", 10001), ("serve", 8000)]


def name_limit(deployment: Deployment) -> NameLimit:
    """The longest name of a RayService, the same for all."""
    return NameLimit(47, "KubeRay appends 6 for its RayCluster, which has at most 53 (ray-operator, utils/constant.go)")


def endpoint(name: str) -> Endpoint:
    """The Service that the operator makes for an object of that name."""
    return Endpoint(f"{name}-serve-svc", 8000)


def render(deployment: Deployment) -> Objects:
    """The RayService that serves ``deployment``. Raises ``InputError`` naming every value that KubeRay can't honour."""
    spec = deployment.spec
    refusals = Refusals(NAME)
    refusals.refuse(spec.model.source is Source.AIKIT, "model.source", "AIKit images are for engine llamacpp")
    refusals.refuse(spec.model.id is None, "model.id", "Ray Serve LLM needs an id or a path inside the image")
    application, groups, problems = (_disaggregated if spec.disaggregated else _aggregated)(deployment)
    refusals.done(problems)
    service = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": deployment.metadata,
        "spec": {
            "serveConfigV2": to_yaml({"applications": [application]}),
            "rayClusterConfig": {"headGroupSpec": _head(deployment), "workerGroupSpecs": groups},
        },
    }
    return Objects(service)


def observe(obj: Object) -> Observation:
    """What a RayService's status says: its condition Ready, then the applications of the cluster that serves.

    While a new cluster is brought up beside the one that serves, the deployment goes on running.
    """
    status, conditions = obj.get("status") or {}, conditions_of(obj)
    active, pending = status.get("activeServiceStatus") or {}, status.get("pendingServiceStatus") or {}
    ready, troubles = _CONDITION.of(obj), _troubles(active)
    if any(state == "DEPLOY_FAILED" for state, _ in troubles):
        phase = Phase.FAILED
    elif ready:
        phase = Phase.RUNNING
    elif any(state == "DEPLOY_FAILED" for state, _ in _troubles(pending)):
        phase = Phase.FAILED
    else:
        phase = Phase.DEPLOYING if ready is False or active or pending else Phase.PENDING
    groups = ((obj.get("spec") or {}).get("rayClusterConfig") or {}).get("workerGroupSpecs") or []
    workers = active.get("rayClusterStatus") or {}
    counts = (workers.get("readyWorkerReplicas"), workers.get("availableWorkerReplicas"))
    replicas = Replicas(sum(whole(g.get("replicas", 1)) for g in groups), *map(whole, counts))
    said = [text for _, text in troubles] + [f"upgrade: {text}" for _, text in _troubles(pending) if ready]
    rest = complaint(conditions) if phase is not Phase.RUNNING else short_of(replicas) if workers else ""
    return Observation(phase, "; ".join(said or ([text for _, text in _troubles(pending)] or [rest])), replicas, conditions)


def _troubles(service: dict[str, Any]) -> list[tuple[str, str]]:
    """State and text of each application that fails or is unhealthy."""
    found = []
    for name, application in sorted((service.get("applicationStatuses") or {}).items()):
        state = application.get("status")
        if state in ("DEPLOY_FAILED", "UNHEALTHY"):
            found.append((state, f"application {name} is {state}: {application.get('message') or 'no message'}"))
    return found


_Parts = tuple[dict[str, Any], list[dict[str, Any]], list[Problem]]


def _aggregated(deployment: Deployment) -> _Parts:
    spec = deployment.spec
    part = ComponentScaling(replicas=spec.scaling.replicas, gpu=spec.resources.gpu, memory=spec.resources.memory)
    config, problems = _llm_config(deployment, part)
    return _application("build_openai_app", {"llm_configs": [config]}), [_workers(deployment, part, "gpu-workers")], problems


def _disaggregated(deployment: Deployment) -> _Parts:
    spec = deployment.spec
    parts = {"prefill": spec.scaling.prefill or ComponentScaling(), "decode": spec.scaling.decode or ComponentScaling()}
    arguments, groups, problems = {}, [], []
    for role, part in parts.items():
        config, found = _llm_config(deployment, part, role)
        arguments[f"{role}_config"] = config
        groups.append(_workers(deployment, part, f"{role}-workers", role))
        problems += [p for p in found if p not in problems]
    return _application("build_pd_openai_app", arguments), groups, problems


def _application(builder: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"name": "llm", "route_prefix": "/", "import_path": f"ray.serve.llm:{builder}", "args": arguments}


def _llm_config(deployment: Deployment, part: ComponentScaling, role: str | None = None) -> tuple[dict[str, Any], list[Problem]]:
    spec = deployment.spec
    gpus = part.gpu.count if part.gpu else 0
    transfer = [Flag("kv-transfer-config", _NIXL)] if role else []
    found, clashes = flags(Engine.VLLM, spec, gpus, *transfer)
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


def _head(deployment: Deployment) -> dict[str, Any]:
    defaults = deployment.config.spec.defaults
    limits = {"cpu": defaults["headCpu"], "memory": defaults["headMemory"]}
    ports = [{"name": name, "containerPort": port} for name, port in _PORTS]
    container = _container(deployment, "ray-head", limits) | {"ports": ports}
    start = {"dashboard-host": "0.0.0.0"}  # noqa: S104 in a pod
    return {"rayStartParams": start, "template": _template(deployment, container)}


def _workers(deployment: Deployment, part: ComponentScaling, group: str, role: str | None = None) -> dict[str, Any]:
    spec, defaults = deployment.spec, deployment.config.spec.defaults
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
        "template": _template(deployment, _container(deployment, "ray-worker", limits)),
    }


def _container(deployment: Deployment, name: str, limits: dict[str, str]) -> dict[str, Any]:
    image = deployment.image(str(Engine.VLLM))
    return {"name": name, "image": image, "resources": {"limits": limits, "requests": limits}, **given(env=environment(deployment))}


def _template(deployment: Deployment, container: dict[str, Any]) -> dict[str, Any]:
    metadata = deployment.spec.pod_template.metadata
    labels = {f"{GROUP}/deployment": deployment.name, **metadata.labels}
    pod = {"containers": [container], **scheduling(deployment.spec)}
    return {"metadata": {"labels": labels, **given(annotations=dict(metadata.annotations))}, "spec": pod}
