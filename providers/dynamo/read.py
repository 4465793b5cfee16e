"""A DynamoGraphDeployment read back into the fields of a deployment, as far as those say what it says.

The inverse of ``dynamo.render``; what it leaves out shows when the result is rendered again.
"""

from typing import Any

from airunway.provider.reading import Object, UnreadableError, pod_of
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import Engine
from airunway.text.merge import given

SERVICE = {Engine.VLLM: "Vllm", Engine.SGLANG: "Sglang", Engine.TRTLLM: "Trtllm"}
"""Prefix of the workers' names, by engine."""


def read(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The fields of a deployment that say what the graph says. Raises ``UnreadableError``."""
    spec = obj.get("spec") or {}
    services = dict(spec.get("services") or {})
    frontend = services.pop("Frontend", None)
    engine = str(spec.get("backendFramework") or "")
    prefix = next((name for kind, name in SERVICE.items() if kind == engine), None)
    if prefix is None or frontend is None:
        raise UnreadableError("spec: a Frontend and a backendFramework of vllm, sglang or trtllm are wanted")
    wanted = {f"{prefix}Worker"}, {f"{prefix}PrefillWorker", f"{prefix}DecodeWorker"}
    if set(services) not in wanted:
        names = " or ".join(", ".join(sorted(w)) for w in wanted)
        raise UnreadableError(
            f"spec.services: has {', '.join(sorted(services)) or 'no workers'}, a deployment's workers are called {names}"
        )
    parts = {name.removeprefix(prefix).removesuffix("Worker").lower(): service for name, service in services.items()}
    sample = parts.get("") or parts["decode"]
    main = (sample.get("extraPodSpec") or {}).get("mainContainer") or {}
    settings = _arguments(list(map(str, main.get("args") or [])), _gpus(sample))
    image = main.get("image")
    found = {
        "model": settings.pop("model"),
        "engine": {"type": engine, **settings, **({} if image == config.spec.images.get(engine) else given(image=image))},
        **given(env=list(sample.get("envs") or []), secrets=given(huggingFaceToken=sample.get("envFromSecret"))),
        **pod_of(sample.get("extraPodMetadata") or {}, sample.get("extraPodSpec") or {}),
    }
    limits = (sample.get("resources") or {}).get("limits") or {}
    if "" in parts:
        scaling = given(replicas=sample.get("replicas") if sample.get("replicas") != 1 else None)
        amounts = {"gpu": _graph_gpu(limits), **given(cpu=limits.get("cpu"), memory=limits.get("memory"))}
        return found | {"resources": amounts} | given(scaling=scaling)
    scaling = {role: {"replicas": int(service.get("replicas", 1)), **_graph_limits(service)} for role, service in parts.items()}
    return found | {"serving": {"mode": "disaggregated"}, "scaling": scaling} | given(resources=given(cpu=limits.get("cpu")))


def _graph_limits(service: Object) -> dict[str, Any]:
    limits = (service.get("resources") or {}).get("limits") or {}
    return {"gpu": _graph_gpu(limits), **given(memory=limits.get("memory"))}


def _graph_gpu(limits: Object) -> dict[str, Any]:
    return {"count": int(limits.get("gpu") or 0), **given(type=limits.get("gpuType"))}


def _gpus(service: Object) -> int:
    return int(((service.get("resources") or {}).get("limits") or {}).get("gpu") or 0)


_LENGTHS = ("max-model-len", "context-length", "max-seq-len")
_SWITCHES = {
    "trust-remote-code": ("trustRemoteCode", True),
    "trtllm.trust_remote_code": ("trustRemoteCode", True),
    "no-enable-prefix-caching": ("enablePrefixCaching", False),
    "disable-radix-cache": ("enablePrefixCaching", False),
    "trtllm.kv_cache_config.enable_block_reuse": ("enablePrefixCaching", False),
    "enforce-eager": ("enforceEager", True),
    "disable-cuda-graph": ("enforceEager", True),
    "trtllm.cuda_graph_config": ("enforceEager", True),
}
_DERIVED = ("disaggregation-mode", "kv-transfer-config", "disaggregation-transfer-backend", "host")


def _arguments(words: list[str], gpus: int) -> dict[str, Any]:
    """Engine settings of a command line of ``--key value`` and ``--flag``, without what a renderer derives by itself."""
    model: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    args: dict[str, str] = {}
    index = 0
    while index < len(words):
        key, value = words[index].removeprefix("--"), ""
        if not words[index].startswith("--"):
            raise UnreadableError(f"args[{index}]: {words[index]!r} is not a flag")
        if index + 1 < len(words) and not words[index + 1].startswith("--"):
            index, value = index + 1, words[index + 1]
        index += 1
        if key in ("model", "model-path"):
            model["id"] = value
        elif key == "served-model-name":
            model["servedName"] = value
        elif key in _LENGTHS and value.isdigit():
            settings["contextLength"] = int(value)
        elif key in _SWITCHES:
            name, on = _SWITCHES[key]
            settings[name] = on
        elif not (key in _DERIVED or "." in key or (key == "tensor-parallel-size" and value == str(gpus))):
            args[key] = value
    if "id" not in model:
        raise UnreadableError("args: name no model")
    return {"model": model, **settings, **given(args=args)}
