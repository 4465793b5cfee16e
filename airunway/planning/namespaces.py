"""The namespaces that a stack creates, with the Pod Security levels that their pods meet."""

from collections.abc import Mapping
from typing import Any

from airunway.planning.image_build import NAMESPACE
from airunway.planning.settings import StackSettings
from airunway.provider.labels import MANAGED

MET = "baseline"
"""The level that the pods of every provider meet, as far as airunway renders them."""


def deployment_namespace(name: str, settings: StackSettings) -> dict[str, Any]:
    """A namespace of deployments: the API server warns of pods below its level, or refuses them."""
    enforced = settings.pod_security
    level = str(enforced or MET)
    return _namespace(name, ({"enforce": level} if enforced else {}) | {"audit": level, "warn": level})


def system_namespace(settings: StackSettings) -> dict[str, Any]:
    """The namespace of the shared services for image builds, with the level that the builder needs."""
    return _namespace(
        NAMESPACE, {"enforce": "privileged" if settings.builder.unconfined else "baseline", "warn": "restricted"}
    )


def _namespace(name: str, levels: Mapping[str, str]) -> dict[str, Any]:
    """A namespace with the labels of Kubernetes' Pod Security admission, by mode."""
    labels = MANAGED | {f"pod-security.kubernetes.io/{mode}": level for mode, level in levels.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
