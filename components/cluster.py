"""The provider of a stack's one cluster."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pulumi
import pulumi_kubernetes as kubernetes

from airunway.planning.cluster_identity import IDENTITY, cluster_identifier
from airunway.planning.settings import Cluster
from airunway.text.problems import InputError
from components.kubernetes_object import KubernetesObject
from components.last_update import LastUpdate


def cluster_provider(settings: Cluster, last: LastUpdate, parent: pulumi.Resource | None = None) -> kubernetes.Provider:
    """The provider for the cluster that ``settings`` name, below ``parent``.

    An update that was cut off has created objects that the state does not know yet; the next one takes them over. A
    changed Secret or ConfigMap is written in place; the default is to delete it and make it again. The namespace
    kube-system is read into the state, which so notes the cluster that the stack was deployed to. Raises
    ``pulumi.RunError`` where the settings lead to another one.
    """
    # A stack that was never updated has nothing to compare, and its preview needs no cluster.
    uid = _uid(settings) if last.cluster_uid or not pulumi.runtime.is_dry_run() else None
    try:
        identifier = cluster_identifier(
            settings, pulumi.get_stack(), last_uid=last.cluster_uid, last_provider=last.provider, uid=uid
        )
    except InputError as error:
        raise pulumi.RunError(str(error)) from error
    provider = kubernetes.Provider(
        "cluster",
        context=settings.context,
        # Without one the SDK hands on KUBECONFIG, as if a list of files were one. The provider reads it by itself, as
        # kubectl does.
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


def _uid(settings: Cluster) -> str | None:
    """The cluster's uid; None, with a warning, where it can't be read."""
    from airunway.live.api_server.connection import ForbiddenError, connect

    async def read() -> str | None:
        async with connect(settings) as connection:
            namespace = await connection.object("v1", "Namespace", None, IDENTITY)
            return None if namespace is None else str(namespace["metadata"]["uid"])

    try:
        with ThreadPoolExecutor(1) as thread:  # this one runs Pulumi's event loop
            return thread.submit(asyncio.run, read()).result()
    except (ForbiddenError, InputError) as error:
        pulumi.log.warn(f"whether this is the cluster that the stack was deployed to can't be told: {error}")
        return None
