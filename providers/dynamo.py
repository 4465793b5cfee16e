"""NVIDIA Dynamo: a DynamoGraphDeployment with a Frontend and workers, in one piece or prefill and decode apart.

Upstream facts: nvidia.com/v1alpha1 and the ``dynamo.<engine>`` modules as of release 1.1.1 (PyPI ai-dynamo 1.1.1).
"""

import json
from collections.abc import Mapping
from typing import Any

from providers.contract import Honours, NameLimit, Object
from providers.dynamo_read import SERVICE
from providers.dynamo_read import read as read
from providers.engine_args import ARGUMENTS, Flag, flags, tokens
from providers.observation import Observation, Phase, Readiness, ReadyState, Replicas, complaint, conditions_of, short_of, whole
from providers.problems import Problem
from providers.rendering import (
    ENVIRONMENT,
    GPU_RESOURCE,
    IMAGE,
    NOT_GGUF,
    NOT_WHOLE,
    PARTS,
    POD_METADATA,
    SCHEDULING,
    TOKEN_KEY,
    WHOLE,
    Deployment,
    Endpoint,
    Objects,
    Refusals,
    environment,
    given,
    scheduling,
)
from providers.spec import ComponentScaling, Engine, Gpu, Mode, Source

NAME = "dynamo"
API_VERSION, KIND = "nvidia.com/v1alpha1", "DynamoGraphDeployment"
_NIXL = json.dumps({"kv_connector": "NixlConnector", "kv_role": "kv_both"}, separators=(",", ":"))
_EVERYWHERE = frozenset({"model.source", *ARGUMENTS, *IMAGE, *ENVIRONMENT, *POD_METADATA, *SCHEDULING})
_MODES = {
    Mode.AGGREGATED: Honours(_EVERYWHERE | WHOLE, NOT_GGUF),
    Mode.DISAGGREGATED: Honours(_EVERYWHERE | PARTS, NOT_GGUF | NOT_WHOLE),
}
HONOURS: Mapping[Engine, Mapping[Mode, Honours]] = dict.fromkeys((Engine.VLLM, Engine.SGLANG, Engine.TRTLLM), _MODES)
_STATE = ReadyState(
    "state",
    {
        "successful": Phase.RUNNING,
        "initializing": Phase.DEPLOYING,
        "deploying": Phase.DEPLOYING,
        "failed": Phase.FAILED,
        "pending": Phase.PENDING,
    },
)
READY: Readiness = _STATE
OWNED: Mapping[str, Any] = {}
# So says the webhook (seen with the operator of April 2026); it refuses other workers too, which are no path of their own.
IMMUTABLE: tuple[str, ...] = ("spec.backendFramework",)


def name_limit(deployment: Deployment) -> NameLimit:
    """The longest name of a graph: it is put together with its workers' names where Grove runs them, else with a label's ending."""
    if not any(_has_grove(chart.values) for chart in deployment.config.spec.installation.helm_charts):
        return NameLimit(41, "the operator appends -k8s-service-discovery for a label of at most 63")
    longest = max(_names(deployment).values(), key=len)
    return NameLimit(45 - len(longest), f"together with the worker's, {longest}, it has at most 45 where Grove is installed")


def _has_grove(values: Mapping[str, Any]) -> bool:
    """Whether the chart's values install Grove."""
    shared = values.get("global")
    grove = shared.get("grove") if isinstance(shared, dict) else None
    return bool(grove.get("install")) if isinstance(grove, dict) else False


def endpoint(name: str) -> Endpoint:
    """The Service that the operator makes for an object of that name."""
    return Endpoint(f"{name}-frontend", 8000)


def render(deployment: Deployment) -> Objects:
    """The graph that serves ``deployment``. Raises ``InputError`` naming every value that Dynamo can't honour."""
    spec = deployment.spec
    refusals = Refusals(NAME)
    refusals.refuse(spec.model.source is Source.AIKIT, "model.source", "AIKit images are for engine llamacpp")
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
    return Objects(graph)


_NOT_WORKERS = ("frontend", "epp", "planner")


def observe(obj: Object) -> Observation:
    """What a graph's status says; replicas are those of its workers."""
    status, conditions = obj.get("status") or {}, conditions_of(obj)
    state, phase = _STATE.of(obj), _STATE.phase(obj)
    replicas = _replicas((obj.get("spec") or {}).get("services") or {}, status.get("services") or {})
    message = short_of(replicas) if phase is Phase.RUNNING and status.get("services") else complaint(conditions)
    if state and phase is None:
        message = f"unknown state {state}"
    return Observation(phase or Phase.PENDING, message, replicas, conditions)


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
    spec = deployment.spec
    whole_worker = ComponentScaling(replicas=spec.scaling.replicas, gpu=spec.resources.gpu, memory=spec.resources.memory)
    parts = {"": whole_worker, "prefill": spec.scaling.prefill, "decode": spec.scaling.decode}
    workers: dict[str, Any] = {}
    problems: list[Problem] = []
    for role, name in _names(deployment).items():
        workers[name], clashes = _worker(deployment, parts[role] or ComponentScaling(), role or None)
        problems += [p for p in clashes if p not in problems]
    return workers, problems


def _names(deployment: Deployment) -> dict[str, str]:
    """The workers' names by role; the one of an aggregated deployment has none."""
    roles = ("prefill", "decode") if deployment.spec.disaggregated else ("",)
    return {role: f"{SERVICE[deployment.selection.engine]}{role.capitalize()}Worker" for role in roles}


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
