"""The namespaces of deployments, with the Pod Security level that their pods meet."""

from typing import Any

from airunway.planning.settings import StackSettings
from airunway.provider.labels import MANAGED

MET = "baseline"
"""The level that the pods of every provider meet, as far as airunway renders them."""
_POD_SECURITY = "pod-security.kubernetes.io"


def deployment_namespace(name: str, settings: StackSettings) -> dict[str, Any]:
    """A namespace of deployments: the API server warns of pods below its level, and refuses them if the stack says so.

    The labels are those of Kubernetes' Pod Security admission.
    """
    enforced = settings.pod_security
    level = str(enforced or MET)
    modes = ("enforce", "audit", "warn") if enforced else ("audit", "warn")
    labels = MANAGED | {f"{_POD_SECURITY}/{mode}": level for mode in modes}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
