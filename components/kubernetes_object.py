"""Kubernetes objects of any kind as Pulumi resources."""

from importlib.metadata import version
from typing import Any

import pulumi

FORCE = {"pulumi.com/patchForce": "true"}
"""Annotation with which an object wins over fields that others wrote."""

_SDK_VERSION = version("pulumi_kubernetes")


class KubernetesObject(pulumi.CustomResource):
    """Any Kubernetes object, root fields included.

    ``apiextensions.CustomResource`` takes only ``spec`` in Python (pulumi-kubernetes issue 2363), and a KAITO Workspace keeps
    ``resource`` and ``inference`` at its root. Without the SDK's version, any installed provider plugin might serve it.
    """

    def __init__(self, name: str, manifest: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        token = f"kubernetes:{_group_version(manifest)}:{manifest['kind']}"
        pinned = pulumi.ResourceOptions(version=_SDK_VERSION)
        super().__init__(token, name, manifest, pulumi.ResourceOptions.merge(opts, pinned))


def _group_version(manifest: dict[str, Any]) -> str:
    api_version = str(manifest["apiVersion"])
    return api_version if "/" in api_version else f"core/{api_version}"
