"""What can be changed about the volumes of the registry and the builder once they are there."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airunway.planning.build_services import builder_objects, registry_objects
from airunway.planning.image_build import BUILDER, NAMESPACE, REGISTRY
from airunway.planning.settings import StackSettings
from airunway.spec.checks import quantity
from airunway.text.problems import Problem

CLASS_PATH, SIZE_PATH = "spec.storageClassName", "spec.resources.requests.storage"
_SERVICES = {REGISTRY: "registry.managed", BUILDER: "builder"}


def claim_problems(settings: StackSettings, live: Callable[[str], Mapping[str, Any] | None]) -> list[Problem]:
    """What the settings ask of volume claims that Kubernetes refuses; ``live`` gives a claim by name as it was last
    seen.

    A claim never changes its storage class, and never gets smaller. It can grow where its storage class allows that,
    which only the cluster knows. A class that is left out stays what it is.
    """
    objects = [
        *(registry_objects(settings.registry.managed) if settings.registry.managed else []),
        *builder_objects(settings),
    ]
    claims = [obj for obj in objects if obj["kind"] == "PersistentVolumeClaim"]
    return [
        problem for claim in claims if (there := live(claim["metadata"]["name"])) for problem in _changes(claim, there)
    ]


def is_refused(kind: str, path: str, old: Any, new: Any) -> bool:
    """Whether Kubernetes refuses this change of a field of an object; a class that is left out is left as it is."""
    if kind != "PersistentVolumeClaim":
        return False
    if path == CLASS_PATH:
        return new is not None
    return path == SIZE_PATH and _shrinks(old, new)


def _shrinks(old: Any, new: Any) -> bool:
    return (quantity(str(new)) or 0) < (quantity(str(old)) or 0)


def _changes(claim: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Problem]:
    name = claim["metadata"]["name"]
    setting, wanted, has = _SERVICES[name], claim["spec"], live.get("spec") or {}
    storage_class, size = wanted.get("storageClassName"), wanted["resources"]["requests"]["storage"]
    if storage_class is not None and storage_class != has.get("storageClassName"):
        why = (
            f"{storage_class!r} given, but the volume has {has.get('storageClassName')!r}, and a volume never changes"
            " its class"
        )
        yield Problem(f"{setting}.storageClass", f"{why}; {_way_out(name)}")
    now = str(((has.get("resources") or {}).get("requests") or {}).get("storage", "0"))
    if _shrinks(now, size):
        yield Problem(
            f"{setting}.storage",
            f"{size!r} given, but the volume has {now}, and a volume never gets smaller; {_way_out(name)}",
        )


def _way_out(name: str) -> str:
    """The commands that delete the claim, and what is lost with it."""
    delete = [f"kubectl delete -n {NAMESPACE} deployment/{name} pvc/{name}"]
    lost = "the build cache is lost"
    if name == REGISTRY:
        delete.append(f"kubectl delete -n {NAMESPACE} job -l app=image-build")
        lost = "the images are built again"
    commands = ", ".join(f"`{command}`" for command in (*delete, "pulumi refresh"))
    return f"to make it anew: {commands} and `pulumi up`; {lost}"
