"""Messages for objects that were refused or did not get ready: the cause, the last status, and what to run next.

They parse the errors of pulumi-kubernetes as of January 2026 (`tests/cluster/test_waiting.py` checks the real ones).
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from airunway.planning import controller_delivery as delivery
from airunway.provider.labels import GROUP
from providers import PROVIDERS as PROVIDERS


class Failure(StrEnum):
    """Kinds of failures of an operation."""

    CONFLICT = "conflict"
    REFUSED = "refused"
    NOT_READY = "not ready"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"


# Text that the provider wraps around the API server's message.
_WRAPPERS = [
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
    """Extract the API server's message from a provider's error, as one line."""
    text = " ".join(error.split())
    for pattern in _WRAPPERS:
        text = pattern.sub("", text)
    return text.strip(" *")


def failure_of(error: str) -> Failure:
    """Classify the failure that ``error`` reports."""
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


def failure_message(name: str, manifest: Mapping[str, Any], error: str, last_status: str = "") -> str:
    """Say which object of which deployment failed, why, and what to do or run next.

    ``error`` is the provider's error, ``last_status`` describes the object's status at the time of the failure.
    """
    kind, metadata = str(manifest["kind"]), manifest["metadata"]
    obj = f"{kind} {_qualified_name(metadata)}"
    cause = cause_of(error)
    match failure_of(error):
        case Failure.CONFLICT:
            head, lines = (
                f"{obj} was not changed: its fields have other owners",
                [f"  conflict: {cause}", *_conflict_fix(manifest)],
            )
        case Failure.REFUSED:
            head, lines = f"{obj} was refused by the API server", [f"  refused: {cause}"]
        case Failure.UNREACHABLE:
            head, lines = f"{obj} was not applied", [f"  the cluster can't be reached: {cause}"]
        case Failure.CANCELLED:
            head, lines = f"waiting for {obj} was cancelled; the next update resumes waiting", []
        case _:
            status = last_status or cause
            head, lines = (
                _not_ready(kind, obj, metadata),
                [*([f"  last status: {status}"] if status else []), *_next_steps(kind, metadata)],
            )
    return "\n".join([_subject(name, kind, metadata) + head, *lines])


def _qualified_name(metadata: Mapping[str, Any]) -> str:
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def _subject(name: str, kind: str, metadata: Mapping[str, Any]) -> str:
    """Name the deployment or image that the object belongs to, if any."""
    if kind == "Job":
        return f"image {(metadata.get('annotations') or {}).get(f'{GROUP}/image', name)}: "
    return f"deployment {name}: " if f"{GROUP}/deployment" in (metadata.get("labels") or {}) else ""


def _not_ready(kind: str, obj: str, metadata: Mapping[str, Any]) -> str:
    return f"{obj} did not build it" if kind == "Job" else f"{obj} did not get ready"


def _conflict_fix(manifest: Mapping[str, Any]) -> Sequence[str]:
    if manifest["kind"] == delivery.KIND or PROVIDERS.for_object(manifest):
        return ["  fix: remove these fields from the other owners, or set takeOver: true in the entry to override them"]
    return ["  fix: take over these fields, for example with kubectl apply --server-side --force-conflicts"]


def _next_steps(kind: str, metadata: Mapping[str, Any]) -> list[str]:
    namespace, resource = f"-n {metadata.get('namespace', 'default')}", f"{kind.lower()}/{metadata['name']}"
    commands = [f"kubectl describe {namespace} {resource}"]
    if kind in ("Job", "Deployment"):
        commands.insert(0, f"kubectl logs {namespace} {resource} --tail=50")
    else:
        selector = f"-l {pod_label(kind)}={metadata['name']}"
        commands += [
            f"kubectl get pods {namespace} {selector}",
            f"kubectl logs {namespace} {selector} --tail=50",
        ]
    return [f"  run: {command}" for command in commands]


def pod_label(kind: str) -> str:
    """Return the pod label that names the object; the controller's shims use their own."""
    return f"{GROUP}/model-deployment" if kind == "ModelDeployment" else f"{GROUP}/deployment"
