"""Pods as they stand in live objects: their templates, containers and what those ask for."""

from typing import Any

from pydantic import Field

from airunway.provider.live_object import LiveModel, Quantity


class EnvVar(LiveModel):
    """One variable of a container."""

    name: str
    value: str | None = None
    value_from: dict[str, Any] | None = None


class ResourceRequirements(LiveModel):
    """What a container asks for, by resource."""

    limits: dict[str, Quantity] = Field({})


class ContainerPort(LiveModel):
    """One port of a container."""

    name: str | None = None
    container_port: int


class Container(LiveModel):
    """One container."""

    image: str | None = None
    args: list[str] = Field([])
    env: list[EnvVar] = Field([])
    ports: list[ContainerPort] = Field([])
    resources: ResourceRequirements = ResourceRequirements()


class Placement(LiveModel):
    """What a pod says of the nodes that it takes."""

    node_selector: dict[str, str] = Field({})
    tolerations: list[dict[str, Any]] = Field([])


class PodSpec(Placement):
    """What a pod runs, and where."""

    containers: list[Container] = Field([])


class TemplateMetadata(LiveModel):
    """What the pods of a template get."""

    labels: dict[str, str] = Field({})
    annotations: dict[str, str] = Field({})


class PodTemplate(LiveModel):
    """What the pods of a controller are made from."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: PodSpec = PodSpec()
