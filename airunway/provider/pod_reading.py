"""Reads parts of live pods back into spec fields, for all providers."""

from collections.abc import Mapping
from typing import Any

from airunway.provider.labels import GROUP
from airunway.provider.live_object import Object as Object
from airunway.provider.live_object import UnreadableError as UnreadableError
from airunway.provider.live_object import WholeNumber, read_value
from airunway.provider.live_pod import EnvVar, Placement, TemplateMetadata
from airunway.provider.pods import TOKEN_KEY, TOKEN_KEYS
from airunway.spec.model import GPU_RESOURCE
from airunway.text.merge import non_empty


def read_resources(limits: Mapping[str, str], field: str) -> dict[str, Any]:
    """The section ``resources`` for a container's limits, found at ``field``. Raises ``UnreadableError``."""
    gpu_resource = next((key for key in limits if "/" in key), None)  # only extended resources have a domain
    gpu = (
        {"gpu": gpu_fields(read_value(WholeNumber, limits[gpu_resource], f"{field}.{gpu_resource}"), gpu_resource)}
        if gpu_resource
        else {}
    )
    return gpu | non_empty(cpu=limits.get("cpu"), memory=limits.get("memory"))


def gpu_fields(count: int, kind: str = GPU_RESOURCE) -> dict[str, Any]:
    """The ``gpu`` section for ``count`` GPUs."""
    return {"count": count, **({} if kind == GPU_RESOURCE else {"type": kind})}


def read_environment(env: list[EnvVar]) -> dict[str, Any]:
    """The section ``env`` without the token that renderers append, and ``secrets`` with the token's Secret."""
    entries = [variable.model_dump(by_alias=True, exclude_none=True) for variable in env]
    reference = (env[-1].value_from or {}).get("secretKeyRef") if env else None
    rendered = isinstance(reference, dict) and env[-1].name == reference.get("key") == TOKEN_KEY
    # Beside a token of the user's own none is rendered.
    rendered = rendered and all(variable.name not in TOKEN_KEYS for variable in env[:-1])
    token = reference.get("name") if rendered and reference else None
    return non_empty(env=entries[:-1]) | {"secrets": {"huggingFaceToken": token}} if token else non_empty(env=entries)


def read_pod(metadata: TemplateMetadata, placement: Placement) -> dict[str, Any]:
    """The fields for a pod's labels, annotations, tolerations and node selector."""
    labels = {k: v for k, v in metadata.labels.items() if k != f"{GROUP}/deployment"}
    pod = non_empty(labels=labels, annotations=metadata.annotations)
    template = {"metadata": pod} if pod else {}
    return non_empty(podTemplate=template, tolerations=placement.tolerations, nodeSelector=placement.node_selector)
