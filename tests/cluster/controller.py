"""The KubeAIRunway controller's kinds in the test cluster: definitions of our own with the names and scopes of
upstream's.
"""

import time
from typing import Any

from tests.cluster.apiserver import Cluster


def definition(group: str, kind: str, scope: str) -> dict[str, Any]:
    """A definition that keeps whatever it is given."""
    plural = f"{kind.lower()}s"
    schema = {
        "type": "object",
        "properties": {p: {"type": "object", "x-kubernetes-preserve-unknown-fields": True} for p in ("spec", "status")},
    }
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [version],
        },
    }


def definitions(group: str) -> list[dict[str, Any]]:
    """Both kinds of ``group``."""
    return [definition(group, "ModelDeployment", "Namespaced"), definition(group, "InferenceProviderConfig", "Cluster")]


def install(cluster: Cluster, group: str = "airunway.ai") -> None:
    """Have ``group`` served; a second call finds it there."""
    for crd in definitions(group):
        if not cluster.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd['metadata']['name']}"):
            cluster.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
    deadline = time.monotonic() + 30
    while len((cluster.get(f"/apis/{group}/v1alpha1") or {}).get("resources", [])) < 4:  # each with its status
        assert time.monotonic() < deadline
        time.sleep(0.1)
