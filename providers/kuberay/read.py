"""A KubeRay RayService read back into the fields of a deployment, as far as those say what it says.

The inverse of ``kuberay.render``; what it leaves out shows when the result is rendered again.
"""

from typing import Any

import yaml

from airunway.provider.reading import Object, UnreadableError, environment_of, pod_of, resources_of
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.text.merge import given


def read(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The fields of a deployment that say what the RayService says. Raises ``UnreadableError``."""
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
    engine = _keywords(chosen.get("engine_kwargs") or {}, int(resources_of(limits).get("gpu", {}).get("count", 0)))
    found = {
        "model": model,
        "engine": {"type": "vllm", **engine, **given(image=_unless(image, config.spec.images.get("vllm")))},
        **environment_of(container.get("env") or []),
        **pod_of(pod.get("metadata") or {}, pod.get("spec") or {}),
    }
    amounts = resources_of(limits)
    amounts |= {
        "cpu": _unless(amounts.get("cpu"), defaults["workerCpu"]),
        "memory": _unless(amounts.get("memory"), defaults["workerMemory"]),
    }
    if configs:
        replicas = (chosen.get("deployment_config") or {}).get("num_replicas", 1)
        return found | given(resources=given(**amounts), scaling=given(replicas=_unless(replicas, 1)))
    scaling = {}
    for role, group in zip(pair, groups, strict=True):
        inner = resources_of(
            (((group.get("template") or {}).get("spec") or {}).get("containers") or [{}])[0].get("resources", {}).get("limits") or {}
        )
        inner.pop("cpu", None)
        part = given(gpu=inner.get("gpu"), memory=_unless(inner.get("memory"), defaults["workerMemory"]))
        scaling[role] = {"replicas": int((pair[role].get("deployment_config") or {}).get("num_replicas", 1)), **part}
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
