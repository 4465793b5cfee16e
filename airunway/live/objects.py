"""Kubernetes' own kinds, as far as they are read here: Services, Pods, Deployments, definitions of kinds, Helm's
records.
"""

from typing import Any

from pydantic import Field

from airunway.provider.live_object import Condition, LiveModel, Metadata
from airunway.provider.live_pod import Container, PodSpec


class AnyObject(LiveModel):
    """An object of any kind."""

    metadata: Metadata


class CustomObject(AnyObject):
    """An object of a kind that has no model here."""

    spec: dict[str, Any] = Field({})
    status: dict[str, Any] = Field({})


class ServicePort(LiveModel):
    """One port of a Service."""

    port: int
    target_port: int | str | None = None


class ServiceSpec(LiveModel):
    """Which pods a Service leads to."""

    selector: dict[str, str] = Field({})
    ports: list[ServicePort] = Field([])


class Service(AnyObject):
    """A Service."""

    spec: ServiceSpec


class Terminated(LiveModel):
    """How a container ended."""

    exit_code: int
    finished_at: str = ""
    message: str = ""


class ContainerState(LiveModel):
    """Where a container stands; one of several, of which only its end is read."""

    terminated: Terminated | None = None


class ContainerStatus(LiveModel):
    """Where one container of a pod stands."""

    state: ContainerState = ContainerState()


class PodStatus(LiveModel):
    """Where a pod stands."""

    conditions: list[Condition] = Field([])
    container_statuses: list[ContainerStatus] = Field([])


class RunningPodSpec(PodSpec):
    """What a pod of the cluster runs."""

    containers: list[Container]


class Pod(AnyObject):
    """A Pod."""

    spec: RunningPodSpec
    status: PodStatus = PodStatus()

    @property
    def is_ready(self) -> bool:
        """Whether it serves, and stays."""
        conditions = self.status.conditions
        return not self.metadata.deletion_timestamp and any(
            c.type == "Ready" and c.status == "True" for c in conditions
        )


class DeploymentSpec(LiveModel):
    """What a Deployment wants."""

    replicas: int = 1


class DeploymentStatus(LiveModel):
    """Where a Deployment stands."""

    ready_replicas: int = 0
    observed_generation: int = 0


class Deployment(AnyObject):
    """A Deployment."""

    spec: DeploymentSpec
    status: DeploymentStatus = DeploymentStatus()

    @property
    def release(self) -> tuple[str, str]:
        """Namespace and name of the Helm release that it is of; the name is empty where it is of none."""
        annotations = self.metadata.annotations
        namespace = annotations.get("meta.helm.sh/release-namespace", self.metadata.namespace or "")
        return namespace, annotations.get("meta.helm.sh/release-name", "")

    @property
    def is_ready(self) -> bool:
        """Whether all its pods are ready, by what its controller saw of the last change."""
        seen = self.status.observed_generation >= self.metadata.generation
        return seen and self.status.ready_replicas >= self.spec.replicas


class Schema(LiveModel):
    """The schema of a kind, or of a part of it, by which the API server fills in ``default``."""

    properties: dict[str, "Schema"] = Field({})
    additional_properties: "Schema | bool" = False
    items: "Schema | None" = None
    default: Any = None

    def below(self, key: str) -> "Schema":
        """The schema of what stands under ``key``; an empty one where it says nothing of that."""
        rest = self.additional_properties
        return self.properties.get(key) or (rest if isinstance(rest, Schema) else Schema())


class VersionSchema(LiveModel):
    """The schema of one version."""

    open_api_v3_schema: Schema = Field(Schema(), alias="openAPIV3Schema")


class Version(LiveModel):
    """One version of a kind."""

    name: str
    schema_: VersionSchema = Field(VersionSchema(), alias="schema")


class DefinitionSpec(LiveModel):
    """The versions of a kind."""

    versions: list[Version]


class CustomResourceDefinition(AnyObject):
    """A definition of a kind."""

    spec: DefinitionSpec

    def schema_of(self, version: str) -> Schema:
        """The schema of one version; an empty one where it has no such version."""
        return next((v.schema_.open_api_v3_schema for v in self.spec.versions if v.name == version), Schema())


class ShimStatus(LiveModel):
    """Where a provider's shim stands."""

    ready: bool = False


class RegisteredProvider(AnyObject):
    """A provider as it is registered with the KubeAIRunway controller."""

    status: ShimStatus = ShimStatus()


class ReleaseSecretData(LiveModel):
    """What a Secret of type ``helm.sh/release.v1`` holds."""

    release: str


class ReleaseSecret(AnyObject):
    """A Secret of type ``helm.sh/release.v1``: one revision of a release."""

    data: ReleaseSecretData


class ReleaseInfo(LiveModel):
    """The state of a revision."""

    status: str


class ChartMetadata(LiveModel):
    """Name and version of a chart."""

    name: str
    version: str


class ReleaseChart(LiveModel):
    """The chart of a revision."""

    metadata: ChartMetadata


class Release(LiveModel):
    """One revision of a release, in the shape that Helm 3.19 writes; ``config`` are the values it was given."""

    version: int
    info: ReleaseInfo
    chart: ReleaseChart
    config: dict[str, Any] = Field({})
