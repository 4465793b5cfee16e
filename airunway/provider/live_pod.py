"""Pod templates and containers in live objects."""

from typing import Any

from pydantic import Field

from airunway.provider.live_object import LiveModel, Quantity


class EnvVar(LiveModel):
    """An environment variable of a container."""

    name: str
    value: str | None = None
    value_from: dict[str, Any] | None = None


class SecretReference(LiveModel):
    """A reference to a Secret."""

    name: str | None = None


class EnvSource(LiveModel):
    """A source of environment variables."""

    secret_ref: SecretReference | None = None


class ResourceRequirements(LiveModel):
    """The resources of a container."""

    limits: dict[str, Quantity] = Field({})


class ContainerPort(LiveModel):
    """One port of a container."""

    name: str | None = None
    container_port: int


class VolumeMount(LiveModel):
    """Where a container has a volume."""

    name: str
    mount_path: str
    read_only: bool = False
    sub_path: str = ""


class ClaimSource(LiveModel):
    """A volume's PersistentVolumeClaim."""

    claim_name: str


class PodVolume(LiveModel):
    """One volume of a pod, from a claim or from elsewhere."""

    name: str
    persistent_volume_claim: ClaimSource | None = None


class Container(LiveModel):
    """One container."""

    name: str = ""
    image: str | None = None
    command: list[str] = Field([])
    args: list[str] = Field([])
    env: list[EnvVar] = Field([])
    env_from: list[EnvSource] = Field([])
    ports: list[ContainerPort] = Field([])
    resources: ResourceRequirements = ResourceRequirements()
    volume_mounts: list[VolumeMount] = Field([])


class Placement(LiveModel):
    """The node selector and tolerations of a pod."""

    node_selector: dict[str, str] = Field({})
    tolerations: list[dict[str, Any]] = Field([])


class PodSpec(Placement):
    """The spec of a pod."""

    containers: list[Container] = Field([])
    volumes: list[PodVolume] = Field([])


class TemplateMetadata(LiveModel):
    """Labels and annotations of a template's pods."""

    labels: dict[str, str] = Field({})
    annotations: dict[str, str] = Field({})


class PodTemplate(LiveModel):
    """The template of a controller's pods."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: PodSpec = PodSpec()
