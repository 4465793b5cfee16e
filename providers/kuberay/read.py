"""A KubeRay RayService read back into the fields of a deployment, as far as those say what it says.

The inverse of ``kuberay.render``; what it leaves out shows when the result is rendered again.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from airunway.provider.embedded_yaml import read_embedded
from airunway.provider.engine_args_reading import read_keywords
from airunway.provider.live_object import LiveModel, read_as
from airunway.provider.live_pod import Container, PodTemplate
from airunway.provider.reading import Object, UnreadableError, environment_of, pod_of, resources_of
from airunway.provider.workers import ALIKE
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import Engine
from airunway.text.merge import given
from providers.kuberay.render import transfer

_SERVE, _GROUPS = "spec.serveConfigV2", "spec.rayClusterConfig.workerGroupSpecs"


class WorkerGroup(LiveModel):
    """One group of workers."""

    template: PodTemplate = PodTemplate()


class RayCluster(LiveModel):
    """The cluster of a RayService."""

    worker_group_specs: list[WorkerGroup] = Field([])


class RayServiceSpec(LiveModel):
    """What a RayService runs."""

    serve_config_v2: str = ""
    ray_cluster_config: RayCluster = RayCluster()


class RayService(LiveModel):
    """What is read of a RayService to say it as a deployment."""

    spec: RayServiceSpec = RayServiceSpec()


class ServeModel(LiveModel):
    """Base of what Ray Serve reads, in snake case (Ray 2.55.0, LLMServingArgs and PDServingArgs)."""

    model_config = ConfigDict(alias_generator=None)


class Application(ServeModel):
    """One Serve application."""

    import_path: str = ""
    args: dict[str, Any] = Field({})


class ServeConfig(ServeModel):
    """All applications of a cluster."""

    applications: list[Application] = Field([])


class ModelLoading(ServeModel):
    """Which model, and the name that the API answers to."""

    model_id: str | None = None
    model_source: str | None = None


class ServeDeployment(ServeModel):
    """How many replicas serve."""

    num_replicas: int = 1


class LlmConfig(ServeModel):
    """One model of ``ray.serve.llm``."""

    model_loading_config: ModelLoading = ModelLoading()
    deployment_config: ServeDeployment = ServeDeployment()
    engine_kwargs: dict[str, Any] = Field({})


class ServingArgs(ServeModel):
    """The arguments of an application that serves one model in one piece."""

    llm_configs: list[LlmConfig] = Field([])


class PdServingArgs(ServeModel):
    """The arguments of an application that serves one model with prefill and decode apart."""

    prefill_config: LlmConfig
    decode_config: LlmConfig


def read(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The fields of a deployment that say what the RayService says. Raises ``UnreadableError``."""
    spec = read_as(RayService, obj).spec
    parts, groups = _models(spec.serve_config_v2), spec.ray_cluster_config.worker_group_specs
    if len(groups) != len(parts):
        raise UnreadableError(f"{_GROUPS}: {len(groups)} are there, a deployment has {len(parts)}")
    chosen, template = list(parts.values())[-1], groups[-1].template
    container = _container(template, len(groups) - 1)
    loading, defaults = chosen.model_loading_config, config.spec.defaults
    amounts = dict(zip(parts, map(_amounts, range(len(groups)), groups), strict=True))
    engine = _engine(parts, {role: inner.get("gpu", {}).get("count", 0) for role, inner in amounts.items()})
    found = {
        "model": {"id": loading.model_source, **given(servedName=_unless(loading.model_id, loading.model_source))},
        "engine": {"type": "vllm", **engine, **given(image=_unless(container.image, config.spec.images.get("vllm")))},
        **environment_of(container.env),
        **pod_of(template.metadata, template.spec),
    }
    sizes = {
        role: given(gpu=inner.get("gpu"), memory=_unless(inner.get("memory"), defaults["workerMemory"]))
        for role, inner in amounts.items()
    }
    cpu = _unless(list(amounts.values())[-1].get("cpu"), defaults["workerCpu"])
    if ALIKE in parts:
        replicas = _unless(chosen.deployment_config.num_replicas, 1)
        resources = sizes[ALIKE] | given(cpu=cpu)
        return found | given(resources=resources) | ({} if replicas is None else {"scaling": {"replicas": replicas}})
    scaling = {role: {"replicas": part.deployment_config.num_replicas, **sizes[role]} for role, part in parts.items()}
    return found | {"serving": {"mode": "disaggregated"}, "scaling": scaling} | given(resources=given(cpu=cpu))


def _models(text: str) -> dict[str, LlmConfig]:
    """The models of the one application by their roles; ``ALIKE`` in an aggregated deployment."""
    data = read_embedded(text, _SERVE)
    applications = read_as(ServeConfig, {} if data is None else data, _SERVE).applications
    path, builder = f"{_SERVE}.applications[0].args", applications[0].import_path if len(applications) == 1 else ""
    if builder.endswith(":build_openai_app"):
        configs = read_as(ServingArgs, applications[0].args, path).llm_configs
        if len(configs) == 1:
            return {ALIKE: configs[0]}
    elif builder.endswith(":build_pd_openai_app"):
        pair = read_as(PdServingArgs, applications[0].args, path)
        return {"prefill": pair.prefill_config, "decode": pair.decode_config}
    raise UnreadableError(f"{_SERVE}: is not one application of ray.serve.llm with one model")


def _container(template: PodTemplate, index: int) -> Container:
    if not template.spec.containers:
        raise UnreadableError(f"{_GROUPS}[{index}].template.spec.containers: none is there")
    return template.spec.containers[0]


def _amounts(index: int, group: WorkerGroup) -> dict[str, Any]:
    limits = _container(group.template, index).resources.limits
    return resources_of(limits, f"{_GROUPS}[{index}].template.spec.containers[0].resources.limits")


def _engine(parts: Mapping[str, LlmConfig], gpus: Mapping[str, int]) -> dict[str, Any]:
    """Engine settings that all roles' keyword arguments come from; those of the last where there are none."""
    first, *others = [_keywords(role, part, gpus[role]) for role, part in parts.items()]
    if all(other == first for other in others):
        return first
    # One number of GPUs for roles that have several is a person's.
    return [_keywords(role, part, 0) for role, part in parts.items()][-1]


def _keywords(role: str, part: LlmConfig, gpus: int) -> dict[str, Any]:
    section: dict[str, Any] = read_keywords(Engine.VLLM, part.engine_kwargs, gpus, *transfer(role))["engine"]
    return section


def _unless(value: Any, default: Any) -> Any:
    return None if value == default else value
