"""Checks that a stack still deploys to the same cluster as at the last update.

A Kubernetes cluster has no identity of its own; the uid of its namespace kube-system serves as one, because that
namespace is created with the cluster and never deleted.
"""

from collections.abc import Mapping
from typing import Any

from airunway.planning.settings import Cluster
from airunway.text.problems import InputError, Problem

IDENTITY = "kube-system"
"""The namespace whose uid identifies a cluster."""


def cluster_identifier(
    settings: Cluster, stack: str, *, last_uid: str | None, last_provider: Mapping[str, Any], uid: str | None
) -> str:
    """The provider's ``clusterIdentifier``; a change replaces the provider and everything created with it.

    ``last_uid`` and ``last_provider`` are from the last update, ``uid`` is the cluster's current uid; either uid is
    None if unknown. Another kubeconfig for the same cluster keeps the identifier, so that nothing is replaced. Raises
    ``InputError`` if the settings lead to another cluster than before and ``cluster.uid`` doesn't confirm it.
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
        raise InputError([Problem("cluster", _recreated_message(settings, last_uid, uid))])
    if settings.uid is None:
        raise InputError([Problem("cluster", _moved_message(settings, last_uid, uid))])
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


def _recreated_message(settings: Cluster, last_uid: str, uid: str) -> str:
    return (
        f"{_address(settings)} leads to the cluster {uid}; this stack was last deployed to {last_uid}. If the cluster"
        " was recreated, run `pulumi refresh`, which removes missing resources from the state, then `pulumi up`"
    )


def _moved_message(settings: Cluster, last_uid: str, uid: str) -> str:
    return (
        f"{_address(settings)} leads to the cluster {uid}; this stack was last deployed to {last_uid}. "
        "To serve from both, give the new cluster a stack of its own. "
        f"To move the stack, set cluster.uid: {uid}; everything is then created there and deleted from the old cluster"
    )
