"""Upstream objects read back into the fields of a deployment, as far as those fields say what the object says.

Each reader is the inverse of its provider's renderer. What it leaves out shows when the result is rendered again.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import yaml

from providers import aikit, dynamo, kaito, kuberay
from providers.provider_config import InferenceProviderConfig
from providers.rendering import GPU_RESOURCE, GROUP, TOKEN_KEY, given

Object = Mapping[str, Any]


class UnreadableError(Exception):
    """The object is not one that a deployment can stand for; the text says why."""


def _workspace(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    inference, resource = obj.get("inference"), obj.get("resource") or {}
    if not inference:
        raise UnreadableError("inference: is not there; a Workspace that tunes a model is not a deployment")
    labels = dict((resource.get("labelSelector") or {}).get("matchLabels") or {})
    labels.pop("nvidia.com/gpu.present", None)
    if labels.get("kubernetes.io/os") == "linux":
        labels.pop("kubernetes.io/os")
    count = labels.pop("nvidia.com/gpu.count", "1")
    scaling = {"replicas": resource.get("count", 1)} if resource.get("count", 1) != 1 else {}
    common = given(nodeSelector=labels, scaling=scaling)
    preset = inference.get("preset")
    if preset:
        secret = (preset.get("presetOptions") or {}).get("modelAccessSecret")
        gpus = {"gpu": {"count": int(count) if str(count).isdigit() else 1}}
        secrets = given(huggingFaceToken=secret)
        return {"model": {"id": preset.get("name")}, "engine": {"type": "vllm"}, "resources": gpus, **given(secrets=secrets), **common}
    template = inference.get("template") or {}
    containers = (template.get("spec") or {}).get("containers") or []
    if len(containers) != 1:
        raise UnreadableError(f"inference.template.spec.containers: {len(containers)} are there, a deployment has one")
    return _llamacpp(containers[0], config) | common | _pod(template.get("metadata") or {}, template["spec"])


def _llamacpp(container: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    image, arguments = str(container.get("image", "")), list(container.get("args") or [])
    limits = (container.get("resources") or {}).get("limits") or {}
    resources = _resources(limits)
    model: dict[str, Any] = {"source": "custom"}
    first = str(arguments[0]) if arguments else ""
    single = re.fullmatch(r"https://huggingface\.co/(.+)/resolve/main/(.+\.gguf)", first)
    if first.startswith("huggingface://"):
        model = {"id": first.removeprefix("huggingface://")}
    elif single:
        model = {"id": unquote(single[1]), "gguf": {"file": unquote(single[2])}}
    own = config.spec.images["llamacppGpu" if "gpu" in resources else "llamacppCpu"]
    engine: dict[str, Any] = {"type": "llamacpp"}
    if model.get("source"):
        premade = next((i for i in aikit.data()["premade"] if config.spec.images["premade"].replace("{id}", i) == image), None)
        model, engine = ({"source": "aikit", "id": premade}, engine) if premade else (model, engine | {"image": image})
    else:
        arguments = arguments[1:]
        engine |= {} if image == own else {"image": image}
    rest = [a for a in arguments if a != f"--address=:{aikit.data()['port']}"]
    if rest and (length := re.fullmatch(r"--context-size=(\d+)", rest[0])):
        engine["contextLength"] = int(length[1])
        rest = rest[1:]
    return {
        "model": model,
        "engine": engine | given(extraArgs=rest),
        **given(resources=resources),
        **_environment(container.get("env") or []),
    }


def _graph(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    spec = obj.get("spec") or {}
    services = dict(spec.get("services") or {})
    frontend = services.pop("Frontend", None)
    engine = str(spec.get("backendFramework") or "")
    prefix = next((name for kind, name in dynamo.SERVICE.items() if kind == engine), None)
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
        **_pod(sample.get("extraPodMetadata") or {}, sample.get("extraPodSpec") or {}),
    }
    limits = (sample.get("resources") or {}).get("limits") or {}
    if "" in parts:
        scaling = given(replicas=sample.get("replicas") if sample.get("replicas") != 1 else None)
        amounts = {"gpu": _graph_gpu(limits), **given(cpu=limits.get("cpu"), memory=limits.get("memory"))}
        return found | {"resources": amounts} | given(scaling=scaling)
    scaling = {role: _part(service.get("replicas", 1), _graph_limits(service)) for role, service in parts.items()}
    return found | {"serving": {"mode": "disaggregated"}, "scaling": scaling} | given(resources=given(cpu=limits.get("cpu")))


def _graph_limits(service: Object) -> dict[str, Any]:
    limits = (service.get("resources") or {}).get("limits") or {}
    return {"gpu": _graph_gpu(limits), **given(memory=limits.get("memory"))}


def _graph_gpu(limits: Object) -> dict[str, Any]:
    return {"count": int(limits.get("gpu") or 0), **given(type=limits.get("gpuType"))}


def _gpus(service: Object) -> int:
    return int(((service.get("resources") or {}).get("limits") or {}).get("gpu") or 0)


def _part(replicas: Any, limits: dict[str, Any]) -> dict[str, Any]:
    return {"replicas": int(replicas), **limits}


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


def _ray_service(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    spec = obj.get("spec") or {}
    serve = yaml.safe_load(spec.get("serveConfigV2") or "") or {}
    applications = serve.get("applications") or []
    builder = str(applications[0].get("import_path", "")) if len(applications) == 1 else ""
    arguments = applications[0].get("args") or {} if builder else {}
    configs = arguments.get("llm_configs") or []
    pair: dict[str, Any] = {role: arguments.get(f"{role}_config") for role in ("prefill", "decode")}
    groups = (spec.get("rayClusterConfig") or {}).get("workerGroupSpecs") or []
    if not (builder.endswith(":build_openai_app") and len(configs) == 1) and not (
        builder.endswith(":build_pd_openai_app") and all(pair.values())
    ):
        raise UnreadableError("spec.serveConfigV2: is not one application of ray.serve.llm with one model")
    if len(groups) != (1 if configs else 2):
        raise UnreadableError(f"spec.rayClusterConfig.workerGroupSpecs: {len(groups)} are there, a deployment has {1 if configs else 2}")
    chosen = configs[0] if configs else pair["decode"]
    pod = groups[-1].get("template") or {}
    container = ((pod.get("spec") or {}).get("containers") or [{}])[0]
    limits = (container.get("resources") or {}).get("limits") or {}
    image = container.get("image")
    loading, defaults = chosen.get("model_loading_config") or {}, config.spec.defaults
    model = {"id": loading.get("model_source"), **given(servedName=_unless(loading.get("model_id"), loading.get("model_source")))}
    engine = _keywords(chosen.get("engine_kwargs") or {}, int(_resources(limits).get("gpu", {}).get("count", 0)))
    found = {
        "model": model,
        "engine": {"type": "vllm", **engine, **given(image=_unless(image, config.spec.images.get("vllm")))},
        **_environment(container.get("env") or []),
        **_pod(pod.get("metadata") or {}, pod.get("spec") or {}),
    }
    amounts = _resources(limits)
    amounts |= {
        "cpu": _unless(amounts.get("cpu"), defaults["workerCpu"]),
        "memory": _unless(amounts.get("memory"), defaults["workerMemory"]),
    }
    if configs:
        replicas = (chosen.get("deployment_config") or {}).get("num_replicas", 1)
        return found | given(resources=given(**amounts), scaling=given(replicas=_unless(replicas, 1)))
    scaling = {}
    for role, group in zip(pair, groups, strict=True):
        inner = _resources(
            (((group.get("template") or {}).get("spec") or {}).get("containers") or [{}])[0].get("resources", {}).get("limits") or {}
        )
        inner.pop("cpu", None)
        part = given(gpu=inner.get("gpu"), memory=_unless(inner.get("memory"), defaults["workerMemory"]))
        scaling[role] = _part((pair[role].get("deployment_config") or {}).get("num_replicas", 1), part)
    return found | {"serving": {"mode": "disaggregated"}, "scaling": scaling} | given(resources=given(cpu=amounts["cpu"]))


def _keywords(arguments: Object, gpus: int) -> dict[str, Any]:
    """Engine settings of vLLM keyword arguments."""
    settings: dict[str, Any] = {}
    args: dict[str, str] = {}
    for name, value in arguments.items():
        if name == "max_model_len":
            settings["contextLength"] = value
        elif name == "trust_remote_code" and value is True:
            settings["trustRemoteCode"] = True
        elif name == "enforce_eager" and value is True:
            settings["enforceEager"] = True
        elif name == "enable_prefix_caching" and value is False:
            settings["enablePrefixCaching"] = False
        elif name != "kv_transfer_config" and not (name == "tensor_parallel_size" and value == gpus):
            args[name.replace("_", "-")] = "" if value is True else str(value)
    return settings | given(args=args)


def _unless(value: Any, default: Any) -> Any:
    return None if value == default else value


def _resources(limits: Object) -> dict[str, Any]:
    """A container's limits as ``resources``."""
    gpu = next((key for key in limits if "/" in key), None)  # only extended resources have a domain
    counted = {"gpu": {"count": int(limits[gpu]), **({} if gpu == GPU_RESOURCE else {"type": gpu})}} if gpu else {}
    return counted | given(cpu=limits.get("cpu"), memory=limits.get("memory"))


def _environment(env: list[Any]) -> dict[str, Any]:
    """``env`` without the token that a renderer puts last, and the Secret that holds it."""
    last = env[-1] if env else {}
    reference = (last.get("valueFrom") or {}).get("secretKeyRef") or {}
    if last.get("name") == TOKEN_KEY and reference.get("key") == TOKEN_KEY:
        return given(env=env[:-1]) | {"secrets": {"huggingFaceToken": reference["name"]}}
    return given(env=env)


def _pod(metadata: Object, spec: Object) -> dict[str, Any]:
    """What a pod says of labels, annotations and nodes."""
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != f"{GROUP}/deployment"}
    pod = given(labels=labels, annotations=dict(metadata.get("annotations") or {}))
    found = given(podTemplate={"metadata": pod} if pod else {}, tolerations=list(spec.get("tolerations") or []))
    return found | given(nodeSelector=dict(spec.get("nodeSelector") or {}))


READERS: dict[str, tuple[str, Callable[[Object, InferenceProviderConfig], dict[str, Any]]]] = {
    kaito.KIND: (kaito.NAME, _workspace),
    dynamo.KIND: (dynamo.NAME, _graph),
    kuberay.KIND: (kuberay.NAME, _ray_service),
}
"""Provider and reader by kind."""
