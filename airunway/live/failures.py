"""What is said when an object was refused or did not get ready: the cause in Kubernetes' words, what was last seen, and
where to look.

The provider's texts are those of pulumi-kubernetes as of January 2026 (`tests/cluster/test_waiting.py` gets them from
the real one).
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from airunway.planning import model_deployment as delivery
from airunway.provider.labels import GROUP
from providers import PROVIDERS as PROVIDERS


class Failure(StrEnum):
    """What kind of failure an operation ended with."""

    CONFLICT = "conflict"
    REFUSED = "refused"
    NOT_READY = "not ready"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"


# What the provider puts around what the API server said.
_WRAPPING = [
    re.compile(pattern)
    for pattern in (
        r"\d+ errors? occurred:\s*\*?\s*",
        (
            r'resource "urn:[^"]*" was (not )?successfully created,? (by|but) the Kubernetes API server( reported that'
            r" it)?:?\s*"
        ),
        r'(update|creation) of resource "?urn:[^" ]*"? failed( because)?:?\s*',
        r'the Kubernetes API server reported that "[^"]*"\s*',
        r"failed to fully initialize or become live:\s*",
        r"Server-Side Apply field conflict detected\. See \S+ for troubleshooting help\.\s*",
        r'The resource managed by field manager "[^"]*" had an apply conflict:\s*',
        r"unable to get cluster state:.*$",
    )
]
_REFUSALS = (
    "denied the request",
    "denied request",
    "is forbidden:",
    " is invalid:",
    "failed to create typed patch object",
    "field is immutable",
    "was not successfully created",
)


def cause_of(error: str) -> str:
    """What the API server said, in one line, without what the provider puts around it."""
    text = " ".join(error.split())
    for pattern in _WRAPPING:
        text = pattern.sub("", text)
    return text.strip(" *")


def failure_of(error: str) -> Failure:
    """What kind of failure ``error`` reports."""
    if "Apply failed with" in error:
        return Failure.CONFLICT
    if "failed calling webhook" in error:
        return Failure.REFUSED
    if "cluster is unreachable" in error or "connection refused" in error:
        return Failure.UNREACHABLE
    if any(text in error for text in _REFUSALS):
        return Failure.REFUSED
    if re.search(r"\b(context canceled|operation canceled|cancelled)\b", error):
        return Failure.CANCELLED
    return Failure.NOT_READY


def failure_message(name: str, manifest: Mapping[str, Any], error: str, last_seen: str = "") -> str:
    """Names deployment or build, kind and object, says what happened, and what to do or where to look.

    ``error`` is what the provider reported, ``last_seen`` the object's status in words when it failed.
    """
    kind, metadata = str(manifest["kind"]), manifest["metadata"]
    obj = f"{kind} {_path(metadata)}"
    cause = cause_of(error)
    match failure_of(error):
        case Failure.CONFLICT:
            head, lines = (
                f"{obj} was not changed: others wrote the same fields",
                [f"  conflict: {cause}", *_ways_out(manifest)],
            )
        case Failure.REFUSED:
            head, lines = f"{obj} was refused by the API server", [f"  refused: {cause}"]
        case Failure.UNREACHABLE:
            head, lines = f"{obj} was not reached", [f"  the cluster can't be reached: {cause}"]
        case Failure.CANCELLED:
            head, lines = f"waiting for {obj} was cancelled; the next update goes on waiting", []
        case _:
            seen = last_seen or cause
            head, lines = (
                _not_ready(kind, obj, metadata),
                [*([f"  last seen: {seen}"] if seen else []), *_look_further(kind, metadata)],
            )
    return "\n".join([_who(name, kind, metadata) + head, *lines])


def _path(metadata: Mapping[str, Any]) -> str:
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def _who(name: str, kind: str, metadata: Mapping[str, Any]) -> str:
    """The deployment or image that the object stands for; nothing for what all share."""
    if kind == "Job":
        return f"image {(metadata.get('annotations') or {}).get(f'{GROUP}/image', name)}: "
    return f"deployment {name}: " if f"{GROUP}/deployment" in (metadata.get("labels") or {}) else ""


def _not_ready(kind: str, obj: str, metadata: Mapping[str, Any]) -> str:
    return f"it was not built by {obj}" if kind == "Job" else f"{obj} did not get ready"


def _ways_out(manifest: Mapping[str, Any]) -> Sequence[str]:
    if manifest["kind"] == delivery.KIND or PROVIDERS.for_object(manifest):
        return ["  way out: let the others go of these fields, or say takeOver: true in the entry to win over them"]
    return [
        "  way out: let the others go of these fields, for example with kubectl apply --server-side --force-conflicts"
    ]


def _look_further(kind: str, metadata: Mapping[str, Any]) -> list[str]:
    space, resource = f"-n {metadata.get('namespace', 'default')}", f"{kind.lower()}/{metadata['name']}"
    commands = [f"kubectl describe {space} {resource}"]
    if kind in ("Job", "Deployment"):
        commands.insert(0, f"kubectl logs {space} {resource} --tail=50")
    else:
        selector = f"-l {_pod_label(kind)}={metadata['name']}"
        commands += [f"kubectl get pods {space} {selector}", f"kubectl logs {space} {selector} --tail=50"]
    return [f"  look further: {command}" for command in commands]


def _pod_label(kind: str) -> str:
    """Label that says on a pod which object it serves; the controller's shims have one of their own."""
    return f"{GROUP}/model-deployment" if kind == "ModelDeployment" else f"{GROUP}/deployment"
