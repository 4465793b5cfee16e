"""``ModelDeploymentSpec``: the spec of a model deployment, with the fields of KubeAIRunway's ModelDeployment.

Fields, types, enums and defaults are those of its CRD (v1alpha1); ``model.gguf`` and ``model.source: aikit`` are ours.
"""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from airunway.text.problems import format_value, suggest_name
from airunway.text.yaml_reading import load_data

_LIMITS = load_data(Path(__file__).with_name("limits.yaml"))
MAX_GPUS, MAX_REPLICAS = int(_LIMITS["gpus"]), int(_LIMITS["replicas"])
MAX_CPU, MAX_MEMORY = str(_LIMITS["cpu"]), str(_LIMITS["memory"])
"""Limits of one deployment, the latter two as Kubernetes quantities."""
MAX_QUANTITY_LENGTH, MAX_EXPONENT = int(_LIMITS["quantityCharacters"]), int(_LIMITS["quantityExponent"])
"""Of a Kubernetes quantity: characters, and powers of ten in either direction."""
MAX_VARIABLES, MAX_VOLUMES = int(_LIMITS["env"]), int(_LIMITS["volumes"])
SYSTEM_PATHS: tuple[str, ...] = tuple(_LIMITS["systemPaths"])
"""Paths in a container that no volume may be mounted at or below."""

GPU_RESOURCE = "nvidia.com/gpu"
"""The default extended resource for GPUs, unless ``gpu.type`` names another."""


class StrictModel(BaseModel):
    """Base of models of files: camelCase keys, no unknown keys, no implicit conversion."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)

    SHORT_FORM: ClassVar[str] = ""
    """The key that is meant where a plain value stands in the place of the map."""


def _whole_number(value: Any) -> Any:
    # Integers arrive as floats through a Pulumi component package (pulumi 3.259, component.py).
    return int(value) if isinstance(value, float) and value.is_integer() else value


def enum_validator(cls: type[StrEnum]) -> BeforeValidator:
    """A validator that accepts the values of ``cls`` as strings, even in a strict model."""

    def member(value: Any) -> StrEnum:
        if isinstance(value, str) and value in list(cls):
            return cls(value)
        raise ValueError(f"{format_value(value)} given, {suggest_name(str(value), list(cls))}")

    return BeforeValidator(member)


class Engine(StrEnum):
    """The inference engines."""

    VLLM = "vllm"
    SGLANG = "sglang"
    TRTLLM = "trtllm"
    LLAMACPP = "llamacpp"


class Mode(StrEnum):
    """How prefill and decode are placed: in one worker, or in workers of their own."""

    AGGREGATED = "aggregated"
    DISAGGREGATED = "disaggregated"


class Source(StrEnum):
    """Where the weights come from: Hugging Face, the image itself, or one of AIKit's pre-made images."""

    HUGGINGFACE = "huggingface"
    CUSTOM = "custom"
    AIKIT = "aikit"


class VolumePurpose(StrEnum):
    """What a volume of ``model.storage`` is for."""

    MODEL_CACHE = "modelCache"
    COMPILATION_CACHE = "compilationCache"
    CUSTOM = "custom"


MOUNT_PATHS = {VolumePurpose(purpose): str(path) for purpose, path in _LIMITS["mountPaths"].items()}
"""Where a volume is mounted by its purpose, if it has no ``mountPath``."""


class AccessMode(StrEnum):
    """Who can mount a volume, as in a PersistentVolumeClaim."""

    READ_WRITE_ONCE = "ReadWriteOnce"
    READ_WRITE_MANY = "ReadWriteMany"
    READ_ONLY_MANY = "ReadOnlyMany"
    READ_WRITE_ONCE_POD = "ReadWriteOncePod"


Count = Annotated[int, BeforeValidator(_whole_number), Field(ge=0)]
Text = Annotated[str, StringConstraints(min_length=1)]
LINE = r"^\S([^\r\n]*\S)?$"
Line = Annotated[str, StringConstraints(min_length=1, pattern=LINE)]
"""A single line of text without leading or trailing whitespace."""
Image = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\s@]+(@[a-z0-9]+:[0-9a-f]{32,})?$")]
"""A container image, REPOSITORY[:TAG][@DIGEST]."""
_SUBDOMAIN = r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?"
SecretName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=f"^{_SUBDOMAIN}$")]
ClaimName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=f"^{_SUBDOMAIN}$")]
ClassName = Annotated[str, StringConstraints(max_length=253, pattern=f"^({_SUBDOMAIN})?$")]
VolumeName = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]


def _with_unit(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} given, must be a Kubernetes quantity with its unit, such as 16Gi")
    return value


Memory = Annotated[str, BeforeValidator(_with_unit), StringConstraints(min_length=1)]


class Gguf(StrictModel):
    """One GGUF file of a repository."""

    SHORT_FORM: ClassVar[str] = "file"

    file: Text | None = Field(None, description="File name inside the repository; it ends in .gguf.")
    build: bool = Field(
        False, description="Build an image with the model inside the cluster, instead of fetching it at each start."
    )


class StorageVolume(StrictModel):
    """A volume for the pods that load the model: an existing claim, or with ``size`` one that is created."""

    name: VolumeName = Field(description="Name of the volume.")
    claim_name: ClaimName | None = Field(
        None, description="Existing PersistentVolumeClaim in the namespace. With size: DEPLOYMENT-VOLUME."
    )
    mount_path: Text | None = Field(
        None, description="Path in the container. Default: /model-cache or /compilation-cache by the purpose."
    )
    purpose: Annotated[VolumePurpose, enum_validator(VolumePurpose)] = Field(
        VolumePurpose.CUSTOM,
        description="modelCache for downloaded weights, compilationCache for compiled kernels, or custom.",
    )
    read_only: bool = Field(False, description="Mount an existing claim read-only.")
    size: Memory | None = Field(
        None, description="Size of a claim that is created and outlives the deployment, as a Kubernetes quantity."
    )
    storage_class_name: ClassName | None = Field(
        None, description="Storage class of the created claim; empty for none. Default: the cluster's."
    )
    access_mode: Annotated[AccessMode, enum_validator(AccessMode)] | None = Field(
        None, description="Access mode of the created claim. Default: ReadWriteMany."
    )

    @property
    def path(self) -> str | None:
        """Where the volume is mounted: its own path, or its purpose's."""
        return self.mount_path or MOUNT_PATHS.get(self.purpose)

    @property
    def created_mode(self) -> AccessMode:
        """The access mode of the claim, if it is created."""
        return self.access_mode or AccessMode.READ_WRITE_MANY


class Storage(StrictModel):
    """Persistent storage."""

    volumes: list[StorageVolume] = Field(
        [], description=f"Volumes of the pods that load the model; {MAX_VOLUMES} at most."
    )


class ModelRef(StrictModel):
    """The model to serve."""

    SHORT_FORM: ClassVar[str] = "id"

    id: Text | None = Field(
        None, description="Hugging Face id such as meta-llama/Llama-3.1-8B-Instruct; required for source huggingface."
    )
    revision: Line | None = Field(
        None, description="Branch, tag or commit of the Hugging Face repository. Default: its branch main."
    )
    served_name: Line | None = Field(
        None, description="Name that the API answers to. Default: what the engine makes of the id."
    )
    source: Annotated[Source, enum_validator(Source)] = Field(
        Source.HUGGINGFACE, description="Where the weights come from."
    )
    gguf: Gguf | None = Field(None, description="GGUF file to serve with llama.cpp.")
    storage: Storage | None = Field(None, description="Volumes that keep weights and caches.")

    @property
    def volumes(self) -> list[StorageVolume]:
        """The volumes of ``storage``."""
        return self.storage.volumes if self.storage else []

    @property
    def is_gguf_repository(self) -> bool:
        """Whether the Hugging Face repository's name says that it holds GGUF files, as unsloth/Qwen3-8B-GGUF does."""
        name = str(self.id).rpartition("/")[2].lower()
        return self.source is Source.HUGGINGFACE and "gguf" in re.split(r"[-_.]", name)


class ProviderRef(StrictModel):
    """A provider pinned by name, and overrides of the object that it renders."""

    SHORT_FORM: ClassVar[str] = "name"

    name: Line | None = Field(None, description="Inference provider. Default: the selection rules decide.")
    overrides: dict[str, Any] | None = Field(
        None, description="Deep-merged last over the upstream object; null deletes a key."
    )


class EngineSpec(StrictModel):
    """The engine and its settings."""

    SHORT_FORM: ClassVar[str] = "type"

    type: Annotated[Engine, enum_validator(Engine)] | None = Field(
        None, description="Default: the first that an eligible provider can run."
    )
    context_length: Annotated[int, BeforeValidator(_whole_number), Field(ge=1)] | None = Field(
        None, description="Longest sequence, in tokens."
    )
    trust_remote_code: bool = Field(False, description="Run code that comes with the model.")
    enable_prefix_caching: bool = Field(True, description="Reuse the KV cache of common prefixes.")
    enforce_eager: bool = Field(False, description="No CUDA graphs.")
    args: dict[str, str] = Field({}, description="Engine flags without the dashes; an empty value means a bare flag.")
    extra_args: list[str] = Field([], description="Engine arguments, appended as they are.")
    image: Image | None = Field(None, description="Container image of the engine. Default: the provider's.")


class Serving(StrictModel):
    """Serving mode."""

    SHORT_FORM: ClassVar[str] = "mode"

    mode: Annotated[Mode, enum_validator(Mode)] = Field(Mode.AGGREGATED, description="aggregated or disaggregated.")


class Gpu(StrictModel):
    """GPUs of one replica."""

    SHORT_FORM: ClassVar[str] = "count"

    count: Count = Field(0, description=f"GPUs per replica; {MAX_GPUS} at most.")
    type: Text = Field(GPU_RESOURCE, description="Extended resource that a GPU is requested by.")


class ComponentScaling(StrictModel):
    """Replicas and resources of the prefill or the decode workers."""

    replicas: Count = Field(1, description=f"Workers; {MAX_REPLICAS} at most.")
    gpu: Gpu | None = Field(None, description="GPUs of one worker.")
    memory: Memory | None = Field(
        None, description=f"Memory of one worker, as a Kubernetes quantity; {MAX_MEMORY} at most."
    )


class Scaling(StrictModel):
    """The number of replicas."""

    SHORT_FORM: ClassVar[str] = "replicas"

    replicas: Count = Field(1, description=f"Replicas; {MAX_REPLICAS} at most.")
    prefill: ComponentScaling | None = Field(None, description="Prefill workers of a disaggregated deployment.")
    decode: ComponentScaling | None = Field(None, description="Decode workers of a disaggregated deployment.")


class Resources(StrictModel):
    """Resources of one replica."""

    gpu: Gpu | None = Field(None, description="GPUs. Without them the model runs on CPU.")
    memory: Memory | None = Field(None, description=f"Memory, as a Kubernetes quantity; {MAX_MEMORY} at most.")
    cpu: Text | None = Field(None, description=f"CPUs, as a Kubernetes quantity; {MAX_CPU} at most.")


class EnvVar(StrictModel):
    """An environment variable as in a container's ``env``."""

    name: Text = Field(description="Name.")
    value: str | None = Field(None, description="Value.")
    value_from: dict[str, Any] | None = Field(None, description="Source of the value, such as a secretKeyRef.")


class PodMetadata(StrictModel):
    """Labels and annotations for the pods."""

    labels: dict[str, str] = Field({}, description="Labels.")
    annotations: dict[str, str] = Field({}, description="Annotations.")


class PodTemplate(StrictModel):
    """Additions to the pods."""

    metadata: PodMetadata = Field(PodMetadata(), description="Labels and annotations.")


class Secrets(StrictModel):
    """Names of Secrets, never their values."""

    hugging_face_token: SecretName | None = Field(
        None, description="Name of an existing Secret whose key HF_TOKEN holds the token."
    )


class Toleration(StrictModel):
    """A pod toleration."""

    key: str | None = Field(None, description="Taint key.")
    operator: Literal["Equal", "Exists"] | None = Field(None, description="Equal or Exists.")
    value: str | None = Field(None, description="Taint value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="NoSchedule, PreferNoSchedule or NoExecute."
    )
    toleration_seconds: Annotated[int, BeforeValidator(_whole_number)] | None = Field(
        None, description="For NoExecute: how long."
    )


class Gateway(StrictModel):
    """The routes that a KubeAIRunway controller makes through the cluster's inference gateway."""

    enabled: bool = Field(False, description="Whether there are any; with direct delivery there are none.")
    model_name: Line | None = Field(None, description="Name of the model that requests are routed by.")
    http_route_ref: Line | None = Field(None, description="Existing HTTPRoute, instead of one made for the model.")


class ModelDeploymentSpec(StrictModel):
    """The spec of one model deployment."""

    model: ModelRef = Field(description="Which model.")
    provider: ProviderRef = Field(ProviderRef(), description="Pinned provider and overrides.")
    engine: EngineSpec = Field(EngineSpec(), description="Inference engine.")
    serving: Serving = Field(Serving(), description="Serving mode.")
    scaling: Scaling = Field(Scaling(), description="Replicas.")
    resources: Resources = Field(Resources(), description="Resources of one replica.")
    image: Image | None = Field(None, description="Container image; the older name of engine.image.")
    env: list[EnvVar] = Field([], description="Environment of the engine's containers.")
    pod_template: PodTemplate = Field(PodTemplate(), description="Labels and annotations of the pods.")
    secrets: Secrets = Field(Secrets(), description="Secrets by name.")
    node_selector: dict[str, str] = Field({}, description="Node labels that the pods need.")
    tolerations: list[Toleration] = Field([], description="Taints that the pods tolerate.")
    gateway: Gateway | None = Field(None, description="Routes through the cluster's inference gateway.")

    @property
    def container_image(self) -> str | None:
        """The container image, from either of its two fields."""
        return self.engine.image or self.image

    @property
    def is_gguf(self) -> bool:
        """Whether only llama.cpp can run the model; an image in the spec may run a GGUF repository otherwise."""
        by_id = self.model.is_gguf_repository and not self.container_image
        return self.model.gguf is not None or self.model.source is Source.AIKIT or by_id

    @property
    def disaggregated(self) -> bool:
        """Whether prefill and decode run in workers of their own."""
        return self.serving.mode is Mode.DISAGGREGATED

    @property
    def gpu_count(self) -> int:
        """GPUs of one aggregated replica."""
        return self.resources.gpu.count if self.resources.gpu else 0

    @property
    def needs_gpu(self) -> bool:
        """Whether selection treats this as a GPU deployment."""
        return self.disaggregated or self.gpu_count > 0

    def rule_input(self, engine: Engine | None = None) -> dict[str, Any]:
        """The spec as plain data for CEL: all sections, with defaults, but ``resources.gpu`` only if set.

        ``engine`` is the resolved engine, for a spec that names none. Numbers are integers.
        """
        result = self.model_dump(
            mode="json", by_alias=True, exclude_none=True, include=set(ModelDeploymentSpec.model_fields)
        )
        if self.resources.gpu is None:
            result["resources"].pop("gpu", None)
        if engine is not None:
            result["engine"]["type"] = str(engine)
        return result


QUANTITY = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")
"""A non-negative Kubernetes quantity (apimachinery, pkg/api/resource/quantity.go)."""
