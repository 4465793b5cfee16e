"""What the deployments of a cluster share. Written by `make schema` from the models that check it."""

from typing import Any, NotRequired, TypedDict

import pulumi

from components.spec_types import (
    EngineSpec,
    EnvVar,
    ModelRef,
    PodTemplate,
    ProviderRef,
    Resources,
    Scaling,
    Secrets,
    Serving,
    Toleration,
)


class Deployment(TypedDict):
    """One model deployment of a stack: a name and the fields of a ModelDeployment's spec."""

    model: ModelRef
    """Which model."""

    provider: NotRequired[ProviderRef]
    """Pinned provider and overrides."""

    engine: NotRequired[EngineSpec]
    """Inference engine."""

    serving: NotRequired[Serving]
    """Serving mode."""

    scaling: NotRequired[Scaling]
    """Replicas."""

    resources: NotRequired[Resources]
    """Resources of one replica."""

    image: NotRequired[pulumi.Input[str]]
    """Container image; the older name of engine.image."""

    env: NotRequired[list[EnvVar]]
    """Environment of the engine's containers."""

    pod_template: NotRequired[PodTemplate]
    """Labels and annotations of the pods."""

    secrets: NotRequired[Secrets]
    """Secrets by name."""

    node_selector: NotRequired[dict[str, str]]
    """Node labels that the pods need."""

    tolerations: NotRequired[list[Toleration]]
    """Taints that the pods tolerate."""

    name: str
    """Name of the deployment, of its upstream object and of its entry in the outputs."""

    namespace: NotRequired[str]
    """Namespace. Default: the stack's."""

    ready_timeout: NotRequired[str]
    """How long `pulumi up` waits until it serves, such as 45m. Default: the stack's."""

    skip_await: NotRequired[bool]
    """Do not wait until it serves."""

    take_over: NotRequired[bool]
    """Take over fields of its upstream object that others wrote, such as kubectl, instead of failing with a conflict.
    """

    delivery: NotRequired[str]
    """direct: the provider's object; modeldeployment: a ModelDeployment for the cluster's controller. Default: the
    stack's.
    """


class Cluster(TypedDict):
    """The one cluster that a stack deploys to; never the context that happens to be current."""

    context: NotRequired[str]
    """Context of the kubeconfig."""

    kubeconfig: NotRequired[str]
    """Path of a kubeconfig. Default: KUBECONFIG or ~/.kube/config, with context."""

    uid: NotRequired[str]
    """Uid of the cluster's namespace kube-system. The stack then deploys to no other cluster; change it to move the
    stack.
    """


class ProviderSettings(TypedDict):
    """What a stack changes about one inference provider."""

    enabled: NotRequired[bool]
    """Whether it can be selected."""

    installation: NotRequired[str]
    """managed: the stack installs its operator; existing: it is already installed."""

    spec: NotRequired[dict[str, Any]]
    """Deep-merged over its InferenceProviderConfig's spec; lists of named things merge by name, null deletes."""


class ManagedRegistry(TypedDict):
    """The registry that the stack runs in the cluster when an image is built."""

    node_cidrs: list[str]
    """Addresses of the nodes; only they may pull from it."""

    storage: NotRequired[str]
    """Size of its volume. Default: 50Gi."""

    storage_class: NotRequired[str]
    """Storage class of its volume. Default: the cluster's."""

    node_port: NotRequired[int]
    """Port on each node for pulls. Default: 30500."""

    image: NotRequired[str]
    """Its image, for a mirror."""


class ExistingRegistry(TypedDict):
    """An existing registry."""

    host: str
    """HOST[:PORT][/PATH] to push images to."""

    pull_host: NotRequired[str]
    """The same for pulls by nodes. Default: host."""

    insecure: NotRequired[bool]
    """Whether it speaks plain HTTP."""

    username: NotRequired[str]
    """User; the password is airunway:registryPassword."""


class RegistrySettings(TypedDict):
    """Where built images are stored: one of the two."""

    managed: NotRequired[ManagedRegistry]
    """Run one in the cluster."""

    existing: NotRequired[ExistingRegistry]
    """Use an existing one."""


class ControllerSettings(TypedDict):
    """The KubeAIRunway controller, for deployments with delivery modeldeployment."""

    api_group: NotRequired[str]
    """API group of its release."""

    installation: NotRequired[str]
    """existing: it runs in the cluster; managed: the stack creates the objects in manifests."""


class BuilderSettings(TypedDict):
    """How images are built."""

    storage: NotRequired[str]
    """Size of the build cache. Default: 100Gi."""

    storage_class: NotRequired[str]
    """Storage class of the build cache. Default: the cluster's."""

    unconfined: NotRequired[bool]
    """Run BuildKit without seccomp and AppArmor profiles, if the nodes' profiles forbid mounts."""

    timeout: NotRequired[str]
    """Maximum duration of a build. Default: 1h."""

    platform: NotRequired[str]
    """Platform of the images. Default: linux/amd64."""

    image: NotRequired[str]
    """BuildKit's image, for a mirror; a rootless one."""

    frontend: NotRequired[str]
    """AIKit's frontend image, for a mirror."""

    context: NotRequired[str]
    """Address of AIKit's aikitfile, for a mirror."""


class PlatformArgs(TypedDict):
    """The settings under ``airunway:`` in a stack file, without secrets."""

    namespace: NotRequired[str]
    """Namespace of deployments that name none."""

    create_namespaces: NotRequired[bool]
    """Create the namespaces of the deployments (all but default)."""

    providers: NotRequired[dict[str, ProviderSettings]]
    """Settings by inference provider: enabled, installation (managed or existing), spec (merged over its document)."""

    hugging_face_secret: NotRequired[str]
    """Name of an existing Secret (key HF_TOKEN) in each namespace, instead of airunway:huggingFaceToken."""

    ready_timeout: NotRequired[str]
    """How long `pulumi up` waits for each deployment to serve."""

    registry: NotRequired[RegistrySettings]
    """Registry for built images, {managed} in the cluster or {existing}; required if a deployment builds one."""

    builder: NotRequired[BuilderSettings]
    """How images are built: storage, timeout, platform, and mirrors of the images that builds use."""

    hugging_face_token: NotRequired[pulumi.Input[str]]
    """Token of Hugging Face: made a Secret in each namespace that needs it."""

    registry_password: NotRequired[pulumi.Input[str]]
    """Password of registry.existing.username."""


class ModelServingArgs(TypedDict):
    """The settings under ``airunway:`` in a stack file, without secrets."""

    cluster: NotRequired[Cluster]
    """The cluster that the stack deploys to, {context} or {kubeconfig}. The current context is never assumed."""

    namespace: NotRequired[str]
    """Namespace of deployments that name none."""

    create_namespaces: NotRequired[bool]
    """Create the namespaces of the deployments (all but default)."""

    deployments: NotRequired[list[Deployment]]
    """Model deployments: a name and the fields of a ModelDeployment's spec each."""

    providers: NotRequired[dict[str, ProviderSettings]]
    """Settings by inference provider: enabled, installation (managed or existing), spec (merged over its document)."""

    hugging_face_secret: NotRequired[str]
    """Name of an existing Secret (key HF_TOKEN) in each namespace, instead of airunway:huggingFaceToken."""

    ready_timeout: NotRequired[str]
    """How long `pulumi up` waits for each deployment to serve."""

    registry: NotRequired[RegistrySettings]
    """Registry for built images, {managed} in the cluster or {existing}; required if a deployment builds one."""

    delivery: NotRequired[str]
    """Default delivery of deployments: direct, or modeldeployment for the cluster's KubeAIRunway controller."""

    controller: NotRequired[ControllerSettings]
    """The KubeAIRunway controller: apiGroup, installation (existing or managed), manifests (files to install it from).
    """

    builder: NotRequired[BuilderSettings]
    """How images are built: storage, timeout, platform, and mirrors of the images that builds use."""

    hugging_face_token: NotRequired[pulumi.Input[str]]
    """Token of Hugging Face: made a Secret in each namespace that needs it."""

    registry_password: NotRequired[pulumi.Input[str]]
    """Password of registry.existing.username."""
