"""The shared services for image builds as Kubernetes objects: the registry and the BuildKit builder."""

from typing import Any

from airunway.planning.image_build import (
    BUILDER,
    NAMESPACE,
    REGISTRY,
    SOCKET_DIR,
    hosts,
    restricted_container,
    restricted_pod,
    system_labels,
)
from airunway.planning.settings import BUILD_DATA, BuilderSettings, ManagedRegistry, StackSettings
from airunway.provider.labels import GROUP, MANAGED
from airunway.text.merge import non_empty
from airunway.text.names import digest


def system_namespace(settings: StackSettings) -> dict[str, Any]:
    """The namespace of the shared services, with the Pod Security level that the builder needs."""
    level = "privileged" if settings.builder.unconfined else "baseline"
    security = {"pod-security.kubernetes.io/enforce": level, "pod-security.kubernetes.io/warn": "restricted"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": MANAGED | security},
    }


def registry_objects(managed: ManagedRegistry) -> list[dict[str, Any]]:
    """Volume claim, NetworkPolicy, Deployment and Service of the registry, in creation order."""
    defaults = BUILD_DATA["registry"]
    labels = system_labels(REGISTRY, "restricted")
    probe = {"httpGet": {"path": "/v2/", "port": 5000}}
    container = {
        "name": "registry",
        "image": managed.image or defaults["image"],
        "ports": [{"name": "registry", "containerPort": 5000}],
        "env": [
            {"name": "REGISTRY_STORAGE_DELETE_ENABLED", "value": "true"},
            # 3.x sends traces to localhost unless it is told not to, and logs each failure (observed with 3.1.2).
            {"name": "OTEL_TRACES_EXPORTER", "value": "none"},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}},
        "livenessProbe": probe | {"initialDelaySeconds": 5, "periodSeconds": 10},
        "readinessProbe": probe | {"initialDelaySeconds": 2, "periodSeconds": 5},
        "securityContext": restricted_container(),
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/registry"}],
    }
    claim = volume_claim(REGISTRY, managed.storage or defaults["storage"], managed.storage_class, labels)
    node_port = managed.node_port or defaults["nodePort"]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(REGISTRY, labels),
        "spec": {
            "type": "NodePort",
            "selector": {"app": REGISTRY},
            "ports": [{"name": "registry", "port": 5000, "targetPort": 5000, "nodePort": node_port, "protocol": "TCP"}],
        },
    }
    sources = [
        {"podSelector": {"matchLabels": {"app": BUILDER}}},
        *({"ipBlock": {"cidr": cidr}} for cidr in managed.node_cidrs),
    ]
    return [
        claim,
        _network_policy(REGISTRY, labels, [{"from": sources, "ports": [{"port": 5000, "protocol": "TCP"}]}]),
        _deployment(REGISTRY, labels, container, {"data": REGISTRY}, restricted_pod()),
        service,
    ]


def builder_objects(settings: StackSettings) -> list[dict[str, Any]]:
    """Service account, configuration, volume claim, NetworkPolicy and Deployment of BuildKit, in creation order.

    The layout is that of docker buildx's Kubernetes driver (Deployment ``app=NAME``, container ``buildkitd``), so users
    can attach to it: ``docker buildx create --driver kubernetes --node airunway-builder``. The daemon listens on no
    port: build Jobs use its Unix socket on a shared volume. Unlike TCP with mTLS, this needs no certificates to create,
    renew and keep in state, and no CNI that enforces NetworkPolicies.
    """
    builder = settings.builder
    labels = system_labels(BUILDER, "privileged" if builder.unconfined else "baseline")
    config = _daemon_config(settings)
    deployment = _deployment(BUILDER, labels, _daemon(builder), {"state": BUILDER}, {"fsGroup": 1000})
    template = deployment["spec"]["template"]
    template["spec"]["volumes"].append({"name": "config", "configMap": {"name": BUILDER}})
    template["spec"]["serviceAccountName"] = BUILDER
    template["metadata"]["annotations"] = {f"{GROUP}/config": digest(config)}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": _metadata(BUILDER, labels),
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": _metadata(BUILDER, labels),
            "data": {"buildkitd.toml": config},
        },
        volume_claim(BUILDER, builder.storage or BUILD_DATA["builder"]["storage"], builder.storage_class, labels),
        _network_policy(BUILDER, labels, []),
        deployment,
    ]


def _daemon(builder: BuilderSettings) -> dict[str, Any]:
    """The container of buildkitd."""
    unconfined = {"type": "Unconfined"}
    probe = {"exec": {"command": ["buildctl", "debug", "workers"]}}
    return {
        "name": "buildkitd",
        "image": builder.image or BUILD_DATA["builder"]["image"],
        # Rootless BuildKit in a pod can't mount a separate /proc for build steps.
        "args": ["--oci-worker-no-process-sandbox"],
        "resources": {"requests": {"cpu": "2", "memory": "4Gi"}},
        "readinessProbe": probe | {"initialDelaySeconds": 5, "periodSeconds": 30},
        "livenessProbe": probe | {"initialDelaySeconds": 30, "periodSeconds": 30},
        "securityContext": {
            "runAsUser": 1000,
            "runAsGroup": 1000,
            **(non_empty(seccompProfile=unconfined, appArmorProfile=unconfined) if builder.unconfined else {}),
        },
        "volumeMounts": [
            {"name": "config", "mountPath": "/home/user/.config/buildkit", "readOnly": True},
            {"name": "state", "mountPath": "/home/user/.local/share/buildkit", "subPath": "cache"},
            {"name": "state", "mountPath": SOCKET_DIR, "subPath": "socket"},
        ],
    }


def _daemon_config(settings: StackSettings) -> str:
    """The buildkitd.toml, with plain HTTP only for the stack's registry."""
    registry = hosts(settings)
    host = registry.push.split("/", 1)[0]
    return f'[registry."{host}"]\n  http = true\n' if registry.insecure else "# Every registry is reached over HTTPS.\n"


def volume_claim(name: str, storage: str, storage_class: str | None, labels: dict[str, str]) -> dict[str, Any]:
    """A ReadWriteOnce claim; nothing waits for it, because it may stay unbound until its first pod runs."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage}},
        **non_empty(storageClassName=storage_class),
    }
    metadata = _metadata(name, labels) | {"annotations": {"pulumi.com/skipAwait": "true"}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def _deployment(
    name: str, labels: dict[str, str], container: dict[str, Any], claims: dict[str, str], security: dict[str, Any]
) -> dict[str, Any]:
    pod = {
        "automountServiceAccountToken": False,
        "securityContext": security,
        "containers": [container],
        "volumes": [
            {"name": volume, "persistentVolumeClaim": {"claimName": claim}} for volume, claim in claims.items()
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(name, labels),
        "spec": {
            "replicas": 1,
            # Two pods can't mount the volume at the same time.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def _network_policy(name: str, labels: dict[str, str], ingress: list[dict[str, Any]]) -> dict[str, Any]:
    """A NetworkPolicy that allows only ``ingress``."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(name, labels),
        "spec": {
            "podSelector": {"matchLabels": {"app": name}},
            "policyTypes": ["Ingress"],
            **non_empty(ingress=ingress),
        },
    }


def _metadata(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE, "labels": labels}
