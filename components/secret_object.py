"""Secrets that an account can take away without a right to read all the others."""

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi.output import UNKNOWN

from airunway.provider.labels import MANAGED
from airunway.text.merge import non_empty
from components.children import child_options
from components.kubernetes_object import KubernetesObject

OWNER = "-owner"
"""What the name of a Secret's owner ends with."""


def secret_object(
    parent: pulumi.ComponentResource,
    name: str,
    manifest: dict[str, Any],
    depends_on: Sequence[pulumi.Resource],
    secrets: Sequence[str] = ("stringData",),
) -> KubernetesObject:
    """The Secret ``manifest`` and an empty ConfigMap that owns it and with which it goes; ``secrets`` names outputs to
    encrypt.

    Pulumi's provider sees that an object is gone by a watch on all of its kind, and hangs for an account that may not
    watch (seen in 4.25, the same in the source of 4.32; pulumi-kubernetes issue 4580). A watch on Secrets reads every
    Secret of the namespace. So it is the ConfigMap that Pulumi deletes, and the cluster's garbage collector takes the
    Secret with it. ``blockOwnerDeletion`` stays unset: where OwnerReferencesPermissionEnforcement is on, as in
    OpenShift, it takes a right to the owner's finalizers.
    """
    metadata = manifest["metadata"]
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": metadata["name"] + OWNER,
            **non_empty(namespace=metadata.get("namespace")),
            "labels": MANAGED,
        },
    }
    owner = KubernetesObject(name + OWNER, body, child_options(parent, depends_on=depends_on))
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": body["metadata"]["name"],
        "uid": owner.metadata.apply(lambda live: live.get("uid", UNKNOWN)),  # a preview without the namespace has none
    }
    owned = manifest | {"metadata": metadata | {"ownerReferences": [reference]}}
    return KubernetesObject(
        name, owned, child_options(parent, depends_on=depends_on, secrets=secrets, deleted_with=owner)
    )
