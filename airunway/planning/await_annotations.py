"""Annotations that tell Pulumi's Kubernetes provider what to wait for."""

from typing import Any

from airunway.planning.deployment import PlannedDeployment

FORCE_ANNOTATION = {"pulumi.com/patchForce": "true"}
"""Annotation that makes Pulumi take over fields that others wrote."""

_SKIP = {"pulumi.com/skipAwait": "true"}


def with_await_annotations(deployment: PlannedDeployment) -> dict[str, Any]:
    """The upstream object with annotations that say what to wait for and whether to take over fields."""
    rendered = deployment.rendered
    wait = _SKIP if deployment.skip_await else {"pulumi.com/waitFor": rendered.wait_for}
    return _annotated(rendered.resource, wait | (FORCE_ANNOTATION if deployment.take_over else {}))


def supporting_objects(deployment: PlannedDeployment) -> list[dict[str, Any]]:
    """The objects that must exist before the upstream object, without waiting for Services and volume claims.

    Pulumi waits until the pods that a Service selects are ready (pulumi-kubernetes 4.34, await/service.go), and until a
    volume claim is bound, which may need a running pod. Here the pods belong to the upstream object, which is created
    later and waited for itself.
    """
    return [
        _annotated(obj, _SKIP) if obj["kind"] in ("Service", "PersistentVolumeClaim") else obj
        for obj in deployment.rendered.supporting
    ]


def _annotated(manifest: dict[str, Any], annotations: dict[str, str]) -> dict[str, Any]:
    metadata = manifest["metadata"]
    return manifest | {"metadata": metadata | {"annotations": metadata.get("annotations", {}) | annotations}}
