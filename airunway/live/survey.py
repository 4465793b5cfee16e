"""Read the status of a stack's deployments and operators: one list per kind, all concurrently."""

from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from airunway.live.api_server.connection import Connection, ForbiddenError, label_selector, task_group
from airunway.live.status import (
    DeploymentStatus,
    OperatorStatus,
    deployment_status,
    operator_status,
    ready_shims,
    release_states,
)
from airunway.planning.controller_delivery import CONFIG_KIND
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.plan import Plan, PlannedProvider
from airunway.provider.contract import created_version
from airunway.selection.provider_config import HelmChart
from airunway.spec.entry import Delivery
from airunway.text.problems import InputError, Problem
from providers import PROVIDERS

Key = tuple[str, str, str, str]
_Kind = tuple[str, str, str]
"""API version, kind and label selector of one list."""


@dataclass(frozen=True)
class Survey:
    """The status of one stack at one moment; ``events_unread`` says why it lacks the events of what doesn't run."""

    stack: str
    deployments: tuple[DeploymentStatus, ...]
    operators: tuple[OperatorStatus, ...]
    events_unread: str = ""


async def survey(connection: Connection, stack: str, plan: Plan) -> Survey:
    """Read the cluster of ``plan`` once. Raises ``InputError`` if it can't be read."""
    kinds = {_kind_of(d) for d in plan.deployments} | {
        _kind_served(provider) for provider in plan.providers if provider.operator
    }
    ordered = sorted(kind for kind in kinds if kind)
    namespaces = sorted({d.request.namespace for d in plan.deployments})
    charts = [c for p in plan.providers for c in p.config.spec.installation.helm_charts]
    async with task_group() as group:
        lists = [
            group.create_task(connection.items_of(version, kind, namespaces, selector))
            for version, kind, selector in ordered
        ]
        releases = group.create_task(_releases(connection, charts))
        operators = group.create_task(_operators(connection, charts))
        shims = group.create_task(_ready_shim_names(connection, plan))
    live = {key_of(obj): obj for result in lists for obj in result.result() or []}
    served: dict[_Kind | None, bool] = {
        kind: result.result() is not None for kind, result in zip(ordered, lists, strict=True)
    }
    ready = shims.result()
    return Survey(
        stack,
        tuple(deployment_status(d, live.get(key_of(d.rendered.resource))) for d in plan.deployments),
        tuple(
            operator_status(
                p,
                served.get(_kind_served(p), True),
                releases.result(),
                operators.result(),
                shim=ready is None or p.config.name in ready,
            )
            for p in plan.providers
            if p.operator or (ready is not None and p.config.name not in ready)
        ),
    )


async def _ready_shim_names(connection: Connection, plan: Plan) -> set[str] | None:
    """Return the providers with a ready shim; None if there is no controller or no right to read them."""
    if plan.controller is None:
        return None
    version = f"{plan.settings.controller.api_group}/v1alpha1"
    configs = await _if_allowed(connection.items(version, CONFIG_KIND))
    return None if configs is None else ready_shims(configs)


async def status_of(connection: Connection, planned: PlannedDeployment) -> DeploymentStatus:
    """Read the status of one deployment from its own object only. Raises ``InputError``."""
    resource = planned.rendered.resource
    version, kind = str(resource["apiVersion"]), str(resource["kind"])
    namespace, name = resource["metadata"]["namespace"], resource["metadata"]["name"]
    try:
        return deployment_status(planned, await connection.object(version, kind, namespace, name))
    except ForbiddenError as error:
        raise InputError([Problem(f"{kind} {namespace}/{name}", f"may not be read: {error}")]) from error


def _kind_of(planned: PlannedDeployment) -> _Kind:
    """Return the kind of a deployment's object."""
    resource = planned.rendered.resource
    labels = planned.provider.SELECTOR if planned.delivery is Delivery.DIRECT else {}
    return str(resource["apiVersion"]), str(resource["kind"]), label_selector(labels)


def _kind_served(planned: PlannedProvider) -> _Kind | None:
    """Return the kind of a provider's objects; None for an unknown provider."""
    provider = PROVIDERS.get(planned.config.name)
    if provider is None:
        return None
    return created_version(provider, planned.config), provider.KIND, label_selector(provider.SELECTOR)


def key_of(obj: dict[str, Any]) -> Key:
    """Return an object's identity: API version, kind, namespace and name."""
    metadata = obj["metadata"]
    return str(obj["apiVersion"]), str(obj["kind"]), str(metadata.get("namespace")), str(metadata["name"])


async def _releases(connection: Connection, charts: Iterable[HelmChart]) -> dict[tuple[str, str], str] | None:
    """Read the Helm release states in the charts' namespaces; None without the right to."""
    namespaces = sorted({chart.namespace for chart in charts})
    # Metadata only: the releases' contents are not needed.
    secrets = await _if_allowed(
        *(connection.items("v1", "Secret", n, selector="owner=helm", metadata_only=True) for n in namespaces)
    )
    return None if secrets is None else release_states(secrets)


async def _operators(connection: Connection, charts: Iterable[HelmChart]) -> list[dict[str, Any]] | None:
    """Read the Deployments in the charts' namespaces; None without the right to."""
    return await _if_allowed(
        *(connection.items("apps/v1", "Deployment", n) for n in sorted({chart.namespace for chart in charts}))
    )


async def _if_allowed(*lists: Coroutine[Any, Any, list[dict[str, Any]] | None]) -> list[dict[str, Any]] | None:
    try:
        async with task_group() as group:
            tasks = [group.create_task(request) for request in lists]
    except ForbiddenError:
        return None
    return [item for task in tasks for item in task.result() or []]
