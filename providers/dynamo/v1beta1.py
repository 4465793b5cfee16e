"""DynamoGraphDeployments of nvidia.com/v1beta1, which operators serve from 1.5 on (CRD of 1.5.0)."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from airunway.provider.live_object import LiveModel, read_as
from airunway.provider.live_pod import Container, PodTemplate
from airunway.provider.pod_reading import read_resources
from airunway.provider.storage import MountedVolume, pod_volumes, volume_mounts
from airunway.provider.storage_reading import read_mounts, valid_volumes
from airunway.spec.model import GPU_RESOURCE, VolumePurpose
from airunway.text.merge import DIRECTIVE, changes_by_name, non_empty
from providers.dynamo.component import Component

API_VERSION = "nvidia.com/v1beta1"
MAIN = "main"
"""Name of the container that the operator completes."""


def graph_spec(framework: str, components: Iterable[Component]) -> dict[str, Any]:
    """The ``spec`` of a graph with these components."""
    return {"backendFramework": framework, "components": [_component(c) for c in components]}


def changes(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """What ``overrides`` say of each component by name; None if it goes."""
    spec = overrides.get("spec")
    return changes_by_name(spec.get("components")) if isinstance(spec, Mapping) else {}


def kind_of(change: Mapping[str, Any]) -> str:
    """The type of a component that overrides add."""
    return str(change.get("type", ""))


def component_overrides(components: Iterable[Component], names: Mapping[str, str]) -> dict[str, Any]:
    """The override of ``spec`` for components with names of their own, by our ``names``, or on several nodes."""
    gone = [{"name": old, DIRECTIVE: "delete"} for old in names]
    kept = [
        {"name": c.name, **({"type": c.role} if c.name in names.values() else {}), **c.multinode} for c in components
    ]
    components_changed = [*gone, *(element for element in kept if len(element) > 1)]
    return {"components": components_changed} if components_changed else {}


def _component(component: Component) -> dict[str, Any]:
    metadata = non_empty(labels=dict(component.labels), annotations=dict(component.annotations))
    token = [{"secretRef": {"name": component.token_secret}}] if component.token_secret else []
    compilation_cache = component.compilation_cache
    mounted = [volume for volume in component.volumes if volume is not compilation_cache]
    container = {
        "name": MAIN,
        **component.container,
        **non_empty(env=list(component.env), envFrom=token),
        "resources": _resources(component),
        **non_empty(volumeMounts=volume_mounts(mounted)),
    }
    pod = {"containers": [container], **component.scheduling, **non_empty(volumes=pod_volumes(mounted))}
    return {
        "name": component.name,
        "type": "frontend" if component.is_frontend else component.role or "worker",
        "replicas": component.replicas,
        **non_empty(compilationCache=_compilation_cache(compilation_cache)),
        "podTemplate": {**non_empty(metadata=metadata), "spec": pod},
    }


def _compilation_cache(volume: MountedVolume | None) -> dict[str, str]:
    return {"pvcName": volume.claim, "mountPath": volume.path} if volume else {}


def _resources(component: Component) -> dict[str, Any]:
    gpu = {} if component.gpus is None else {component.gpu_type or GPU_RESOURCE: str(component.gpus)}
    return non_empty(limits=gpu | dict(component.limits), requests=gpu | dict(component.requests))


class Multinode(LiveModel):
    """The nodes of each replica."""

    node_count: int = 1


class CompilationCache(LiveModel):
    """The claim that the operator mounts and tells the engine of."""

    pvc_name: str
    mount_path: str = ""


class ComponentSpec(LiveModel):
    """One component of a graph."""

    name: str
    type: str = "worker"
    replicas: int = 1
    compilation_cache: CompilationCache | None = None
    pod_template: PodTemplate = PodTemplate()
    multinode: Multinode = Multinode()


class GraphSpec(LiveModel):
    """The spec of a graph."""

    backend_framework: str = ""
    components: list[ComponentSpec] = Field([])


class Graph(LiveModel):
    """The fields of a graph that describe the deployment."""

    spec: GraphSpec = GraphSpec()


def read_graph(obj: Mapping[str, Any]) -> tuple[str, list[Component]]:
    """The framework of a live graph, and its components. Raises ``UnreadableError``."""
    spec = read_as(Graph, obj).spec
    return spec.backend_framework, [_read_component(component) for component in spec.components]


def _read_component(component: ComponentSpec) -> Component:
    pod = component.pod_template
    main = next((c for c in pod.spec.containers if c.name == MAIN), Container())
    field = f"spec.components.{component.name}.podTemplate.spec.containers.{MAIN}.resources.limits"
    resources = read_resources(main.resources.limits, field)
    gpu = resources.get("gpu", {"count": 0})
    secrets = [source.secret_ref.name for source in main.env_from if source.secret_ref]
    return Component(
        component.name,
        component.replicas,
        {"image": main.image, "command": main.command, "args": main.args},
        role=component.type,
        gpus=gpu["count"],
        gpu_type=gpu.get("type", GPU_RESOURCE),
        limits=non_empty(cpu=resources.get("cpu"), memory=resources.get("memory")),
        env=tuple(variable.model_dump(by_alias=True, exclude_none=True) for variable in main.env),
        token_secret=next(iter(secrets), None),
        labels=pod.metadata.labels,
        annotations=pod.metadata.annotations,
        scheduling=non_empty(nodeSelector=pod.spec.node_selector, tolerations=pod.spec.tolerations),
        nodes=component.multinode.node_count,
        volumes=_read_volumes(component, main),
    )


def _read_volumes(component: ComponentSpec, main: Container) -> tuple[MountedVolume, ...]:
    mounted, cache = read_mounts(component.pod_template.spec.volumes, main.volume_mounts), component.compilation_cache
    if cache is None or not cache.mount_path:
        return mounted
    purpose = VolumePurpose.COMPILATION_CACHE
    return valid_volumes([*mounted, MountedVolume(cache.pvc_name, cache.pvc_name, cache.mount_path, purpose)])
