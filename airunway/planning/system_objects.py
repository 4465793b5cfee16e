"""What the objects of the shared services for image builds have in common."""

from collections.abc import Sequence
from typing import Any

from airunway.planning.image_build import NAMESPACE
from airunway.provider.labels import GROUP
from airunway.text.merge import non_empty
from airunway.text.names import digest


def object_metadata(name: str, labels: dict[str, str]) -> dict[str, Any]:
    """Metadata of an object in the namespace."""
    return {"name": name, "namespace": NAMESPACE, "labels": labels}


def volume_claim(name: str, storage: str, storage_class: str | None, labels: dict[str, str]) -> dict[str, Any]:
    """A ReadWriteOnce claim; nothing waits for it, because it may stay unbound until its first pod runs."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage}},
        **non_empty(storageClassName=storage_class),
    }
    metadata = object_metadata(name, labels) | {"annotations": {"pulumi.com/skipAwait": "true"}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def config_map(name: str, labels: dict[str, str], files: dict[str, str]) -> dict[str, Any]:
    """A ConfigMap with the texts of files."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": object_metadata(name, labels), "data": files}


def claimed_volume(name: str, claim: str) -> dict[str, Any]:
    """The volume of a pod that a claim provides."""
    return {"name": name, "persistentVolumeClaim": {"claimName": claim}}


def single_pod_deployment(
    name: str,
    labels: dict[str, str],
    containers: Sequence[dict[str, Any]],
    volumes: Sequence[dict[str, Any]],
    security: dict[str, Any],
    configuration: str,
) -> dict[str, Any]:
    """A Deployment of one pod, which has no token for the Kubernetes API; another ``configuration`` restarts it."""
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": security,
        "containers": list(containers),
        "volumes": list(volumes),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": object_metadata(name, labels),
        "spec": {
            "replicas": 1,
            # Two pods can't mount the volume at the same time.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": labels, "annotations": {f"{GROUP}/config": digest(configuration)}},
                "spec": pod,
            },
        },
    }


def ingress_policy(name: str, labels: dict[str, str], ingress: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A NetworkPolicy that lets only ``ingress`` reach the pods with label ``app`` of this name."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": object_metadata(name, labels),
        "spec": {
            "podSelector": {"matchLabels": {"app": name}},
            "policyTypes": ["Ingress"],
            **non_empty(ingress=list(ingress)),
        },
    }
