"""What the providers' readers share: parts of pods read back into the fields of a deployment."""

from collections.abc import Mapping
from typing import Any

from airunway.provider.labels import GROUP
from airunway.provider.live_object import Object as Object
from airunway.provider.live_object import UnreadableError as UnreadableError
from airunway.provider.live_object import Whole, read_value
from airunway.provider.live_pod import EnvVar, Placement, TemplateMetadata
from airunway.provider.pods import TOKEN_KEY
from airunway.spec.model import GPU_RESOURCE
from airunway.text.merge import given


def resources_of(limits: Mapping[str, str], path: str) -> dict[str, Any]:
    """A container's limits, which stand at ``path``, as ``resources``. Raises ``UnreadableError``."""
    gpu = next((key for key in limits if "/" in key), None)  # only extended resources have a domain
    counted = {"gpu": gpu_of(read_value(Whole, limits[gpu], f"{path}.{gpu}"), gpu)} if gpu else {}
    return counted | given(cpu=limits.get("cpu"), memory=limits.get("memory"))


def gpu_of(count: int, kind: str = GPU_RESOURCE) -> dict[str, Any]:
    """GPUs as a person writes them."""
    return {"count": count, **({} if kind == GPU_RESOURCE else {"type": kind})}


def environment_of(env: list[EnvVar]) -> dict[str, Any]:
    """``env`` without the token that a renderer puts last, and the Secret that holds it."""
    entries = [variable.model_dump(by_alias=True, exclude_none=True) for variable in env]
    reference = (env[-1].value_from or {}).get("secretKeyRef") if env else None
    token = isinstance(reference, dict) and env[-1].name == reference.get("key") == TOKEN_KEY and reference.get("name")
    return given(env=entries[:-1]) | {"secrets": {"huggingFaceToken": token}} if token else given(env=entries)


def pod_of(metadata: TemplateMetadata, placement: Placement) -> dict[str, Any]:
    """What a pod says of labels, annotations and nodes."""
    labels = {k: v for k, v in metadata.labels.items() if k != f"{GROUP}/deployment"}
    pod = given(labels=labels, annotations=metadata.annotations)
    template = {"metadata": pod} if pod else {}
    return given(podTemplate=template, tolerations=placement.tolerations, nodeSelector=placement.node_selector)
