"""Checks that changes of the registry's and builder's volume claims are possible."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airunway.planning.builder_objects import builder_objects
from airunway.planning.image_build import BUILDER, NAMESPACE, REGISTRY
from airunway.planning.registry_objects import registry_objects
from airunway.planning.settings import StackSettings
from airunway.spec.checks import parse_quantity
from airunway.text.problems import Problem

CLASS_PATH, SIZE_PATH = "spec.storageClassName", "spec.resources.requests.storage"
_SERVICES = {REGISTRY: "registry.managed", BUILDER: "builder"}


def registry_claim_problems(
    settings: StackSettings, live_claim: Callable[[str], Mapping[str, Any] | None]
) -> list[Problem]:
    """Problems for settings of volume claims that Kubernetes refuses; ``live_claim`` returns the live claim by name.

    A claim can't change its storage class and can't shrink. It can grow if its storage class allows that, which only
    the cluster knows. Without a class in the settings, a claim keeps its class.
    """
    objects = [
        *(registry_objects(settings.registry.managed) if settings.registry.managed else []),
        *builder_objects(settings),
    ]
    claims = [obj for obj in objects if obj["kind"] == "PersistentVolumeClaim"]
    return [
        problem
        for claim in claims
        if (current := live_claim(claim["metadata"]["name"]))
        for problem in _changes(claim, current)
    ]


def is_refused(kind: str, field: str, old: Any, new: Any) -> bool:
    """Whether Kubernetes refuses this change of a field; without a new storage class, the class is kept."""
    if kind != "PersistentVolumeClaim":
        return False
    if field == CLASS_PATH:
        return new is not None
    return field == SIZE_PATH and _shrinks(old, new)


def _shrinks(old: Any, new: Any) -> bool:
    return (parse_quantity(str(new)) or 0) < (parse_quantity(str(old)) or 0)


def _changes(claim: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Problem]:
    name = claim["metadata"]["name"]
    setting, claim_spec, live_spec = _SERVICES[name], claim["spec"], live.get("spec") or {}
    storage_class, size = claim_spec.get("storageClassName"), claim_spec["resources"]["requests"]["storage"]
    if storage_class is not None and storage_class != live_spec.get("storageClassName"):
        reason = (
            f"{storage_class!r} given, but the volume has {live_spec.get('storageClassName')!r}, and a volume can't"
            " change its class"
        )
        yield Problem(f"{setting}.storageClass", f"{reason}; {_recreation_hint(name)}")
    live_size = str(((live_spec.get("resources") or {}).get("requests") or {}).get("storage", "0"))
    if _shrinks(live_size, size):
        yield Problem(
            f"{setting}.storage",
            f"{size!r} given, but the volume has {live_size}, and a volume can't shrink; {_recreation_hint(name)}",
        )


def _recreation_hint(name: str) -> str:
    """The commands that delete and recreate the claim, and what is lost with it."""
    commands = [f"kubectl delete -n {NAMESPACE} deployment/{name} pvc/{name}"]
    loss = "the build cache is lost"
    if name == REGISTRY:
        commands.append(f"kubectl delete -n {NAMESPACE} job -l app=image-build")
        loss = "the images are built again"
    listing = ", ".join(f"`{command}`" for command in (*commands, "pulumi refresh"))
    return f"to recreate it: {listing} and `pulumi up`; {loss}"
