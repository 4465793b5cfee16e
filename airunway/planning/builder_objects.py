"""The BuildKit builder as Kubernetes objects."""

from typing import Any

from airunway.planning.image_build import BUILDER, SOCKET_DIR, hosts, system_labels
from airunway.planning.settings import BUILD_DATA, BuilderSettings, StackSettings
from airunway.planning.system_objects import (
    claimed_volume,
    config_map,
    ingress_policy,
    object_metadata,
    single_pod_deployment,
    volume_claim,
)
from airunway.text.merge import non_empty


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
    volumes = [claimed_volume("state", BUILDER), {"name": "config", "configMap": {"name": BUILDER}}]
    deployment = single_pod_deployment(BUILDER, labels, [_daemon(builder)], volumes, {"fsGroup": 1000}, config)
    deployment["spec"]["template"]["spec"]["serviceAccountName"] = BUILDER
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": object_metadata(BUILDER, labels),
            "automountServiceAccountToken": False,
        },
        config_map(BUILDER, labels, {"buildkitd.toml": config}),
        volume_claim(BUILDER, builder.storage or BUILD_DATA["builder"]["storage"], builder.storage_class, labels),
        ingress_policy(BUILDER, labels, []),
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
