"""NVIDIA Dynamo: a DynamoGraphDeployment with a frontend and workers, aggregated or disaggregated.

Upstream facts: nvidia.com/v1alpha1 and the ``dynamo.<engine>`` modules as of release 1.1.1 (PyPI ai-dynamo 1.1.1).
"""

import json
from collections.abc import Mapping
from typing import Any

from airunway.provider.contract import NameLimit, SupportedFields
from airunway.provider.engine_args import ARGUMENT_FIELDS, Flag, command_arguments, flags
from airunway.provider.pods import (
    AGGREGATED_FIELDS,
    DISAGGREGATED_FIELDS,
    DISAGGREGATED_REASONS,
    ENVIRONMENT_FIELDS,
    GGUF_REASONS,
    IMAGE_FIELDS,
    POD_METADATA_FIELDS,
    SCHEDULING_FIELDS,
    TOKEN_KEY,
    environment,
    scheduling,
)
from airunway.provider.request import Endpoint, Objects, Request
from airunway.provider.supported_fields import Refusals
from airunway.provider.workers import ANY_ROLE, Workers, refuse_unknown_models, workers_by_role
from airunway.spec.model import GPU_RESOURCE, Engine, Mode
from airunway.text.merge import non_empty
from airunway.text.problems import Problem

NAME = "dynamo"
API_VERSION, KIND = "nvidia.com/v1alpha1", "DynamoGraphDeployment"
SELECTOR: Mapping[str, str] = {}
SERVICE = {Engine.VLLM: "Vllm", Engine.SGLANG: "Sglang", Engine.TRTLLM: "Trtllm"}
"""Prefix of the workers' names, by engine."""
_NIXL = json.dumps({"kv_connector": "NixlConnector", "kv_role": "kv_both"}, separators=(",", ":"))
_COMMON_FIELDS = frozenset(
    {"model.source", *ARGUMENT_FIELDS, *IMAGE_FIELDS, *ENVIRONMENT_FIELDS, *POD_METADATA_FIELDS, *SCHEDULING_FIELDS}
)
_MODES = {
    Mode.AGGREGATED: SupportedFields(_COMMON_FIELDS | AGGREGATED_FIELDS, GGUF_REASONS),
    Mode.DISAGGREGATED: SupportedFields(_COMMON_FIELDS | DISAGGREGATED_FIELDS, GGUF_REASONS | DISAGGREGATED_REASONS),
}
SUPPORTED: Mapping[Engine, Mapping[Mode, SupportedFields]] = dict.fromkeys(
    (Engine.VLLM, Engine.SGLANG, Engine.TRTLLM), _MODES
)
OWNED: Mapping[str, Any] = {}
# Enforced by the webhook (observed with the operator of April 2026); it also refuses a change of the set of workers,
# which is no single field.
IMMUTABLE: tuple[str, ...] = ("spec.backendFramework",)


def name_limit(request: Request) -> NameLimit:
    """The limit for a graph's name: Grove appends the workers' names to it; without Grove a label appends a suffix."""
    if not any(_has_grove(chart.values) for chart in request.config.spec.installation.helm_charts):
        return NameLimit(41, "the operator appends -k8s-service-discovery for a label of at most 63")
    longest_worker = max((_name(request, role) for role in workers_by_role(request.spec)), key=len)
    return NameLimit(
        45 - len(longest_worker),
        f"with the name of the worker {longest_worker} it has at most 45 if Grove is installed",
    )


def _has_grove(values: Mapping[str, Any]) -> bool:
    """Whether the chart's values install Grove."""
    global_values = values.get("global")
    grove = global_values.get("grove") if isinstance(global_values, dict) else None
    return bool(grove.get("install")) if isinstance(grove, dict) else False


def endpoint(name: str) -> Endpoint:
    """The Service that the operator creates for an object of that name."""
    return Endpoint(f"{name}-frontend", 8000)


def render(request: Request) -> Objects:
    """The graph that serves ``request``. Raises ``InputError`` for values that Dynamo can't honour."""
    spec = request.spec
    refusals = Refusals(NAME)
    refuse_unknown_models(refusals, spec, "a worker")
    exclusive = request.selection.engine is Engine.TRTLLM and "override-engine-args" in spec.engine.args
    refusals.refuse(
        exclusive and _engine_options(request),
        "engine.args.override-engine-args",
        "TensorRT-LLM does not accept it together with the options that the spec's fields set",
    )
    workers, problems = _workers(request)
    refusals.raise_if_any(problems)
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
    engine_flags, _ = flags(Engine.TRTLLM, request.spec, gpus=1)
    return request.spec.disaggregated or any(f.name.startswith("trtllm.") for f in engine_flags)


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
    for role, workers in workers_by_role(request.spec).items():
        services[_name(request, role)], clashes = _worker(request, workers, role)
        problems += [p for p in clashes if p not in problems]
    return services, problems


def _name(request: Request, role: str) -> str:
    return f"{SERVICE[request.selection.engine]}{role.capitalize()}Worker"


def _worker(request: Request, workers: Workers, role: str) -> tuple[dict[str, Any], list[Problem]]:
    spec, engine, gpu = request.spec, request.selection.engine, workers.gpu
    engine_flags, problems = flags(engine, spec, gpu.count, *disaggregation_flags(engine, role))
    container = {
        "image": request.image(str(engine)),
        "command": ["python3", "-m", f"dynamo.{engine}"],
        "args": command_arguments(engine_flags, spec),
    }
    gpu_amount = {"gpu": str(gpu.count), **non_empty(gpuType=gpu.type if gpu.type != GPU_RESOURCE else None)}
    worker = {
        "componentType": "worker",
        **non_empty(subComponentType=role),
        "replicas": workers.replicas,
        "resources": {
            "limits": gpu_amount | non_empty(cpu=spec.resources.cpu, memory=workers.memory),
            "requests": gpu_amount,
        },
        **_pod(request, container),
    }
    return worker, problems


def disaggregation_flags(engine: Engine, role: str) -> list[Flag]:
    """The flags for a worker's role; none in an aggregated deployment."""
    if role == ANY_ROLE:
        return []
    mode = Flag("disaggregation-mode", role, "serving.mode")
    match engine:
        case Engine.VLLM:
            return [mode, Flag("kv-transfer-config", _NIXL)]
        case Engine.SGLANG:
            return [mode, Flag("disaggregation-transfer-backend", "nixl"), Flag("host", "0.0.0.0")]  # noqa: S104 in a pod
        case _:
            # A prefill worker hands over after one step, which the overlap scheduler doesn't support (Dynamo's
            # TensorRT-LLM guide).
            overlap = [Flag("trtllm.disable_overlap_scheduler", "true")] if role == "prefill" else []
            return [mode, Flag("trtllm.cache_transceiver_config.backend", "DEFAULT"), *overlap]


def _pod(request: Request, container: dict[str, Any]) -> dict[str, Any]:
    """The fields that frontend and workers share."""
    spec = request.spec
    metadata = spec.pod_template.metadata
    own_token = any(v.name == TOKEN_KEY for v in spec.env)
    return {
        **non_empty(
            envs=environment(request, token=False),
            envFromSecret=None if own_token else request.token_secret,
            extraPodMetadata=non_empty(labels=dict(metadata.labels), annotations=dict(metadata.annotations)),
        ),
        "extraPodSpec": {"mainContainer": container, **scheduling(spec)},
    }
