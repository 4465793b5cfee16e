"""Secrets that can be deleted without the right to read all other Secrets."""

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi.output import UNKNOWN

from airunway.provider.labels import MANAGED
from airunway.text.merge import non_empty
from components.children import child_options
from components.kubernetes_object import KubernetesObject

OWNER = "-owner"
"""Suffix of the name of a Secret's owner."""


def secret_object(
    parent: pulumi.ComponentResource,
    name: str,
    manifest: dict[str, Any],
    depends_on: Sequence[pulumi.Resource],
    secrets: Sequence[str] = ("stringData",),
    ignore_changes: Sequence[str] = (),
) -> KubernetesObject:
    """Create the Secret ``manifest`` and an empty ConfigMap that owns it.

    ``secrets`` names outputs to encrypt, ``ignore_changes`` fields that stay as they were created.

    To confirm a deletion, Pulumi's provider watches the whole kind, and hangs without the right to (4.25, and the
    source of 4.32; pulumi-kubernetes issue 4580). A watch on Secrets would read every Secret in the namespace. So
    Pulumi deletes the ConfigMap, and the cluster's garbage collector then deletes the Secret. ``blockOwnerDeletion``
    is unset: with OwnerReferencesPermissionEnforcement, as in OpenShift, it needs a right to the owner's finalizers.
    """
    metadata = manifest["metadata"]
    owner_manifest: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": metadata["name"] + OWNER,
            **non_empty(namespace=metadata.get("namespace")),
            "labels": MANAGED,
        },
    }
    owner = KubernetesObject(name + OWNER, owner_manifest, child_options(parent, depends_on=depends_on))
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": owner_manifest["metadata"]["name"],
        "uid": owner.metadata.apply(
            lambda live: live.get("uid", UNKNOWN)
        ),  # unknown in a preview without the namespace
    }
    owned = manifest | {"metadata": metadata | {"ownerReferences": [reference]}}
    return KubernetesObject(
        name,
        owned,
        child_options(
            parent, depends_on=depends_on, secrets=secrets, deleted_with=owner, ignore_changes=ignore_changes
        ),
    )
