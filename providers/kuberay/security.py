"""Who may reach a Ray cluster: token authentication where Ray has it, and a NetworkPolicy.

Whoever reaches a head's dashboard, client or GCS port can run code on all of its nodes.
"""

import re
from typing import Any

from airunway.provider.image_references import without_digest
from airunway.provider.labels import GROUP
from airunway.provider.request import Request

_TOKEN_SINCE = (2, 52)
"""Ray's first release with tokens; ray-operator 1.7.0 refuses the mode for earlier ones (utils/validation.go)."""
_OPEN_PORTS = (8000, 8080)
"""Serve's HTTP proxy, which asks for no token (Ray 2.58.0), and the metrics."""
_DASHBOARD = 8265
_OPERATOR = {"app.kubernetes.io/component": "kuberay-operator"}
"""Labels of the operator's pods, by its chart and kustomization (1.7.0): it deploys applications by the dashboard."""
_NODE = {"ray.io/is-ray-node": "yes"}
"""Label of every pod of a Ray cluster (ray-operator 1.7.0, common/pod.go)."""
_RELEASE = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?![\w.])")


def authentication(image: str) -> dict[str, Any]:
    """The fields of a Ray cluster that turn on token authentication, if the image's tag names a Ray that has it.

    The operator makes the token's Secret, and passes it to the pods.
    """
    release = _RELEASE.match(without_digest(image).rpartition(":")[2])
    if not release or (int(release[1]), int(release[2])) < _TOKEN_SINCE:
        return {}
    return {"rayVersion": ".".join(release.groups()), "authOptions": {"mode": "token"}}


def pod_security(image: str) -> dict[str, Any]:
    """The ``securityContext`` of a pod: Ray's own images have the user 1000."""
    repository = without_digest(image).rpartition(":")[0]
    return {"runAsNonRoot": True} if repository.endswith("rayproject/ray-llm") else {}


def network_policy(request: Request) -> dict[str, Any]:
    """The NetworkPolicy of the pods: all ports are for each other, the dashboard for the operator, Serve for all."""
    own = {"matchLabels": {f"{GROUP}/deployment": request.name, **_NODE}}
    operator = {"namespaceSelector": {}, "podSelector": {"matchLabels": _OPERATOR}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": request.metadata,
        "spec": {
            "podSelector": own,
            "policyTypes": ["Ingress"],
            "ingress": [
                {"from": [{"podSelector": own}]},
                {"from": [operator], "ports": [_port(_DASHBOARD)]},
                {"ports": [_port(port) for port in _OPEN_PORTS]},
            ],
        },
    }


def _port(number: int) -> dict[str, Any]:
    return {"port": number, "protocol": "TCP"}
