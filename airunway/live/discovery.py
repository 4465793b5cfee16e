"""Find objects in a cluster that a stack could take over."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from airunway.live.adoption import Adoption, adopt
from airunway.live.api_server.connection import Connection, ForbiddenError, label_selector, task_group
from airunway.live.objects import CustomResourceDefinition, Schema
from airunway.live.survey import key_of
from airunway.planning.deployment import PlanContext
from airunway.planning.entries import name_problem
from airunway.planning.plan import Plan
from airunway.provider.contract import Provider, is_kubernetes_own
from airunway.provider.live_object import LiveObject, read_as
from providers import PROVIDERS


async def discover(connection: Connection, plan: Plan, target: PlanContext) -> list[Adoption]:
    """Find all upstream objects that are not in ``plan``. Raises ``InputError`` if the cluster can't be read."""
    namespaces = sorted({d.request.namespace for d in plan.deployments} | {plan.settings.namespace})
    kinds = [
        (await _served_version(connection, provider, target), provider.KIND, label_selector(provider.SELECTOR))
        for provider in PROVIDERS
    ]
    async with task_group() as group:
        lists = [
            group.create_task(connection.items_of(version, kind, namespaces, selector))
            for version, kind, selector in kinds
        ]
        schemas = [
            group.create_task(_schema(connection, provider, version))
            for provider, (version, _, _) in zip(PROVIDERS, kinds, strict=True)
        ]
    planned_keys = {key_of(d.rendered.resource) for d in plan.deployments}
    locations = {d.name: d.location.path for d in plan.deployments}
    adoptions: list[Adoption] = []
    for objects, schema in zip(lists, schemas, strict=True):
        for obj in sorted(objects.result() or [], key=key_of):
            if key_of(obj) in planned_keys:
                continue
            adoption = _try_adopt(obj, target, schema.result())
            if adoption.entry is not None and (reason := _unserved_version(obj, target)):
                adoption = _reject(obj, reason)
            if adoption.entry is not None and (conflict := name_problem(adoption.name, locations)):
                adoption = _reject(obj, str(conflict))
            locations |= {adoption.name: f"{adoption.kind} {adoption.id}"} if adoption.entry is not None else {}
            adoptions.append(adoption)
    return sorted(adoptions, key=lambda a: (a.namespace, a.name, a.kind))


def import_document(adoptions: Sequence[Adoption], stack: str, project: str) -> dict[str, Any]:
    """Return the file for `pulumi import --file`, for objects with an entry that are not in the state yet."""
    provider = f"urn:pulumi:{stack}::{project}::pulumi:providers:kubernetes::cluster"
    resources: list[dict[str, Any]] = []
    for adoption in adoptions:
        if adoption.entry is None:
            continue
        component = f"{adoption.name}-deployment"
        token = f"kubernetes:{adoption.api_version}:{adoption.kind}"
        resources.append(
            {
                "type": "airunway:index:ModelDeployment",
                "name": component,
                "logicalName": adoption.name,
                "component": True,
            }
        )
        resources.append(
            {"type": token, "name": adoption.name, "id": adoption.id, "parent": component, "provider": "cluster"}
        )
    return {"nameTable": {"cluster": provider}, "resources": resources}


async def _served_version(connection: Connection, provider: Provider, target: PlanContext) -> str:
    """Return the version as which the stack creates the provider's objects, or an older one if only that is served."""
    own = target.api_version(provider)
    versions = (own, *(version for version in provider.OLDER_API_VERSIONS if version != own))
    with suppress(ForbiddenError):
        for version in versions:
            if await connection.resource(version, provider.KIND):
                return version
    return own


async def _schema(connection: Connection, provider: Provider, version: str) -> Schema:
    """Read the schema of the provider's kind; return an empty one without the right to read it."""
    if is_kubernetes_own(version):
        return read_as(Schema, PROVIDERS.schemas.get(provider.NAME, {}))
    group, _, name = version.partition("/")
    try:
        resource = await connection.resource(version, provider.KIND)
        if resource is None:
            return Schema()
        crd = await connection.object(
            "apiextensions.k8s.io/v1", "CustomResourceDefinition", None, f"{resource.name}.{group}"
        )
    except ForbiddenError:
        return Schema()
    return read_as(CustomResourceDefinition, crd).schema_of(name) if crd else Schema()


def _try_adopt(obj: dict[str, Any], target: PlanContext, schema: Schema) -> Adoption:
    owners = read_as(LiveObject, obj).metadata.owner_references
    if owners:
        return _reject(obj, f"belongs to {owners[0].kind} {owners[0].name}")
    try:
        return adopt(obj, target, schema)
    except RecursionError:
        return _reject(obj, "is nested too deeply")


def _unserved_version(obj: dict[str, Any], target: PlanContext) -> str:
    """Return why the stack can't create such objects: only an older version of their kind is served."""
    provider = target.providers.for_object(obj)
    if provider is None or obj["apiVersion"] == target.api_version(provider):
        return ""
    return (
        f"apiVersion: the cluster serves {obj['apiVersion']}; set airunway:providers to"
        f" {{{provider.NAME}: {{spec: {{apiVersion: {obj['apiVersion']}}}}}}}"
    )


def _reject(obj: dict[str, Any], reason: str) -> Adoption:
    live = read_as(LiveObject, obj)
    return Adoption(live.kind, live.api_version, live.metadata.namespace or "", live.metadata.name, None, (reason,))
