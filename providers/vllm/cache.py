"""Where the weights stay when a pod goes: a volume claim for the cache of huggingface_hub, where the provider's
defaults ask for one.
"""

from typing import Any

from airunway.provider.honoured import Refusals
from airunway.provider.request import Request
from airunway.spec.checks import quantity
from airunway.text.merge import given

PATH = "/root/.cache/huggingface"
"""The cache of huggingface_hub in vLLM's image, whose user is root (vLLM's Docker guide, 0.33.0)."""

ONE_NODE, MANY_NODES = "ReadWriteOnce", "ReadWriteMany"
VOLUME = "cache"


def wanted(request: Request) -> bool:
    """Whether the provider's defaults ask for a claim."""
    return bool(request.config.spec.defaults.get("cacheStorage"))


def claim(request: Request) -> list[dict[str, Any]]:
    """The claim of a deployment, which all of its replicas share; none where nothing asks for it."""
    if not wanted(request):
        return []
    defaults = request.config.spec.defaults
    spec = {
        "accessModes": [_mode(request)],
        "resources": {"requests": {"storage": defaults["cacheStorage"]}},
        **given(storageClassName=defaults.get("cacheStorageClass")),
    }
    metadata = request.metadata | {"name": _name(request)}
    return [{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}]


def refuse(request: Request, refusals: Refusals) -> None:
    """Note defaults that no claim can have, and replicas that could not mount it."""
    defaults, path = request.config.spec.defaults, f"providers.{request.config.name}.spec.defaults"
    mode, storage = _mode(request), defaults.get("cacheStorage", "")
    refusals.refuse(
        bool(storage) and not quantity(storage),
        f"{path}.cacheStorage",
        f"{storage!r} given, a quantity is wanted, such as 100Gi",
    )
    known = (ONE_NODE, MANY_NODES)
    refusals.refuse(mode not in known, f"{path}.cacheAccessMode", f"{mode!r} given; valid: {', '.join(known)}")
    shared = wanted(request) and mode == ONE_NODE and request.spec.scaling.replicas > 1
    refusals.refuse(
        shared, "scaling.replicas", f"one node at a time mounts the cache; set {path}.cacheAccessMode: {MANY_NODES}"
    )


def volume(request: Request) -> list[dict[str, Any]]:
    """The volume of a pod, where there is a claim."""
    return [{"name": VOLUME, "persistentVolumeClaim": {"claimName": _name(request)}}] if wanted(request) else []


def mount(request: Request) -> list[dict[str, Any]]:
    """Where a container has the volume."""
    return [{"name": VOLUME, "mountPath": PATH}] if wanted(request) else []


def rolling_update(request: Request) -> dict[str, Any]:
    """How pods are replaced: the old one first where the new one could not mount the cache beside it, else Kubernetes'
    default.
    """
    alone = wanted(request) and _mode(request) == ONE_NODE
    return {"maxSurge": 0, "maxUnavailable": 1} if alone else {"maxSurge": "25%", "maxUnavailable": "25%"}


def _name(request: Request) -> str:
    return f"{request.name}-cache"


def _mode(request: Request) -> str:
    return request.config.spec.defaults.get("cacheAccessMode") or ONE_NODE
