"""NVIDIA Dynamo: a DynamoGraphDeployment with a frontend and workers, aggregated or disaggregated.

Upstream facts: the ``dynamo.<engine>`` modules as of release 1.6.1 (PyPI ai-dynamo 1.6.1).
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from airunway.provider.contract import NameLimit, SupportedFields
from airunway.provider.engine_args import ARGUMENT_FIELDS, EngineFlags, Flag, command_arguments, engine_flags
from airunway.provider.pods import (
    AGGREGATED_FIELDS,
    DISAGGREGATED_FIELDS,
    DISAGGREGATED_REASONS,
    ENVIRONMENT_FIELDS,
    GGUF_REASONS,
    IMAGE_FIELDS,
    POD_METADATA_FIELDS,
    SCHEDULING_FIELDS,
    environment,
    has_own_token,
    scheduling,
)
from airunway.provider.renaming import renamed
from airunway.provider.request import Endpoint, Objects, Request
from airunway.provider.storage import STORAGE_FIELDS, MountedVolume
from airunway.provider.supported_fields import Refusals
from airunway.provider.user_flags import user_flags
from airunway.provider.worker_flags import WorkerFlags, load_worker_flags
from airunway.provider.workers import ANY_ROLE, Workers, refuse_unknown_models, workers_by_role
from airunway.spec.model import Engine, Mode
from airunway.text.merge import non_empty
from airunway.text.problems import Problem
from providers.dynamo import v1alpha1, v1beta1
from providers.dynamo.component import FRONTEND, Component
from providers.dynamo.volumes import check_volumes, worker_variables, worker_volumes

NAME = "dynamo"
API_VERSION, KIND = v1beta1.API_VERSION, "DynamoGraphDeployment"
OLDER_API_VERSIONS: tuple[str, ...] = (v1alpha1.API_VERSION,)
SELECTOR: Mapping[str, str] = {}
SERVICE = {Engine.VLLM: "Vllm", Engine.SGLANG: "Sglang", Engine.TRTLLM: "Trtllm"}
"""Prefix of the workers' names, by engine."""
WORKER_TYPES = frozenset({"worker", "prefill", "decode"})
"""The types of components that run an engine."""
_NIXL = json.dumps({"kv_connector": "NixlConnector", "kv_role": "kv_both"}, separators=(",", ":"))
_COMMON_FIELDS = frozenset(
    {
        "model.source",
        *ARGUMENT_FIELDS,
        *IMAGE_FIELDS,
        *ENVIRONMENT_FIELDS,
        *POD_METADATA_FIELDS,
        *SCHEDULING_FIELDS,
        *STORAGE_FIELDS,
    }
)
_MODES = {
    Mode.AGGREGATED: SupportedFields(_COMMON_FIELDS | AGGREGATED_FIELDS, GGUF_REASONS),
    Mode.DISAGGREGATED: SupportedFields(_COMMON_FIELDS | DISAGGREGATED_FIELDS, GGUF_REASONS | DISAGGREGATED_REASONS),
}
SUPPORTED: Mapping[Engine, Mapping[Mode, SupportedFields]] = dict.fromkeys(
    (Engine.VLLM, Engine.SGLANG, Engine.TRTLLM), _MODES
)
OPERATOR_DEFAULTS: Mapping[str, Any] = {}
# Enforced by the webhook (observed with the operator of April 2026); it also refuses a change of the set of workers,
# which is no single field.
REPLACE_ON_CHANGES: tuple[str, ...] = ("spec.backendFramework",)


def name_limit(request: Request) -> NameLimit:
    """The limit for a graph's name: Grove appends the workers' names to it; without Grove a label appends a suffix."""
    if not any(_has_grove(chart.values) for chart in request.config.spec.installation.helm_charts):
        return NameLimit(41, "the operator appends -k8s-service-discovery for a label of at most 63")
    worker, used = max((_grove_name(request, role) for role in workers_by_role(request.spec)), key=lambda name: name[1])
    return NameLimit(45 - used, f"with the name of the worker {worker} it has at most 45 if Grove is installed")


def _grove_name(request: Request, role: str) -> tuple[str, int]:
    """A worker's name, and the characters that Grove appends for it, on several nodes also a group and a leader."""
    name = _name(request, role)
    return name, len(name) + (len(f"{name}-ldr") if _nodes(request, role) > 1 else 0)


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
    if request.selection.engine is Engine.TRTLLM:
        _refuse_two_kinds_of_options(request, refusals)
    check_volumes(request, refusals)
    workers, problems, warnings = _workers(request)
    refusals.raise_if_any(problems)
    components = [_frontend(request), *workers]
    version = _version(request)
    graph = {
        "apiVersion": version.API_VERSION,
        "kind": KIND,
        "metadata": request.metadata,
        "spec": version.graph_spec(str(request.selection.engine), components),
    }
    replacement_trigger = ", ".join(component.name for component in components)
    return Objects(
        graph, warnings=tuple(warnings), replacement_trigger=replacement_trigger, renamed=tuple(_names(request))
    )


def _refuse_two_kinds_of_options(request: Request, refusals: Refusals) -> None:
    """Refuse ``--override-engine-args`` beside options with dotted names, which ``dynamo.trtllm`` does not accept."""
    written = user_flags(Engine.TRTLLM, request.spec)
    names = [flag.name for flag in engine_flags(Engine.TRTLLM, request.spec, None).flags]
    names += [user_flag.flag.name for user_flag in written]
    dotted = request.spec.disaggregated or any(name.startswith("trtllm.") for name in names)
    for user_flag in written:
        refusals.refuse(
            user_flag.flag.name == "override-engine-args" and dotted,
            user_flag.field,
            "TensorRT-LLM does not accept it together with options that the spec's fields or dotted names set",
        )


def _frontend(request: Request) -> Component:
    defaults = request.config.spec.defaults
    return Component(
        FRONTEND,
        1,
        {"image": request.image(str(request.selection.engine))},
        requests={"cpu": defaults["frontendCpu"], "memory": defaults["frontendMemory"]},
        **_pod(request),
    )


def _workers(request: Request) -> tuple[list[Component], list[Problem], list[str]]:
    """The workers, with the problems and warnings about their flags."""
    components: list[Component] = []
    problems: list[Problem] = []
    warnings: list[str] = []
    for role, workers in workers_by_role(request.spec).items():
        parsed = _worker_flags(request, workers, role)
        components.append(_worker(request, workers, role, parsed.flags))
        problems += [problem for problem in parsed.problems if problem not in problems]
        warnings += [warning for warning in parsed.warnings if warning not in warnings]
    return components, problems, warnings


def own_names(engine: Engine, roles: Iterable[str]) -> dict[str, str]:
    """The types of the workers of these roles by the names that we give them."""
    return {f"{SERVICE[engine]}{role.capitalize()}Worker": role or "worker" for role in roles}


def _names(request: Request) -> dict[str, str]:
    """The names that overrides give to workers, by the names that we give them."""
    version = _version(request)

    def kind_of(change: Mapping[str, Any]) -> str | None:
        kind = str(version.kind_of(change))
        return kind if kind in WORKER_TYPES else None

    own = own_names(request.selection.engine, workers_by_role(request.spec))
    return renamed(version.changes(request.spec.provider.overrides or {}), own, kind_of)


def _name(request: Request, role: str) -> str:
    (own,) = own_names(request.selection.engine, [role])
    return _names(request).get(own, own)


@cache
def known_flags() -> Mapping[Engine, WorkerFlags]:
    """The flags of ``dynamo.ENGINE``, by engine."""
    return load_worker_flags(Path(__file__).with_name("flags.yaml"))


def _worker_flags(request: Request, workers: Workers, role: str) -> EngineFlags:
    engine = request.selection.engine
    return engine_flags(
        engine,
        request.spec,
        workers.devices(_nodes(request, role)),
        *disaggregation_flags(engine, role),
        worker=known_flags()[engine],
        image=request.image(str(engine)),
    )


def _nodes(request: Request, role: str) -> int:
    """The nodes of each replica of a worker, which only an override can set."""
    change = _version(request).changes(request.spec.provider.overrides or {}).get(_name(request, role))
    multinode = change.get("multinode") if isinstance(change, Mapping) else None
    count = multinode.get("nodeCount") if isinstance(multinode, Mapping) else None
    return count if type(count) is int and count > 1 else 1


def _version(request: Request) -> ModuleType:
    """The module of the API version as which the graph is created."""
    return v1alpha1 if request.config.spec.api_version == v1alpha1.API_VERSION else v1beta1


def _worker(request: Request, workers: Workers, role: str, flags: list[Flag]) -> Component:
    spec, engine, gpu = request.spec, request.selection.engine, workers.gpu
    container = {
        "image": request.image(str(engine)),
        "command": ["python3", "-m", f"dynamo.{engine}"],
        "args": command_arguments(flags, spec),
    }
    return Component(
        _name(request, role),
        workers.replicas,
        container,
        role=role,
        gpus=gpu.count,
        gpu_type=gpu.type,
        limits=non_empty(cpu=spec.resources.cpu, memory=workers.memory),
        **_pod(request, worker_volumes(request)),
    )


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


def _pod(request: Request, volumes: tuple[MountedVolume, ...] = ()) -> dict[str, Any]:
    """The fields that frontend and workers share, with the ``volumes`` that only workers have."""
    spec = request.spec
    return {
        "env": tuple(environment(request, worker_variables(request, volumes), token=False)),
        "volumes": volumes,
        "token_secret": None if has_own_token(spec) else request.token_secret,
        "labels": dict(spec.pod_template.metadata.labels),
        "annotations": dict(spec.pod_template.metadata.annotations),
        "scheduling": scheduling(spec),
    }
