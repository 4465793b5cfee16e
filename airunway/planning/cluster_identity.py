"""Whether a stack still deploys to the cluster that it was last deployed to.

Kubernetes gives a cluster no identity of its own; the uid of its namespace kube-system serves as one, since that
namespace is made with the cluster and is never deleted.
"""

from collections.abc import Mapping
from typing import Any

from airunway.planning.settings import Cluster
from airunway.text.problems import InputError, Problem

IDENTITY = "kube-system"
"""The namespace by whose uid a cluster is told from another."""


def cluster_identifier(
    settings: Cluster, stack: str, *, last_uid: str | None, last_provider: Mapping[str, Any], uid: str | None
) -> str:
    """The ``clusterIdentifier`` of the provider, whose change replaces the provider and all that it made.

    ``last_uid`` and ``last_provider`` are of the last update, ``uid`` is the cluster's now; either uid is None where it
    is not known. A kubeconfig that names the same cluster in another way keeps the identifier, so that nothing is
    replaced. Raises ``InputError`` where the settings lead to another cluster than before and do not say that this is
    meant.
    """
    identifier = str(last_provider.get("clusterIdentifier") or stack)
    if uid is None:
        return identifier
    if settings.uid is not None and settings.uid != uid:
        raise InputError(
            [Problem("cluster.uid", f"{settings.uid} given, but {_address(settings)} leads to the cluster {uid}")]
        )
    if last_uid is None or last_uid == uid:
        return identifier
    if (last_provider.get("context"), last_provider.get("kubeconfig") or None) == (
        settings.context,
        settings.kubeconfig,
    ):
        raise InputError([Problem("cluster", _made_anew(settings, last_uid, uid))])
    if settings.uid is None:
        raise InputError([Problem("cluster", _another(settings, last_uid, uid))])
    return uid


def _address(settings: Cluster) -> str:
    return " of ".join(
        part
        for part in (
            f"context {settings.context!r}" if settings.context else "",
            f"kubeconfig {settings.kubeconfig!r}" if settings.kubeconfig else "",
        )
        if part
    )


def _made_anew(settings: Cluster, last_uid: str, uid: str) -> str:
    return (
        f"{_address(settings)} leads to the cluster {uid}; this stack was last deployed to {last_uid}. If the cluster"
        " was made anew, run `pulumi refresh`, which takes out of the state what is not there, then `pulumi up`"
    )


def _another(settings: Cluster, last_uid: str, uid: str) -> str:
    return (
        f"{_address(settings)} leads to the cluster {uid}; this stack was last deployed to {last_uid}. "
        "To serve from both, give the new cluster a stack of its own. "
        f"To move the stack, set cluster.uid: {uid}; everything is then made there and deleted from the old cluster"
    )
