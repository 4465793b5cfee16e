"""The Pulumi provider of a stack's cluster."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pulumi
import pulumi_kubernetes as kubernetes

from airunway.planning.cluster_identity import IDENTITY, cluster_identifier
from airunway.planning.settings import Cluster
from airunway.text.problems import InputError
from components.kubernetes_object import KubernetesObject
from components.last_update import LastUpdate


def cluster_provider(
    settings: Cluster, last_update: LastUpdate, parent: pulumi.Resource | None = None
) -> kubernetes.Provider:
    """Create the provider for the cluster in ``settings``, below ``parent``.

    It takes over existing objects, such as those of an interrupted update, which are missing in the state. Secrets and
    ConfigMaps are updated in place instead of being replaced, which is the default. The namespace kube-system is read
    into the state, where its uid identifies the cluster. Raises ``pulumi.RunError`` if the settings name a different
    cluster than the last update.
    """
    # Before the first update there is nothing to compare, and a preview needs no cluster.
    uid = _read_uid(settings) if last_update.cluster_uid or not pulumi.runtime.is_dry_run() else None
    try:
        identifier = cluster_identifier(
            settings, pulumi.get_stack(), last_uid=last_update.cluster_uid, last_provider=last_update.provider, uid=uid
        )
    except InputError as error:
        raise pulumi.RunError(str(error)) from error
    provider = kubernetes.Provider(
        "cluster",
        context=settings.context,
        # Without a value, the SDK passes KUBECONFIG as one file, even if it lists several. The provider itself reads it
        # as kubectl does.
        kubeconfig=settings.kubeconfig or "",
        cluster_identifier=identifier,
        upsert_existing_objects=True,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    if uid:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": IDENTITY}}
        KubernetesObject(IDENTITY, namespace, pulumi.ResourceOptions(parent=parent, provider=provider, id=IDENTITY))
    return provider


def _read_uid(settings: Cluster) -> str | None:
    """Read the cluster's uid; None, with a warning, if it can't be read."""
    from airunway.live.api_server.connection import ForbiddenError, connect

    async def read() -> str | None:
        async with connect(settings) as connection:
            namespace = await connection.object("v1", "Namespace", None, IDENTITY)
            return None if namespace is None else str(namespace["metadata"]["uid"])

    try:
        with ThreadPoolExecutor(1) as thread:  # this thread runs Pulumi's event loop
            return thread.submit(asyncio.run, read()).result()
    except (ForbiddenError, InputError) as error:
        pulumi.log.warn(f"can't check that this is the cluster that the stack was deployed to: {error}")
        return None
