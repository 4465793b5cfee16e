"""Fields of the spec that mean the same in every provider's pods: their leaves, for ``Honours``, and what they
become.
"""

from typing import Any

from airunway.provider.labels import GROUP
from airunway.provider.request import Request
from airunway.spec.model import ModelDeploymentSpec
from airunway.text.merge import given

TOKEN_KEY = "HF_TOKEN"
"""Key of a token Secret and name of the variable that engines read (huggingface_hub)."""

IMAGE = frozenset({"engine.image", "image"})
"""The leaves of which ``Deployment.image`` is one."""

POD_METADATA = frozenset({"podTemplate.metadata.labels", "podTemplate.metadata.annotations"})
"""The leaves for the metadata of pods."""


WHOLE = frozenset(
    {"scaling.replicas", "resources.gpu.count", "resources.gpu.type", "resources.cpu", "resources.memory"}
)
"""The leaves that size an aggregated deployment's workers."""

PARTS = frozenset(
    {
        *(
            f"scaling.{role}.{leaf}"
            for role in ("prefill", "decode")
            for leaf in ("replicas", "gpu.count", "gpu.type", "memory")
        ),
        *("resources.cpu", "resources.memory"),
    }
)
"""The leaves that size a disaggregated deployment's workers; ``resources`` is for those that name none of their own."""

NOT_WHOLE = {"scaling.replicas": "prefill and decode have replicas of their own"}
NOT_GGUF = {"model.gguf": "GGUF files are for engine llamacpp"}

ENVIRONMENT = frozenset({"env[].name", "env[].value", "env[].valueFrom", "secrets.huggingFaceToken"})
"""The leaves that ``environment`` renders."""


def environment(request: Request, *, token: bool = True) -> list[dict[str, Any]]:
    """The containers' ``env``: the user's entries, then the token from its Secret unless the user set it."""
    env = [v.model_dump(by_alias=True, exclude_none=True) for v in request.spec.env]
    if token and request.token_secret and all(v["name"] != TOKEN_KEY for v in env):
        env.append({"name": TOKEN_KEY, "valueFrom": {"secretKeyRef": {"name": request.token_secret, "key": TOKEN_KEY}}})
    return env


SCHEDULING = frozenset(
    {"nodeSelector", *(f"tolerations[].{name}" for name in ("key", "operator", "value", "effect", "tolerationSeconds"))}
)
"""The leaves that ``scheduling`` renders."""


def scheduling(spec: ModelDeploymentSpec) -> dict[str, Any]:
    """``nodeSelector`` and ``tolerations`` of a pod spec, where given."""
    tolerations = [t.model_dump(by_alias=True, exclude_none=True) for t in spec.tolerations]
    return given(nodeSelector=dict(spec.node_selector), tolerations=tolerations)


def pod_template(request: Request, pod: dict[str, Any]) -> dict[str, Any]:
    """The template of a deployment's pods, whose spec is ``pod``: they are labelled with its name, and as the user
    wants.
    """
    metadata = request.spec.pod_template.metadata
    labels = {f"{GROUP}/deployment": request.name, **metadata.labels}
    return {"metadata": {"labels": labels, **given(annotations=dict(metadata.annotations))}, "spec": pod}


def quantities(count: int, kind: str, cpu: str | None, memory: str | None) -> dict[str, str]:
    """A ``limits`` map of a container."""
    gpu = {kind: str(count)} if count else {}
    return gpu | given(cpu=cpu, memory=memory)


PASSED_THROUGH = frozenset(
    {
        ("EnvVar", "value"),
        ("PodMetadata", "labels"),
        ("PodMetadata", "annotations"),
        ("DeploymentEntry", "image"),
        ("EngineSpec", "image"),
        ("Secrets", "huggingFaceToken"),
    }
)
"""Fields by model whose texts are put into the objects as they are, and decide nothing: an Output may stand for one."""
