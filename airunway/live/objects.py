"""Models of the built-in Kubernetes kinds and Helm records that are read, with only the fields that are used."""

from typing import Any

from pydantic import Field

from airunway.provider.live_object import Condition, LiveModel, Metadata
from airunway.provider.live_pod import Container, PodSpec


class AnyObject(LiveModel):
    """An object of any kind."""

    metadata: Metadata


class CustomObject(AnyObject):
    """An object of a kind without a model of its own."""

    spec: dict[str, Any] = Field({})
    status: dict[str, Any] = Field({})


class ServicePort(LiveModel):
    """One port of a Service."""

    port: int
    target_port: int | str | None = None


class ServiceSpec(LiveModel):
    """The spec of a Service."""

    selector: dict[str, str] = Field({})
    ports: list[ServicePort] = Field([])


class Service(AnyObject):
    """A Service."""

    spec: ServiceSpec


class Terminated(LiveModel):
    """A container's termination."""

    exit_code: int
    finished_at: str = ""
    message: str = ""


class Waiting(LiveModel):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class ContainerState(LiveModel):
    """The state of a container that waits or was terminated."""

    terminated: Terminated | None = None
    waiting: Waiting | None = None


class ContainerStatus(LiveModel):
    """The status of a container."""

    name: str = ""
    state: ContainerState = ContainerState()


class PodStatus(LiveModel):
    """The status of a pod."""

    conditions: list[Condition] = Field([])
    container_statuses: list[ContainerStatus] = Field([])
    init_container_statuses: list[ContainerStatus] = Field([])


class RunningPodSpec(PodSpec):
    """The spec of a pod in the cluster."""

    containers: list[Container]


class Pod(AnyObject):
    """A Pod."""

    spec: RunningPodSpec
    status: PodStatus = PodStatus()

    @property
    def is_ready(self) -> bool:
        """Whether it is ready and not being deleted."""
        conditions = self.status.conditions
        return not self.metadata.deletion_timestamp and any(
            c.type == "Ready" and c.status == "True" for c in conditions
        )


class DeploymentSpec(LiveModel):
    """The spec of a Deployment."""

    replicas: int = 1


class DeploymentStatus(LiveModel):
    """The status of a Deployment."""

    ready_replicas: int = 0
    observed_generation: int = 0


class Deployment(AnyObject):
    """A Deployment."""

    spec: DeploymentSpec
    status: DeploymentStatus = DeploymentStatus()

    @property
    def release(self) -> tuple[str, str]:
        """Namespace and name of its Helm release; the name is empty if it has none."""
        annotations = self.metadata.annotations
        namespace = annotations.get("meta.helm.sh/release-namespace", self.metadata.namespace or "")
        return namespace, annotations.get("meta.helm.sh/release-name", "")

    @property
    def is_ready(self) -> bool:
        """Whether all its pods are ready and its controller has observed the last change."""
        is_observed = self.status.observed_generation >= self.metadata.generation
        return is_observed and self.status.ready_replicas >= self.spec.replicas


class Schema(LiveModel):
    """The OpenAPI schema of a kind or of a part of it, with its default."""

    properties: dict[str, "Schema"] = Field({})
    additional_properties: "Schema | bool" = False
    items: "Schema | None" = None
    default: Any = None

    def below(self, key: str) -> "Schema":
        """Return the schema of the value under ``key``, or an empty one."""
        additional = self.additional_properties
        return self.properties.get(key) or (additional if isinstance(additional, Schema) else Schema())


class VersionSchema(LiveModel):
    """The schema of a version."""

    open_api_v3_schema: Schema = Field(Schema(), alias="openAPIV3Schema")


class Version(LiveModel):
    """A version of a kind."""

    name: str
    schema_: VersionSchema = Field(VersionSchema(), alias="schema")


class DefinitionSpec(LiveModel):
    """The spec of a CustomResourceDefinition."""

    versions: list[Version]


class CustomResourceDefinition(AnyObject):
    """A CustomResourceDefinition."""

    spec: DefinitionSpec

    def schema_of(self, version: str) -> Schema:
        """Return the schema of ``version``, or an empty one."""
        return next((v.schema_.open_api_v3_schema for v in self.spec.versions if v.name == version), Schema())


class ShimStatus(LiveModel):
    """The status of a provider's shim."""

    ready: bool = False


class RegisteredProvider(AnyObject):
    """A provider registered with the KubeAIRunway controller."""

    status: ShimStatus = ShimStatus()


class ReleaseSecretData(LiveModel):
    """The data of a Secret of type ``helm.sh/release.v1``."""

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
    """A revision of a release as Helm 3.19 stores it; ``config`` are the user's values."""

    version: int
    info: ReleaseInfo
    chart: ReleaseChart
    config: dict[str, Any] = Field({})
