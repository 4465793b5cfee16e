"""Reads a KubeRay RayService back into the spec fields of a deployment; the inverse of ``kuberay.render``.

Anything that the fields can't express shows up as a difference when they are rendered again.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ConfigDict, Field

from airunway.provider.embedded_yaml import read_embedded
from airunway.provider.engine_args_reading import read_keyword_arguments
from airunway.provider.live_object import LiveModel, read_as
from airunway.provider.live_pod import Container, PodTemplate
from airunway.provider.pod_reading import Object, UnreadableError, read_environment, read_pod, read_resources
from airunway.provider.storage_reading import read_mounts, read_storage
from airunway.provider.workers import ANY_ROLE
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import LINE, Engine
from airunway.text.merge import DIRECTIVE, non_empty
from providers.kuberay.arguments import known_arguments
from providers.kuberay.render import HEAD, NAME, WORKER, own_group, transfer_flags

_SERVE, _GROUPS = "spec.serveConfigV2", "spec.rayClusterConfig.workerGroupSpecs"


class HeadGroup(LiveModel):
    """The head."""

    template: PodTemplate = PodTemplate()


class WorkerGroup(HeadGroup):
    """One group of workers."""

    group_name: str = ""


class RayCluster(LiveModel):
    """The cluster of a RayService."""

    head_group_spec: HeadGroup = HeadGroup()
    worker_group_specs: list[WorkerGroup] = Field([])


class RayServiceSpec(LiveModel):
    """The spec of a RayService."""

    serve_config_v2: str = ""
    ray_cluster_config: RayCluster = RayCluster()


class RayService(LiveModel):
    """The fields of a RayService that describe the deployment."""

    spec: RayServiceSpec = RayServiceSpec()


class ServeModel(LiveModel):
    """Base of Ray Serve's models, with snake_case keys (Ray 2.58.0, LLMServingArgs and PDServingArgs)."""

    model_config = ConfigDict(alias_generator=None)


class Application(ServeModel):
    """One Serve application."""

    import_path: str = ""
    args: dict[str, Any] = Field({})


class ServeConfig(ServeModel):
    """All applications of a cluster."""

    applications: list[Application] = Field([])


class ModelLoading(ServeModel):
    """The model, and the name under which the API serves it."""

    model_id: str | None = None
    model_source: str | None = None


class ServeDeployment(ServeModel):
    """The number of replicas."""

    num_replicas: int = 1


class LlmConfig(ServeModel):
    """One model of ``ray.serve.llm``."""

    model_loading_config: ModelLoading = ModelLoading()
    deployment_config: ServeDeployment = ServeDeployment()
    engine_kwargs: dict[str, Any] = Field({})


class ServingArgs(ServeModel):
    """The arguments of an application with aggregated serving."""

    llm_configs: list[LlmConfig] = Field([])


class PdServingArgs(ServeModel):
    """The arguments of an application with disaggregated serving."""

    prefill_config: LlmConfig
    decode_config: LlmConfig


def read_fields(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The spec fields for the RayService. Raises ``UnreadableError``."""
    spec = read_as(RayService, obj).spec
    parts, groups = _models(spec.serve_config_v2), spec.ray_cluster_config.worker_group_specs
    if len(groups) != len(parts):
        raise UnreadableError(f"{_GROUPS}: must have {len(parts)} worker groups, not {len(groups)}")
    config_of_role, template = list(parts.values())[-1], groups[-1].template
    container = _container(template, len(groups) - 1)
    loading, defaults = config_of_role.model_loading_config, config.spec.defaults
    amounts = dict(zip(parts, map(_amounts, range(len(groups)), groups), strict=True))
    parts, revision = _without_revision(parts)
    engine = _engine(parts, {role: resources.get("gpu", {}).get("count", 0) for role, resources in amounts.items()})
    environment = read_environment(container.env)
    mounted = read_mounts(template.spec.volumes, container.volume_mounts)
    # The head has the user's variables too, but none for volumes.
    head = spec.ray_cluster_config.head_group_spec.template.spec.containers[:1]
    own = {variable.name for head_container in head for variable in head_container.env}
    storage, env = read_storage(mounted, Engine.VLLM, environment.pop("env", []), own)
    fields = {
        **_names(spec.ray_cluster_config, [own_group(role) for role in parts]),
        "model": {
            "id": loading.model_source,
            **revision,
            **non_empty(servedName=_none_if_default(loading.model_id, loading.model_source), storage=storage),
        },
        "engine": {
            "type": "vllm",
            **engine,
            **non_empty(image=_none_if_default(container.image, config.spec.images.get("vllm"))),
        },
        **environment,
        **non_empty(env=env),
        **read_pod(template.metadata, template.spec),
    }
    sizes = {
        role: non_empty(
            gpu=resources.get("gpu"), memory=_none_if_default(resources.get("memory"), defaults["workerMemory"])
        )
        for role, resources in amounts.items()
    }
    cpu = _none_if_default(list(amounts.values())[-1].get("cpu"), defaults["workerCpu"])
    if ANY_ROLE in parts:
        replicas = _none_if_default(config_of_role.deployment_config.num_replicas, 1)
        resources = sizes[ANY_ROLE] | non_empty(cpu=cpu)
        return (
            fields | non_empty(resources=resources) | ({} if replicas is None else {"scaling": {"replicas": replicas}})
        )
    scaling = {role: {"replicas": part.deployment_config.num_replicas, **sizes[role]} for role, part in parts.items()}
    return fields | {"serving": {"mode": "disaggregated"}, "scaling": scaling} | non_empty(resources=non_empty(cpu=cpu))


def _names(cluster: RayCluster, own_groups: Sequence[str]) -> dict[str, Any]:
    """The section ``provider`` for groups and containers with names of their own."""
    gone, kept = [], []
    for own, group in zip(own_groups, cluster.worker_group_specs, strict=True):
        container = _container_names(group, WORKER)
        gone += [{"groupName": own, DIRECTIVE: "delete"}] if group.group_name != own else []
        kept += [{"groupName": group.group_name, **container}] if group.group_name != own or container else []
    head = _container_names(cluster.head_group_spec, HEAD)
    overrides = non_empty(headGroupSpec=head, workerGroupSpecs=[*gone, *kept])
    return {"provider": {"name": NAME, "overrides": {"spec": {"rayClusterConfig": overrides}}}} if overrides else {}


def _container_names(group: HeadGroup, own: str) -> dict[str, Any]:
    """The override of a group for a first container with a name of its own."""
    names = [container.name for container in group.template.spec.containers]
    if own in names or not any(names[:1]):
        return {}
    containers = [{"name": own, DIRECTIVE: "delete"}, {"name": names[0]}]
    return {"template": {"spec": {"containers": containers}}}


def _models(text: str) -> dict[str, LlmConfig]:
    """The models of the application by role; the role is ``ANY_ROLE`` in an aggregated deployment."""
    data = read_embedded(text, _SERVE)
    applications = read_as(ServeConfig, {} if data is None else data, _SERVE).applications
    path, builder = f"{_SERVE}.applications[0].args", applications[0].import_path if len(applications) == 1 else ""
    if builder.endswith(":build_openai_app"):
        configs = read_as(ServingArgs, applications[0].args, path).llm_configs
        if len(configs) == 1:
            return {ANY_ROLE: configs[0]}
    elif builder.endswith(":build_pd_openai_app"):
        pair = read_as(PdServingArgs, applications[0].args, path)
        return {"prefill": pair.prefill_config, "decode": pair.decode_config}
    raise UnreadableError(f"{_SERVE}: must be one application of ray.serve.llm with one model")


def _container(template: PodTemplate, index: int) -> Container:
    if not template.spec.containers:
        raise UnreadableError(f"{_GROUPS}[{index}].template.spec.containers: must have one container")
    return template.spec.containers[0]


def _amounts(index: int, group: WorkerGroup) -> dict[str, Any]:
    limits = _container(group.template, index).resources.limits
    return read_resources(limits, f"{_GROUPS}[{index}].template.spec.containers[0].resources.limits")


def _without_revision(parts: Mapping[str, LlmConfig]) -> tuple[dict[str, LlmConfig], dict[str, Any]]:
    """``parts`` without a revision that all share, and the field for it; otherwise it stays an engine's argument."""
    first, *rest = [part.engine_kwargs.get("revision") for part in parts.values()]
    if not isinstance(first, str) or not re.fullmatch(LINE, first) or any(revision != first for revision in rest):
        return dict(parts), {}
    bare = {
        role: part.model_copy(
            update={"engine_kwargs": {k: v for k, v in part.engine_kwargs.items() if k != "revision"}}
        )
        for role, part in parts.items()
    }
    return bare, {"revision": first}


def _engine(parts: Mapping[str, LlmConfig], gpus: Mapping[str, int]) -> dict[str, Any]:
    """Engine settings that give the keyword arguments of all roles; those of the last role if they differ."""
    first, *rest = [_keywords(role, part, gpus[role]) for role, part in parts.items()]
    if all(settings == first for settings in rest):
        return first
    # If the roles differ in their numbers of GPUs, a common tensor-parallel size was set by the user.
    return [_keywords(role, part, 0) for role, part in parts.items()][-1]


def _keywords(role: str, part: LlmConfig, gpus: int) -> dict[str, Any]:
    section: dict[str, Any] = read_keyword_arguments(
        Engine.VLLM, part.engine_kwargs, gpus, *transfer_flags(role), texts=known_arguments().texts
    )["engine"]
    return section


def _none_if_default(value: Any, default: Any) -> Any:
    return None if value == default else value
