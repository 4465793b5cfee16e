"""What a model deployment is asked for. Written by `make schema` from the models that check it."""

from typing import Any, NotRequired, TypedDict

import pulumi


class Gguf(TypedDict):
    """One GGUF file of a repository."""

    file: NotRequired[str]
    """File name inside the repository; it ends in .gguf."""

    build: NotRequired[bool]
    """Build an image with the model inside the cluster, instead of fetching it at each start."""


class ModelRef(TypedDict):
    """The model to serve."""

    id: NotRequired[str]
    """Hugging Face id such as meta-llama/Llama-3.1-8B-Instruct; required for source huggingface."""

    served_name: NotRequired[str]
    """Name that the API answers to. Default: what the engine makes of the id."""

    source: NotRequired[str]
    """Where the weights come from."""

    gguf: NotRequired[Gguf]
    """GGUF file to serve with llama.cpp."""


class ProviderRef(TypedDict):
    """A provider pinned by name, and overrides of the object that it renders."""

    name: NotRequired[str]
    """Inference provider. Default: the selection rules decide."""

    overrides: NotRequired[dict[str, Any]]
    """Deep-merged last over the upstream object; null deletes a key."""


class EngineSpec(TypedDict):
    """The engine and its settings."""

    type: NotRequired[str]
    """Default: the first that an eligible provider can run."""

    context_length: NotRequired[int]
    """Longest sequence, in tokens."""

    trust_remote_code: NotRequired[bool]
    """Run code that comes with the model."""

    enable_prefix_caching: NotRequired[bool]
    """Reuse the KV cache of common prefixes."""

    enforce_eager: NotRequired[bool]
    """No CUDA graphs."""

    args: NotRequired[dict[str, str]]
    """Engine flags without the dashes; an empty value means a bare flag."""

    extra_args: NotRequired[list[str]]
    """Engine arguments, appended as they are."""

    image: NotRequired[pulumi.Input[str]]
    """Container image of the engine. Default: the provider's."""


class Serving(TypedDict):
    """Serving mode."""

    mode: NotRequired[str]
    """aggregated or disaggregated."""


class Gpu(TypedDict):
    """GPUs of one replica."""

    count: NotRequired[int]
    """GPUs per replica; 64 at most."""

    type: NotRequired[str]
    """Extended resource that a GPU is requested by."""


class ComponentScaling(TypedDict):
    """Replicas and resources of the prefill or the decode workers."""

    replicas: NotRequired[int]
    """Workers; 32 at most."""

    gpu: NotRequired[Gpu]
    """GPUs of one worker."""

    memory: NotRequired[str]
    """Memory of one worker, as a Kubernetes quantity; 4Ti at most."""


class Scaling(TypedDict):
    """The number of replicas."""

    replicas: NotRequired[int]
    """Replicas; 32 at most."""

    prefill: NotRequired[ComponentScaling]
    """Prefill workers of a disaggregated deployment."""

    decode: NotRequired[ComponentScaling]
    """Decode workers of a disaggregated deployment."""


class Resources(TypedDict):
    """Resources of one replica."""

    gpu: NotRequired[Gpu]
    """GPUs. Without them the model runs on CPU."""

    memory: NotRequired[str]
    """Memory, as a Kubernetes quantity; 4Ti at most."""

    cpu: NotRequired[str]
    """CPUs, as a Kubernetes quantity; 512 at most."""


class EnvVar(TypedDict):
    """An environment variable as in a container's ``env``."""

    name: str
    """Name."""

    value: NotRequired[pulumi.Input[str]]
    """Value."""

    value_from: NotRequired[dict[str, Any]]
    """Source of the value, such as a secretKeyRef."""


class PodMetadata(TypedDict):
    """Labels and annotations for the pods."""

    labels: NotRequired[dict[str, pulumi.Input[str]]]
    """Labels."""

    annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """Annotations."""


class PodTemplate(TypedDict):
    """Additions to the pods."""

    metadata: NotRequired[PodMetadata]
    """Labels and annotations."""


class Secrets(TypedDict):
    """Names of Secrets, never their values."""

    hugging_face_token: NotRequired[pulumi.Input[str]]
    """Name of an existing Secret whose key HF_TOKEN holds the token."""


class Toleration(TypedDict):
    """A pod toleration."""

    key: NotRequired[str]
    """Taint key."""

    operator: NotRequired[str]
    """Equal or Exists."""

    value: NotRequired[str]
    """Taint value."""

    effect: NotRequired[str]
    """NoSchedule, PreferNoSchedule or NoExecute."""

    toleration_seconds: NotRequired[int]
    """For NoExecute: how long."""


class ModelDeploymentArgs(TypedDict):
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
