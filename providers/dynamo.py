"""NVIDIA Dynamo: a DynamoGraphDeployment with a Frontend and workers, in one piece or prefill and decode apart.

Upstream facts: nvidia.com/v1alpha1 and the ``dynamo.<engine>`` modules as of release 1.1.1 (PyPI ai-dynamo 1.1.1).
"""

import json
from typing import Any

from providers.engine_args import Flag, flags, tokens
from providers.observation import Observation, Phase, Replicas, complaint, conditions_of, short_of, whole
from providers.problems import Problem
from providers.rendering import (
    GPU_RESOURCE,
    TOKEN_KEY,
    Deployment,
    Endpoint,
    Refusals,
    Rendered,
    environment,
    given,
    overridden,
    scheduling,
)
from providers.spec import ComponentScaling, Engine, Gpu, Mode, Source

NAME = "dynamo"
RENDERS = dict.fromkeys((Engine.VLLM, Engine.SGLANG, Engine.TRTLLM), tuple(Mode))
"""What ``render`` knows, whatever a document claims that the provider can do."""
API_VERSION, KIND = "nvidia.com/v1alpha1", "DynamoGraphDeployment"
_READY = "jsonpath={.status.state}=successful"
_NIXL = json.dumps({"kv_connector": "NixlConnector", "kv_role": "kv_both"}, separators=(",", ":"))
SERVICE = {Engine.VLLM: "Vllm", Engine.SGLANG: "Sglang", Engine.TRTLLM: "Trtllm"}
"""Prefix of the workers' names, by engine."""


def endpoint(name: str) -> Endpoint:
    """The Service that the operator makes for an object of that name."""
    return Endpoint(f"{name}-frontend", 8000)


def render(deployment: Deployment) -> Rendered:
    """The graph that serves ``deployment``. Raises ``InputError`` naming every field that Dynamo can't honour."""
    spec = deployment.spec
    refusals = Refusals(NAME)
    refusals.refuse(spec.model.source is Source.AIKIT, "model.source", "AIKit images are for engine llamacpp")
    refusals.refuse(spec.model.gguf, "model.gguf", "GGUF files are for engine llamacpp")
    refusals.refuse(spec.model.id is None, "model.id", "a worker needs an id or a path inside the image")
    exclusive = deployment.selection.engine is Engine.TRTLLM and "override-engine-args" in spec.engine.args
    refusals.refuse(exclusive and _engine_options(deployment), "engine.args.override-engine-args", "it excludes what the spec's fields set")
    workers, problems = _workers(deployment)
    refusals.done(problems)
    graph = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": deployment.metadata,
        "spec": {"backendFramework": str(deployment.selection.engine), "services": {"Frontend": _frontend(deployment), **workers}},
    }
    return Rendered(overridden(graph, deployment), endpoint(deployment.name), _READY)


_PHASES = {
    "successful": Phase.RUNNING,
    "initializing": Phase.DEPLOYING,
    "deploying": Phase.DEPLOYING,
    "failed": Phase.FAILED,
    "pending": Phase.PENDING,
}
_NOT_WORKERS = ("frontend", "epp", "planner")


def observe(obj: dict[str, Any]) -> Observation:
    """What a graph's status says; replicas are those of its workers."""
    status, conditions = obj.get("status") or {}, conditions_of(obj)
    state = str(status.get("state") or "pending")
    phase = _PHASES.get(state, Phase.PENDING)
    replicas = _replicas((obj.get("spec") or {}).get("services") or {}, status.get("services") or {})
    message = short_of(replicas) if phase is Phase.RUNNING and status.get("services") else complaint(conditions)
    if state not in _PHASES:
        message = f"unknown state {state}"
    return Observation(phase, message, replicas, conditions)


def _replicas(services: dict[str, Any], seen: dict[str, Any]) -> Replicas:
    """Summed over the workers. A service that Grove runs reports ready replicas only, a Deployment may report available ones only."""
    workers = [name for name, s in services.items() if str(s.get("componentType") or name).lower() not in _NOT_WORKERS]
    counts = [seen.get(name) or {} for name in workers]
    ready = sum(whole(c.get("readyReplicas", c.get("availableReplicas"))) for c in counts)
    available = sum(whole(c.get("availableReplicas", c.get("readyReplicas"))) for c in counts)
    return Replicas(sum(whole(services[name].get("replicas", 1)) for name in workers), ready, available)


def _engine_options(deployment: Deployment) -> bool:
    found, _ = flags(Engine.TRTLLM, deployment.spec, gpus=1)
    return deployment.spec.disaggregated or any(f.name.startswith("trtllm.") for f in found)


def _frontend(deployment: Deployment) -> dict[str, Any]:
    defaults = deployment.config.spec.defaults
    return {
        "componentType": "frontend",
        "replicas": 1,
        "resources": {"requests": {"cpu": defaults["frontendCpu"], "memory": defaults["frontendMemory"]}},
        **_pod(deployment, {"image": deployment.image(str(deployment.selection.engine))}),
    }


def _workers(deployment: Deployment) -> tuple[dict[str, Any], list[Problem]]:
    spec, engine = deployment.spec, deployment.selection.engine
    prefix = SERVICE[engine]
    if not spec.disaggregated:
        part = ComponentScaling(replicas=spec.scaling.replicas, gpu=spec.resources.gpu, memory=spec.resources.memory)
        worker, problems = _worker(deployment, part)
        return {f"{prefix}Worker": worker}, problems
    workers, problems = {}, []
    for role, scaling in (("prefill", spec.scaling.prefill), ("decode", spec.scaling.decode)):
        worker, found = _worker(deployment, scaling or ComponentScaling(), role)
        workers[f"{prefix}{role.capitalize()}Worker"] = worker
        problems += [p for p in found if p not in problems]
    return workers, problems


def _worker(deployment: Deployment, part: ComponentScaling, role: str | None = None) -> tuple[dict[str, Any], list[Problem]]:
    spec, engine = deployment.spec, deployment.selection.engine
    gpu = part.gpu or Gpu()
    found, problems = flags(engine, spec, gpu.count, *_disaggregation(engine, role))
    container = {
        "image": deployment.image(str(engine)),
        "command": ["python3", "-m", f"dynamo.{engine}"],
        "args": tokens(found, spec),
    }
    amount = {"gpu": str(gpu.count), **given(gpuType=gpu.type if gpu.type != GPU_RESOURCE else None)}
    worker = {
        "componentType": "worker",
        **given(subComponentType=role),
        "replicas": part.replicas,
        "resources": {"limits": amount | given(cpu=spec.resources.cpu, memory=part.memory or spec.resources.memory), "requests": amount},
        **_pod(deployment, container),
    }
    return worker, problems


def _disaggregation(engine: Engine, role: str | None) -> list[Flag]:
    if role is None:
        return []
    mode = Flag("disaggregation-mode", role, "serving.mode")
    match engine:
        case Engine.VLLM:
            return [mode, Flag("kv-transfer-config", _NIXL)]
        case Engine.SGLANG:
            return [mode, Flag("disaggregation-transfer-backend", "nixl"), Flag("host", "0.0.0.0")]  # noqa: S104 in a pod
        case _:
            # A prefill worker hands over after one step, which the overlap scheduler does not allow (Dynamo's TensorRT-LLM guide).
            overlap = [Flag("trtllm.disable_overlap_scheduler", "true")] if role == "prefill" else []
            return [mode, Flag("trtllm.cache_transceiver_config.backend", "DEFAULT"), *overlap]


def _pod(deployment: Deployment, container: dict[str, Any]) -> dict[str, Any]:
    """What Frontend and workers have in common."""
    spec = deployment.spec
    metadata = spec.pod_template.metadata
    own_token = any(v.name == TOKEN_KEY for v in spec.env)
    return {
        **given(
            envs=environment(deployment, token=False),
            envFromSecret=None if own_token else deployment.token_secret,
            extraPodMetadata=given(labels=dict(metadata.labels), annotations=dict(metadata.annotations)),
        ),
        "extraPodSpec": {"mainContainer": container, **scheduling(spec)},
    }
