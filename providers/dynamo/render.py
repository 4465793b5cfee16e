"""NVIDIA Dynamo: a DynamoGraphDeployment with a Frontend and workers, in one piece or prefill and decode apart.

Upstream facts: nvidia.com/v1alpha1 and the ``dynamo.<engine>`` modules as of release 1.1.1 (PyPI ai-dynamo 1.1.1).
"""

import json
from collections.abc import Mapping
from typing import Any

from airunway.provider.contract import Honours, NameLimit
from airunway.provider.engine_args import ARGUMENTS, Flag, flags, tokens
from airunway.provider.honoured import Refusals
from airunway.provider.pods import (
    ENVIRONMENT,
    IMAGE,
    NOT_GGUF,
    NOT_WHOLE,
    PARTS,
    POD_METADATA,
    SCHEDULING,
    TOKEN_KEY,
    WHOLE,
    environment,
    scheduling,
)
from airunway.provider.request import Endpoint, Objects, Request
from airunway.provider.workers import ALIKE, Workers, refuse_unknown_models, workers_of
from airunway.spec.model import GPU_RESOURCE, Engine, Mode
from airunway.text.merge import given
from airunway.text.problems import Problem

NAME = "dynamo"
API_VERSION, KIND = "nvidia.com/v1alpha1", "DynamoGraphDeployment"
SELECTOR: Mapping[str, str] = {}
SERVICE = {Engine.VLLM: "Vllm", Engine.SGLANG: "Sglang", Engine.TRTLLM: "Trtllm"}
"""Prefix of the workers' names, by engine."""
_NIXL = json.dumps({"kv_connector": "NixlConnector", "kv_role": "kv_both"}, separators=(",", ":"))
_EVERYWHERE = frozenset({"model.source", *ARGUMENTS, *IMAGE, *ENVIRONMENT, *POD_METADATA, *SCHEDULING})
_MODES = {
    Mode.AGGREGATED: Honours(_EVERYWHERE | WHOLE, NOT_GGUF),
    Mode.DISAGGREGATED: Honours(_EVERYWHERE | PARTS, NOT_GGUF | NOT_WHOLE),
}
HONOURS: Mapping[Engine, Mapping[Mode, Honours]] = dict.fromkeys((Engine.VLLM, Engine.SGLANG, Engine.TRTLLM), _MODES)
OWNED: Mapping[str, Any] = {}
# So says the webhook (seen with the operator of April 2026); it refuses other workers too, which are no path of their
# own.
IMMUTABLE: tuple[str, ...] = ("spec.backendFramework",)


def name_limit(request: Request) -> NameLimit:
    """The longest name of a graph: it is put together with its workers' names where Grove runs them, else with a
    label's ending.
    """
    if not any(_has_grove(chart.values) for chart in request.config.spec.installation.helm_charts):
        return NameLimit(41, "the operator appends -k8s-service-discovery for a label of at most 63")
    longest = max((_name(request, role) for role in workers_of(request.spec)), key=len)
    return NameLimit(
        45 - len(longest), f"together with the worker's, {longest}, it has at most 45 where Grove is installed"
    )


def _has_grove(values: Mapping[str, Any]) -> bool:
    """Whether the chart's values install Grove."""
    shared = values.get("global")
    grove = shared.get("grove") if isinstance(shared, dict) else None
    return bool(grove.get("install")) if isinstance(grove, dict) else False


def endpoint(name: str) -> Endpoint:
    """The Service that the operator makes for an object of that name."""
    return Endpoint(f"{name}-frontend", 8000)


def render(request: Request) -> Objects:
    """The graph that serves ``request``. Raises ``InputError`` naming every value that Dynamo can't honour."""
    spec = request.spec
    refusals = Refusals(NAME)
    refuse_unknown_models(refusals, spec, "a worker")
    exclusive = request.selection.engine is Engine.TRTLLM and "override-engine-args" in spec.engine.args
    refusals.refuse(
        exclusive and _engine_options(request),
        "engine.args.override-engine-args",
        "it excludes what the spec's fields set",
    )
    workers, problems = _workers(request)
    refusals.done(problems)
    graph = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": request.metadata,
        "spec": {
            "backendFramework": str(request.selection.engine),
            "services": {"Frontend": _frontend(request), **workers},
        },
    }
    return Objects(graph)


def _engine_options(request: Request) -> bool:
    found, _ = flags(Engine.TRTLLM, request.spec, gpus=1)
    return request.spec.disaggregated or any(f.name.startswith("trtllm.") for f in found)


def _frontend(request: Request) -> dict[str, Any]:
    defaults = request.config.spec.defaults
    return {
        "componentType": "frontend",
        "replicas": 1,
        "resources": {"requests": {"cpu": defaults["frontendCpu"], "memory": defaults["frontendMemory"]}},
        **_pod(request, {"image": request.image(str(request.selection.engine))}),
    }


def _workers(request: Request) -> tuple[dict[str, Any], list[Problem]]:
    services: dict[str, Any] = {}
    problems: list[Problem] = []
    for role, workers in workers_of(request.spec).items():
        services[_name(request, role)], clashes = _worker(request, workers, role)
        problems += [p for p in clashes if p not in problems]
    return services, problems


def _name(request: Request, role: str) -> str:
    return f"{SERVICE[request.selection.engine]}{role.capitalize()}Worker"


def _worker(request: Request, workers: Workers, role: str) -> tuple[dict[str, Any], list[Problem]]:
    spec, engine, gpu = request.spec, request.selection.engine, workers.gpu
    found, problems = flags(engine, spec, gpu.count, *disaggregation(engine, role))
    container = {
        "image": request.image(str(engine)),
        "command": ["python3", "-m", f"dynamo.{engine}"],
        "args": tokens(found, spec),
    }
    amount = {"gpu": str(gpu.count), **given(gpuType=gpu.type if gpu.type != GPU_RESOURCE else None)}
    worker = {
        "componentType": "worker",
        **given(subComponentType=role),
        "replicas": workers.replicas,
        "resources": {"limits": amount | given(cpu=spec.resources.cpu, memory=workers.memory), "requests": amount},
        **_pod(request, container),
    }
    return worker, problems


def disaggregation(engine: Engine, role: str) -> list[Flag]:
    """The flags that a worker has for its role; none where all are alike."""
    if role == ALIKE:
        return []
    mode = Flag("disaggregation-mode", role, "serving.mode")
    match engine:
        case Engine.VLLM:
            return [mode, Flag("kv-transfer-config", _NIXL)]
        case Engine.SGLANG:
            return [mode, Flag("disaggregation-transfer-backend", "nixl"), Flag("host", "0.0.0.0")]  # noqa: S104 in a pod
        case _:
            # A prefill worker hands over after one step, which the overlap scheduler does not allow (Dynamo's
            # TensorRT-LLM guide).
            overlap = [Flag("trtllm.disable_overlap_scheduler", "true")] if role == "prefill" else []
            return [mode, Flag("trtllm.cache_transceiver_config.backend", "DEFAULT"), *overlap]


def _pod(request: Request, container: dict[str, Any]) -> dict[str, Any]:
    """What Frontend and workers have in common."""
    spec = request.spec
    metadata = spec.pod_template.metadata
    own_token = any(v.name == TOKEN_KEY for v in spec.env)
    return {
        **given(
            envs=environment(request, token=False),
            envFromSecret=None if own_token else request.token_secret,
            extraPodMetadata=given(labels=dict(metadata.labels), annotations=dict(metadata.annotations)),
        ),
        "extraPodSpec": {"mainContainer": container, **scheduling(spec)},
    }
