"""What a stack's cluster says of its deployments and operators: one list per kind, all at the same time."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from cluster.connection import Connection, ForbiddenError
from providers.delivery import CONFIG_KIND
from providers.plan import Plan, PlannedDeployment, PlannedProvider
from providers.problems import InputError, Problem
from providers.provider_config import HelmChart
from providers.rbac import plural
from providers.renderers import provider_of
from providers.status import DeploymentStatus, OperatorStatus, deployment_status, operator_status, ready_shims, release_states

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Survey:
    """The status of one stack at one moment."""

    stack: str
    deployments: tuple[DeploymentStatus, ...]
    operators: tuple[OperatorStatus, ...]


async def survey(connection: Connection, stack: str, plan: Plan) -> Survey:
    """Read the cluster of ``plan`` once. Raises ``InputError`` where it can't be read."""
    kinds = {(str(r["apiVersion"]), str(r["kind"])) for r in (d.rendered.resource for d in plan.deployments)}
    kinds |= {_kind_of(provider) for provider in plan.providers} - {("", "")}
    ordered = sorted(kinds)
    namespaces = sorted({d.deployment.namespace for d in plan.deployments})
    lists, charts, shims = await asyncio.gather(
        asyncio.gather(*(connection.items_of(version, plural(kind), namespaces) for version, kind in ordered)),
        _charts(connection, [c for p in plan.providers for c in p.config.spec.installation.helm_charts]),
        _shims(connection, plan),
    )
    live = {key_of(obj): obj for found in lists for obj in found or []}
    served = {kind: found is not None for kind, found in zip(ordered, lists, strict=True)}
    releases, deployments = charts
    return Survey(
        stack,
        tuple(deployment_status(d, live.get(key_of(d.rendered.resource))) for d in plan.deployments),
        tuple(
            operator_status(p, served.get(_kind_of(p), True), releases, deployments, shim=shims is None or p.config.name in shims)
            for p in plan.providers
        ),
    )


async def _shims(connection: Connection, plan: Plan) -> set[str] | None:
    """Providers that are ready for the cluster's controller; None where it delivers nothing or they may not be read."""
    if plan.controller is None:
        return None
    version = f"{plan.settings.controller.api_group}/v1alpha1"
    found = await _allowed(connection.items(version, plural(CONFIG_KIND)))
    return None if found is None else ready_shims(found)


async def status_of(connection: Connection, planned: PlannedDeployment) -> DeploymentStatus:
    """The status of one deployment, for which only its own object is read. Raises ``InputError``."""
    resource = planned.rendered.resource
    version, namespace, name = str(resource["apiVersion"]), resource["metadata"]["namespace"], resource["metadata"]["name"]
    path = f"namespaces/{namespace}/{plural(str(resource['kind']))}/{name}"
    try:
        return deployment_status(planned, await connection.get(version, path))
    except ForbiddenError as error:
        raise InputError([Problem(f"{resource['kind']} {namespace}/{name}", f"may not be read: {error}")]) from error


def _kind_of(planned: PlannedProvider) -> tuple[str, str]:
    provider = provider_of(planned.config.name)
    return (provider.API_VERSION, provider.KIND) if provider else ("", "")


def key_of(obj: dict[str, Any]) -> Key:
    """What tells one object from another: version, kind, namespace and name."""
    metadata = obj["metadata"]
    return str(obj["apiVersion"]), str(obj["kind"]), str(metadata.get("namespace")), str(metadata["name"])


async def _charts(
    connection: Connection, charts: Iterable[HelmChart]
) -> tuple[dict[tuple[str, str], str] | None, list[dict[str, Any]] | None]:
    """States of the releases and the Deployments of their namespaces; None for what the account may not read."""
    namespaces = sorted({chart.namespace for chart in charts})
    secrets, deployments = await asyncio.gather(
        # Their metadata only: what a release holds is none of ours.
        _allowed(*(connection.items("v1", "secrets", n, selector="owner=helm", metadata_only=True) for n in namespaces)),
        _allowed(*(connection.items("apps/v1", "deployments", n) for n in namespaces)),
    )
    return (None if secrets is None else release_states(secrets)), deployments


async def _allowed(*lists: Coroutine[Any, Any, list[dict[str, Any]] | None]) -> list[dict[str, Any]] | None:
    try:
        found = await asyncio.gather(*lists)
    except ForbiddenError:
        return None
    return [item for answer in found for item in answer or []]
