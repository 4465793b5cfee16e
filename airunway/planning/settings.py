"""The ``airunway:`` settings of a stack file: what one cluster serves and how."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from airunway.assessment.finding import Severity
from airunway.assessment.fit import FitCheck
from airunway.assessment.node_pool import NodePool
from airunway.assessment.policy_definition import Policy
from airunway.spec.durations import Duration
from airunway.spec.entry import Delivery, DnsLabel
from airunway.spec.model import Image, Memory, StrictModel, Text, enum_validator
from airunway.spec.quantities import size_problem
from airunway.text.problems import format_value
from airunway.text.yaml_reading import load_data

BUILD_DATA = load_data(Path(__file__).with_name("image_build.yaml"))
"""Default images and sizes of the builder and the registry."""
_REGISTRY, _BUILDER = BUILD_DATA["registry"], BUILD_DATA["builder"]

Cidr = Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]


class InstallationMode(StrEnum):
    """Who installs an operator or the controller: the stack, or someone else."""

    MANAGED = "managed"
    EXISTING = "existing"


class Cluster(StrictModel):
    """The one cluster that a stack deploys to; never the context that happens to be current."""

    SHORT_FORM: ClassVar[str] = "context"

    context: Text | None = Field(None, description="Context of the kubeconfig.")
    kubeconfig: Text | None = Field(
        None, description="Path of a kubeconfig. Default: KUBECONFIG or ~/.kube/config, with context."
    )
    uid: Text | None = Field(
        None,
        description=(
            "Uid of the cluster's namespace kube-system. The stack then deploys to no other cluster; change it to move"
            " the stack."
        ),
    )

    @property
    def is_named(self) -> bool:
        """Whether it can be connected to: a program with a Kubernetes provider of its own need not name it."""
        return bool(self.context or self.kubeconfig)


class ProviderSettings(StrictModel):
    """What a stack changes about one inference provider."""

    enabled: bool = Field(True, description="Whether it can be selected.")
    installation: Annotated[InstallationMode, enum_validator(InstallationMode)] = Field(
        InstallationMode.MANAGED,
        description="managed: the stack installs its operator; existing: it is already installed.",
    )
    spec: dict[str, Any] = Field(
        {},
        description=(
            "Deep-merged over its InferenceProviderConfig's spec; lists of named things merge by name, null deletes."
        ),
    )


def _size(text: str) -> str:
    problem = size_problem(text)
    if problem:
        raise ValueError(f"{format_value(text)} given, {problem}")
    return text


Size = Annotated[Memory, AfterValidator(_size)]
"""The size of a volume, as a Kubernetes quantity."""


class PodSecurity(StrEnum):
    """Levels of Kubernetes' Pod Security Standards."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"


class ManagedRegistry(StrictModel):
    """The registry that the stack runs in the cluster when an image is built."""

    node_cidrs: list[Cidr] = Field(min_length=1, description="Addresses of the nodes, which pull from it.")
    storage: Size | None = Field(None, description=f"Size of its volume. Default: {_REGISTRY['storage']}.")
    storage_class: Text | None = Field(None, description="Storage class of its volume. Default: the cluster's.")
    node_port: Annotated[int, Field(ge=30000, le=32767)] | None = Field(
        None, description=f"Port on each node for pulls. Default: {_REGISTRY['nodePort']}."
    )
    image: Image | None = Field(None, description="Its image, for a mirror; a digest may follow the tag.")


class ExistingRegistry(StrictModel):
    """An existing registry."""

    host: Text = Field(description="HOST[:PORT][/PATH] to push images to.")
    pull_host: Text | None = Field(None, description="The same for pulls by nodes. Default: host.")
    insecure: bool = Field(False, description="Whether it speaks plain HTTP.")
    username: Text | None = Field(None, description="User; the password is airunway:registryPassword.")


class RegistrySettings(StrictModel):
    """Where built images are stored: one of the two."""

    managed: ManagedRegistry | None = Field(None, description="Run one in the cluster.")
    existing: ExistingRegistry | None = Field(None, description="Use an existing one.")

    @model_validator(mode="after")
    def _not_both(self) -> "RegistrySettings":
        if self.managed and self.existing:
            raise ValueError("managed and existing are both given; give one of the two")
        return self


class ControllerSettings(StrictModel):
    """The KubeAIRunway controller, for deployments with delivery modeldeployment."""

    api_group: Literal["airunway.ai", "kubeairunway.ai"] = Field("airunway.ai", description="API group of its release.")
    installation: Annotated[InstallationMode, enum_validator(InstallationMode)] = Field(
        InstallationMode.EXISTING,
        description="existing: it runs in the cluster; managed: the stack creates the objects in manifests.",
    )
    manifests: list[Text] = Field(
        [],
        description=(
            "Files with the controller, its CRDs and the provider shims, relative to the project, globs allowed; for a"
            " managed installation."
        ),
    )

    @model_validator(mode="after")
    def _manifests_match_installation(self) -> "ControllerSettings":
        if (self.installation is InstallationMode.MANAGED) != bool(self.manifests):
            raise ValueError("installation: managed and manifests go together; give both or neither")
        return self


class BuilderSettings(StrictModel):
    """How images are built."""

    storage: Size | None = Field(None, description=f"Size of the build cache. Default: {_BUILDER['storage']}.")
    storage_class: Text | None = Field(None, description="Storage class of the build cache. Default: the cluster's.")
    unconfined: bool = Field(
        False, description="Run BuildKit without seccomp and AppArmor profiles, if the nodes' profiles forbid mounts."
    )
    timeout: Duration | None = Field(None, description=f"Maximum duration of a build. Default: {_BUILDER['timeout']}.")
    platform: Text | None = Field(None, description=f"Platform of the images. Default: {_BUILDER['platform']}.")
    image: Image | None = Field(
        None, description="BuildKit's image, for a mirror; a rootless one. A digest may follow the tag."
    )
    frontend: Image | None = Field(
        None, description="AIKit's frontend image, for a mirror; a digest may follow the tag."
    )
    context: Text | None = Field(None, description="Address of AIKit's aikitfile, for a mirror.")


class AllowedSettings(StrictModel):
    """What deployments of a stack may do besides what every deployment may."""

    overrides: list[Text] = Field(
        [],
        description=(
            "Keys of provider.overrides that are refused otherwise, as they weaken a pod's isolation: hostPath,"
            " securityContext …"
        ),
    )
    namespaces: list[DnsLabel] = Field(
        [], description="Namespaces of the system and of operators that deployments may use."
    )


class StackSettings(StrictModel):
    """The settings under ``airunway:`` in a stack file, without secrets."""

    cluster: Cluster = Field(
        Cluster(),
        description=(
            "The cluster that the stack deploys to, {context} or {kubeconfig}. The current context is never assumed."
        ),
    )
    namespace: DnsLabel = Field("default", description="Namespace of deployments that name none.")
    create_namespaces: bool = Field(True, description="Create the namespaces of the deployments (all but default).")
    pod_security: Annotated[PodSecurity, enum_validator(PodSecurity)] | None = Field(
        None,
        description=(
            "Pod Security level that the created namespaces enforce: privileged, baseline or restricted. Without it,"
            " they warn of pods below baseline. With it, more pods have no token for the Kubernetes API."
        ),
    )
    deployments: list[Any] = Field(
        [], description="Model deployments: a name and the fields of a ModelDeployment's spec each."
    )
    deployment_files: list[Text] = Field(
        [],
        description=(
            "Files with more entries of airunway:deployments, a list each, relative to the project; globs such as "
            "deployments/*.yaml are allowed."
        ),
    )
    manifests: list[Text] = Field(
        [], description="Files with ModelDeployment documents, relative to the project; globs are allowed."
    )
    providers: dict[str, ProviderSettings] = Field(
        {},
        description=(
            "Settings by inference provider: enabled, installation (managed or existing), spec (merged over its"
            " document)."
        ),
    )
    provider_files: list[Text] = Field(
        [], description="Files with InferenceProviderConfig documents, relative to the project; globs are allowed."
    )
    hugging_face_secret: Text | None = Field(
        None,
        description=(
            "Name of an existing Secret (key HF_TOKEN) in each namespace, instead of airunway:huggingFaceToken."
        ),
    )
    ready_timeout: Duration = Field("30m", description="How long `pulumi up` waits for each deployment to serve.")
    registry: RegistrySettings = Field(
        RegistrySettings(),
        description=(
            "Registry for built images, {managed} in the cluster or {existing}; required if a deployment builds one."
        ),
    )
    delivery: Annotated[Delivery, enum_validator(Delivery)] = Field(
        Delivery.DIRECT,
        description=(
            "Default delivery of deployments: direct, or modeldeployment for the cluster's KubeAIRunway controller."
        ),
    )
    controller: ControllerSettings = Field(
        ControllerSettings(),
        description=(
            "The KubeAIRunway controller: apiGroup, installation (existing or managed), manifests (files to install it"
            " from)."
        ),
    )
    builder: BuilderSettings = Field(
        BuilderSettings(),
        description="How images are built: storage, timeout, platform, and mirrors of the images that builds use.",
    )
    allowed: AllowedSettings = Field(
        AllowedSettings(),
        description="What deployments may do though it is refused otherwise: {overrides, namespaces}.",
    )
    node_pools: list[NodePool] = Field(
        [], description="Node pools of the cluster: labels, taints, GPUs per node, nodes, price per hour."
    )
    node_pool_files: list[Text] = Field(
        [],
        description="Files with more node pools, a list each, relative to the project; globs are allowed.",
    )
    gpu_types: dict[str, Size] = Field(
        {}, description="Memory of GPU types that are not known, by their label nvidia.com/gpu.product."
    )
    fit: Annotated[FitCheck, enum_validator(FitCheck)] = Field(
        FitCheck.MANDATORY,
        description=(
            "What follows if a locked model can't be served as asked, such as weights that exceed the GPUs' memory:"
            " mandatory stops an update, advisory is shown, off."
        ),
    )
    model_moves: Annotated[Severity, enum_validator(Severity)] = Field(
        Severity.ADVISORY,
        description=(
            "What follows in `airunway diff` if the lock moves a model to another commit: advisory is shown, mandatory"
            " stops the change."
        ),
    )
    currency: Text = Field("$", description="Currency of the node pools' prices.")
    policies: list[Policy] = Field(
        [], description="What deployments and the stack must be like: CEL expressions with a message and a severity."
    )
    policy_files: list[Text] = Field(
        [], description="Files with more policies, a list each, relative to the project; globs are allowed."
    )
    locked: bool = Field(
        False,
        description=(
            "Refuse models from Hugging Face that stacks/models.lock.yaml, of `airunway lock`, lacks, and once it has"
            " images, those that it lacks too."
        ),
    )
    protect: bool = Field(
        False, description="Protect deployments, operators and builds from deletion; namespaces are never deleted."
    )

    @property
    def is_assessed(self) -> bool:
        """Whether there is something to assess a plan by."""
        return bool(self.node_pools or self.node_pool_files or self.policies or self.policy_files)


TOKEN_SETTING, PASSWORD_SETTING = "huggingFaceToken", "registryPassword"
SECRET_SETTINGS = {
    TOKEN_SETTING: "Hugging Face token; becomes a Secret in each namespace that needs it.",
    PASSWORD_SETTING: "Password for registry.existing.username.",
}
"""Descriptions of the secret settings, which are read separately."""
