"""What the providers' readers share: parts of pods read back into the fields of a deployment."""

from collections.abc import Mapping
from typing import Any

from airunway.provider.labels import GROUP
from airunway.provider.pods import TOKEN_KEY
from airunway.spec.model import GPU_RESOURCE
from airunway.text.merge import given

Object = Mapping[str, Any]


class UnreadableError(Exception):
    """The object is not one that a deployment can stand for; the text says why."""


def resources_of(limits: Object) -> dict[str, Any]:
    """A container's limits as ``resources``."""
    gpu = next((key for key in limits if "/" in key), None)  # only extended resources have a domain
    counted = {"gpu": {"count": int(limits[gpu]), **({} if gpu == GPU_RESOURCE else {"type": gpu})}} if gpu else {}
    return counted | given(cpu=limits.get("cpu"), memory=limits.get("memory"))


def environment_of(env: list[Any]) -> dict[str, Any]:
    """``env`` without the token that a renderer puts last, and the Secret that holds it."""
    last = env[-1] if env else {}
    reference = (last.get("valueFrom") or {}).get("secretKeyRef") or {}
    if last.get("name") == TOKEN_KEY and reference.get("key") == TOKEN_KEY:
        return given(env=env[:-1]) | {"secrets": {"huggingFaceToken": reference["name"]}}
    return given(env=env)


def pod_of(metadata: Object, spec: Object) -> dict[str, Any]:
    """What a pod says of labels, annotations and nodes."""
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != f"{GROUP}/deployment"}
    pod = given(labels=labels, annotations=dict(metadata.get("annotations") or {}))
    found = given(podTemplate={"metadata": pod} if pod else {}, tolerations=list(spec.get("tolerations") or []))
    return found | given(nodeSelector=dict(spec.get("nodeSelector") or {}))
