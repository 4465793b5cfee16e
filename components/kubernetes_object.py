"""Kubernetes objects of any kind as Pulumi resources."""

from importlib.metadata import version
from typing import Any

import pulumi

_SDK_VERSION = version("pulumi_kubernetes")


class KubernetesObject(pulumi.CustomResource):
    """A Kubernetes object of any kind, including fields at its root.

    ``apiextensions.CustomResource`` takes only ``spec`` in Python (pulumi-kubernetes issue 2363), and a KAITO Workspace
    has ``resource`` and ``inference`` at its root. The SDK's version is set so that no other installed provider plugin
    is used.
    """

    metadata: pulumi.Output[dict[str, Any]]
    """The live object's metadata, including its ``uid``."""

    def __init__(self, name: str, manifest: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        token = f"kubernetes:{_group_version(manifest)}:{manifest['kind']}"
        version_options = pulumi.ResourceOptions(version=_SDK_VERSION)
        super().__init__(
            token, name, _with_field_manager(manifest), pulumi.ResourceOptions.merge(opts, version_options)
        )


def other_version(manifest: dict[str, Any], api_version: str) -> pulumi.Alias:
    """Return the alias of an object that was created as another version of its kind."""
    return pulumi.Alias(type_=f"kubernetes:{api_version}:{manifest['kind']}")


def _with_field_manager(manifest: dict[str, Any]) -> dict[str, Any]:
    """Set a stable field manager in ``manifest``.

    The provider's default is a random one for each resource in the state. If an object is missing in the state, after
    an interrupted update or because it was retained, it would then get a second owner, and changes of atomic lists
    would conflict.
    """
    metadata = manifest["metadata"]
    # Stacks share namespaces and CRDs; for other objects, two owners must show as a conflict.
    field_manager = (
        "airunway"
        if manifest["kind"] in ("Namespace", "CustomResourceDefinition")
        else f"airunway-{pulumi.get_stack()}"
    )
    annotations = {"pulumi.com/patchFieldManager": field_manager} | (metadata.get("annotations") or {})
    return manifest | {"metadata": metadata | {"annotations": annotations}}


def _group_version(manifest: dict[str, Any]) -> str:
    api_version = str(manifest["apiVersion"])
    return api_version if "/" in api_version else f"core/{api_version}"
