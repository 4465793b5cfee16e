"""DynamoGraphDeployments of nvidia.com/v1alpha1, for operators below 1.5 (as of release 1.1.1)."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from airunway.provider.live_object import LiveModel, Quantity, WholeNumber, read_as
from airunway.provider.live_pod import Container, EnvVar, Placement, TemplateMetadata
from airunway.provider.storage import MountedVolume
from airunway.provider.storage_reading import valid_volumes
from airunway.spec.model import GPU_RESOURCE, VolumePurpose
from airunway.text.merge import changes_by_name, non_empty
from providers.dynamo.component import Component

API_VERSION = "nvidia.com/v1alpha1"


def graph_spec(framework: str, components: Iterable[Component]) -> dict[str, Any]:
    """The ``spec`` of a graph with these components."""
    listed = list(components)
    claims = dict.fromkeys(volume.claim for component in listed for volume in component.volumes)
    return {
        "backendFramework": framework,
        **non_empty(pvcs=[{"name": claim, "create": False} for claim in claims]),
        "services": {c.name: _service(c) for c in listed},
    }


def changes(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """What ``overrides`` say of each component by name; None if it goes."""
    spec = overrides.get("spec")
    return changes_by_name(spec.get("services")) if isinstance(spec, Mapping) else {}


def kind_of(change: Mapping[str, Any]) -> str:
    """The type of a component that overrides add."""
    return str(change.get("subComponentType") or change.get("componentType", ""))


def component_overrides(components: Iterable[Component], names: Mapping[str, str]) -> dict[str, Any]:
    """The override of ``spec`` for components with names of their own, by our ``names``, or on several nodes."""
    gone: dict[str, Any] = dict.fromkeys(names)
    kept = {
        c.name: {**(_type(c) if c.name in names.values() else {}), **c.multinode}
        for c in components
        if c.name in names.values() or c.nodes > 1
    }
    return {"services": gone | kept} if gone or kept else {}


def _type(component: Component) -> dict[str, Any]:
    role = component.role if component.role in ("prefill", "decode") else None
    return {"componentType": "worker", **non_empty(subComponentType=role)}


def _service(component: Component) -> dict[str, Any]:
    return {
        "componentType": "frontend" if component.is_frontend else "worker",
        **non_empty(subComponentType=component.role),
        "replicas": component.replicas,
        "resources": _resources(component),
        **non_empty(
            envs=list(component.env),
            envFromSecret=component.token_secret,
            extraPodMetadata=non_empty(labels=dict(component.labels), annotations=dict(component.annotations)),
        ),
        "extraPodSpec": {"mainContainer": dict(component.container), **component.scheduling},
        **non_empty(volumeMounts=[_volume_mount(volume) for volume in component.volumes]),
    }


def _volume_mount(volume: MountedVolume) -> dict[str, Any]:
    cache = {"useAsCompilationCache": True} if volume.purpose is VolumePurpose.COMPILATION_CACHE else {}
    return {"name": volume.claim, "mountPoint": volume.path, **cache}


def _resources(component: Component) -> dict[str, Any]:
    if component.gpus is None:
        return non_empty(limits=dict(component.limits), requests=dict(component.requests))
    gpu = {
        "gpu": str(component.gpus),
        **non_empty(gpuType=component.gpu_type if component.gpu_type != GPU_RESOURCE else None),
    }
    return {"limits": gpu | dict(component.limits), "requests": gpu | dict(component.requests)}


class Limits(LiveModel):
    """Resource limits of a service's pods."""

    cpu: Quantity | None = None
    memory: Quantity | None = None
    gpu: WholeNumber = 0
    gpu_type: str | None = None


class Resources(LiveModel):
    """Resources of a service's pods."""

    limits: Limits = Limits()


class ExtraPodSpec(Placement):
    """Additions to a service's pods."""

    main_container: Container = Container()


class Multinode(LiveModel):
    """The nodes of each replica."""

    node_count: WholeNumber = 1


class ServiceVolumeMount(LiveModel):
    """Where a service's pods have a claim."""

    name: str
    mount_point: str = ""
    use_as_compilation_cache: bool = False


class Service(LiveModel):
    """One service of a graph."""

    component_type: str = "worker"
    sub_component_type: str | None = None
    replicas: int = 1
    resources: Resources = Resources()
    envs: list[EnvVar] = Field([])
    env_from_secret: str | None = None
    extra_pod_metadata: TemplateMetadata = TemplateMetadata()
    extra_pod_spec: ExtraPodSpec = ExtraPodSpec()
    multinode: Multinode = Multinode()
    volume_mounts: list[ServiceVolumeMount] = Field([])


class GraphSpec(LiveModel):
    """The spec of a graph."""

    backend_framework: str = ""
    services: dict[str, Service] = Field({})


class Graph(LiveModel):
    """The fields of a graph that describe the deployment."""

    spec: GraphSpec = GraphSpec()


def read_graph(obj: Mapping[str, Any]) -> tuple[str, list[Component]]:
    """The framework of a live graph, and its components. Raises ``UnreadableError``."""
    spec = read_as(Graph, obj).spec
    return spec.backend_framework, [_component(name, service) for name, service in spec.services.items()]


def _component(name: str, service: Service) -> Component:
    limits, pod = service.resources.limits, service.extra_pod_spec
    return Component(
        name,
        service.replicas,
        {
            "image": pod.main_container.image,
            "command": pod.main_container.command,
            "args": pod.main_container.args,
        },
        role=service.sub_component_type or service.component_type,
        gpus=limits.gpu,
        gpu_type=limits.gpu_type or GPU_RESOURCE,
        limits=non_empty(cpu=limits.cpu, memory=limits.memory),
        env=tuple(variable.model_dump(by_alias=True, exclude_none=True) for variable in service.envs),
        token_secret=service.env_from_secret,
        labels=service.extra_pod_metadata.labels,
        annotations=service.extra_pod_metadata.annotations,
        scheduling=non_empty(nodeSelector=pod.node_selector, tolerations=pod.tolerations),
        nodes=service.multinode.node_count,
        volumes=valid_volumes(
            MountedVolume(
                mount.name,
                mount.name,
                mount.mount_point,
                VolumePurpose.COMPILATION_CACHE if mount.use_as_compilation_cache else VolumePurpose.CUSTOM,
            )
            for mount in service.volume_mounts
        ),
    )
