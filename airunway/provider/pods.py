"""Rendering of the spec fields that mean the same for every provider's pods, and their names for ``SUPPORTED``."""

from collections.abc import Sequence
from typing import Any

from airunway.provider.labels import GROUP
from airunway.provider.request import Request
from airunway.spec.model import ModelDeploymentSpec
from airunway.text.merge import non_empty

TOKEN_KEY = "HF_TOKEN"
"""Key in a token Secret, and the environment variable that huggingface_hub reads."""

TOKEN_KEYS = frozenset({TOKEN_KEY, "HUGGING_FACE_HUB_TOKEN"})
"""The variables from which huggingface_hub reads a token, ``HF_TOKEN`` first."""

IMAGE_FIELDS = frozenset({"engine.image", "image"})
"""The fields that name a container image."""

POD_METADATA_FIELDS = frozenset({"podTemplate.metadata.labels", "podTemplate.metadata.annotations"})
"""The fields for the metadata of pods."""


AGGREGATED_FIELDS = frozenset(
    {"scaling.replicas", "resources.gpu.count", "resources.gpu.type", "resources.cpu", "resources.memory"}
)
"""The fields that size the workers of an aggregated deployment."""

DISAGGREGATED_FIELDS = frozenset(
    {
        *(
            f"scaling.{role}.{leaf}"
            for role in ("prefill", "decode")
            for leaf in ("replicas", "gpu.count", "gpu.type", "memory")
        ),
        *("resources.cpu", "resources.memory"),
    }
)
"""The fields that size the workers of a disaggregated deployment; ``resources`` holds their defaults."""

DISAGGREGATED_REASONS = {"scaling.replicas": "prefill and decode have replicas of their own"}
GGUF_REASONS = {"model.gguf": "GGUF files are for engine llamacpp"}

ENVIRONMENT_FIELDS = frozenset({"env[].name", "env[].value", "env[].valueFrom", "secrets.huggingFaceToken"})
"""The fields that ``environment`` renders."""


def has_own_token(spec: ModelDeploymentSpec) -> bool:
    """Whether the user's environment brings the token, in either of its variables."""
    return any(variable.name in TOKEN_KEYS for variable in spec.env)


def environment(request: Request, added: Sequence[dict[str, Any]] = (), *, token: bool = True) -> list[dict[str, Any]]:
    """The containers' ``env``: the user's entries, those ``added``, then the token unless the user sets it."""
    env = [*(v.model_dump(by_alias=True, exclude_none=True) for v in request.spec.env), *added]
    if token and request.token_secret and not has_own_token(request.spec):
        env.append({"name": TOKEN_KEY, "valueFrom": {"secretKeyRef": {"name": request.token_secret, "key": TOKEN_KEY}}})
    return env


SCHEDULING_FIELDS = frozenset(
    {"nodeSelector", *(f"tolerations[].{name}" for name in ("key", "operator", "value", "effect", "tolerationSeconds"))}
)
"""The fields that ``scheduling`` renders."""


def scheduling(spec: ModelDeploymentSpec) -> dict[str, Any]:
    """The ``nodeSelector`` and ``tolerations`` of a pod spec, if set."""
    tolerations = [t.model_dump(by_alias=True, exclude_none=True) for t in spec.tolerations]
    return non_empty(nodeSelector=dict(spec.node_selector), tolerations=tolerations)


NO_API_TOKEN = {"automountServiceAccountToken": False}
"""What a pod has that calls no Kubernetes API."""
NO_ESCALATION = {"securityContext": {"allowPrivilegeEscalation": False}}
"""What a container has that runs no program of other rights."""


def pod_template(request: Request, pod: dict[str, Any]) -> dict[str, Any]:
    """The template of a deployment's pods with the spec ``pod``, our label and the user's labels and annotations."""
    metadata = request.spec.pod_template.metadata
    labels = {f"{GROUP}/deployment": request.name, **metadata.labels}
    return {"metadata": {"labels": labels, **non_empty(annotations=dict(metadata.annotations))}, "spec": pod}


def quantities(count: int, kind: str, cpu: str | None, memory: str | None) -> dict[str, str]:
    """The ``limits`` of a container."""
    gpu = {kind: str(count)} if count else {}
    return gpu | non_empty(cpu=cpu, memory=memory)


OUTPUT_FIELDS = frozenset(
    {
        ("EnvVar", "value"),
        ("PodMetadata", "labels"),
        ("PodMetadata", "annotations"),
        ("DeploymentEntry", "image"),
        ("EngineSpec", "image"),
        ("Secrets", "huggingFaceToken"),
        ("StorageVolume", "claimName"),
    }
)
"""Fields, as (model, field), that are copied into objects and influence no decision, so they may be Pulumi Outputs."""
