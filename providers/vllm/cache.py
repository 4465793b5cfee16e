"""A volume claim that keeps downloaded weights (huggingface_hub's cache), if the provider's defaults set its size."""

from typing import Any

from airunway.provider import storage
from airunway.provider.request import Request
from airunway.provider.supported_fields import Refusals
from airunway.spec.checks import parse_quantity
from airunway.spec.model import VolumePurpose
from airunway.spec.storage_checks import FIELD
from airunway.text.merge import non_empty

PATH = "/root/.cache/huggingface"
"""The cache of huggingface_hub in vLLM's image, whose user is root (vLLM's Docker guide, 0.33.0)."""

ONE_NODE, MANY_NODES = "ReadWriteOnce", "ReadWriteMany"
VOLUME = "cache"


def is_enabled(request: Request) -> bool:
    """Whether the provider's defaults ask for a volume claim, and the deployment has no modelCache of its own."""
    own = any(volume.purpose is VolumePurpose.MODEL_CACHE for volume in request.spec.model.volumes)
    return bool(request.config.spec.defaults.get("cacheStorage")) and not own


def claim(request: Request) -> list[dict[str, Any]]:
    """The volume claim that all replicas of a deployment share; empty if the cache is not enabled."""
    if not is_enabled(request):
        return []
    defaults = request.config.spec.defaults
    spec = {
        "accessModes": [_mode(request)],
        "resources": {"requests": {"storage": defaults["cacheStorage"]}},
        **non_empty(storageClassName=defaults.get("cacheStorageClass")),
    }
    metadata = request.metadata | {"name": default_claim(request.name)}
    return [{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}]


def check(request: Request, refusals: Refusals) -> None:
    """Record invalid defaults, and replicas that could not mount the volume."""
    defaults, prefix = request.config.spec.defaults, f"providers.{request.config.name}.spec.defaults"
    mode, size = _mode(request), defaults.get("cacheStorage", "")
    refusals.refuse(
        bool(size) and not parse_quantity(size),
        f"{prefix}.cacheStorage",
        f"{size!r} given, must be a quantity, such as 100Gi",
    )
    modes = (ONE_NODE, MANY_NODES)
    refusals.refuse(mode not in modes, f"{prefix}.cacheAccessMode", f"{mode!r} given; valid: {', '.join(modes)}")
    shared = is_enabled(request) and mode == ONE_NODE and request.spec.scaling.replicas > 1
    refusals.refuse(
        shared,
        "scaling.replicas",
        f"only one node at a time can mount the cache; set {prefix}.cacheAccessMode: {MANY_NODES}",
    )


def volume(request: Request) -> list[dict[str, Any]]:
    """The pod's volume; empty if the cache is not enabled."""
    return (
        [{"name": VOLUME, "persistentVolumeClaim": {"claimName": default_claim(request.name)}}]
        if is_enabled(request)
        else []
    )


def mount(request: Request) -> list[dict[str, Any]]:
    """The container's volume mount; empty if the cache is not enabled."""
    return [{"name": VOLUME, "mountPath": PATH}] if is_enabled(request) else []


def rolling_update(request: Request) -> dict[str, Any]:
    """Settings of the rolling update: pods stop before their successors start if only one node can mount a volume."""
    created = [volume.created_mode for volume in request.spec.model.volumes if volume.size]
    exclusive = (is_enabled(request) and _mode(request) == ONE_NODE) or any(
        mode in storage.ONE_NODE for mode in created
    )
    return {"maxSurge": 0, "maxUnavailable": 1} if exclusive else {"maxSurge": "25%", "maxUnavailable": "25%"}


def check_volumes(request: Request, refusals: Refusals) -> None:
    """Record volumes of the deployment that take a name or a path of the pod's own ones."""
    own = is_enabled(request)
    storage.refuse_names(refusals, storage.mounted_volumes(request), ("shm", VOLUME) if own else ("shm",))
    for index, mounted in enumerate(storage.mounted_volumes(request)):
        reason = f"the cache of {request.config.name}'s defaults is mounted there; set purpose modelCache to replace it"
        refusals.refuse(own and mounted.path == PATH, f"{FIELD}[{index}].mountPath", reason)


def default_claim(name: str) -> str:
    """The claim that the provider's defaults ask for, for a deployment of that name."""
    return f"{name}-cache"


def _mode(request: Request) -> str:
    return request.config.spec.defaults.get("cacheAccessMode") or ONE_NODE
