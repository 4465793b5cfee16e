"""What Pulumi waits for: the annotations by which its Kubernetes provider is told."""

from typing import Any

from airunway.planning.deployment import PlannedDeployment

FORCE = {"pulumi.com/patchForce": "true"}
"""Annotation with which an object wins over fields that others wrote."""

_SKIP = {"pulumi.com/skipAwait": "true"}


def awaited(planned: PlannedDeployment) -> dict[str, Any]:
    """The upstream object with what says that it serves, or that nobody waits, and whether it wins over other
    writers.
    """
    rendered = planned.rendered
    wait = _SKIP if planned.skip_await else {"pulumi.com/waitFor": rendered.wait_for}
    return _annotated(rendered.resource, wait | (FORCE if planned.take_over else {}))


def supporting(planned: PlannedDeployment) -> list[dict[str, Any]]:
    """What must exist before the upstream object.

    Pulumi waits until the pods that a Service selects are ready (pulumi-kubernetes 4.34, await/service.go), and until a
    volume claim is bound, which it may be only once its first pod runs. Here the pods come with the upstream object,
    which comes after these and is waited for itself.
    """
    return [
        _annotated(obj, _SKIP) if obj["kind"] in ("Service", "PersistentVolumeClaim") else obj
        for obj in planned.rendered.supporting
    ]


def _annotated(manifest: dict[str, Any], annotations: dict[str, str]) -> dict[str, Any]:
    metadata = manifest["metadata"]
    return manifest | {"metadata": metadata | {"annotations": metadata.get("annotations", {}) | annotations}}
