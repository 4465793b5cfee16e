"""Kubernetes objects of any kind as Pulumi resources."""

from importlib.metadata import version
from typing import Any

import pulumi

_SDK_VERSION = version("pulumi_kubernetes")


class KubernetesObject(pulumi.CustomResource):
    """Any Kubernetes object, root fields included.

    ``apiextensions.CustomResource`` takes only ``spec`` in Python (pulumi-kubernetes issue 2363), and a KAITO Workspace
    keeps ``resource`` and ``inference`` at its root. Without the SDK's version, any installed provider plugin might
    serve it.
    """

    metadata: pulumi.Output[dict[str, Any]]
    """What the cluster says of the object, ``uid`` included."""

    def __init__(self, name: str, manifest: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        token = f"kubernetes:{_group_version(manifest)}:{manifest['kind']}"
        pinned = pulumi.ResourceOptions(version=_SDK_VERSION)
        super().__init__(token, name, _managed(manifest), pulumi.ResourceOptions.merge(opts, pinned))


def _managed(manifest: dict[str, Any]) -> dict[str, Any]:
    """``manifest`` with a field manager of its own.

    The provider's default is a random one for each resource of the state. An object that the state has lost, by an
    update that was cut off or because it was kept, would then have another owner, and every change of a list that has
    one owner would be a conflict.
    """
    metadata = manifest["metadata"]
    # Stacks share namespaces and definitions; of anything else two owners are a conflict that has to show.
    owner = (
        "airunway"
        if manifest["kind"] in ("Namespace", "CustomResourceDefinition")
        else f"airunway-{pulumi.get_stack()}"
    )
    annotations = {"pulumi.com/patchFieldManager": owner} | (metadata.get("annotations") or {})
    return manifest | {"metadata": metadata | {"annotations": annotations}}


def _group_version(manifest: dict[str, Any]) -> str:
    api_version = str(manifest["apiVersion"])
    return api_version if "/" in api_version else f"core/{api_version}"
