"""What a cluster already serves that a stack could take over."""

from collections.abc import Sequence
from typing import Any

from airunway.live.adoption import Adoption, adopt
from airunway.live.api_server.connection import Connection, ForbiddenError, label_selector, together
from airunway.live.objects import CustomResourceDefinition, Schema
from airunway.live.survey import key_of
from airunway.planning.deployment import PlanContext
from airunway.planning.entries import name_problem
from airunway.planning.plan import Plan
from airunway.provider.contract import Provider, is_kubernetes_own
from airunway.provider.live_object import LiveObject, read_as
from providers import PROVIDERS


async def discover(connection: Connection, plan: Plan, target: PlanContext) -> list[Adoption]:
    """Every upstream object that ``plan`` does not have, by namespace and name. Raises ``InputError`` where the cluster
    can't be read.
    """
    namespaces = sorted({d.request.namespace for d in plan.deployments} | {plan.settings.namespace})
    kinds = [(provider.API_VERSION, provider.KIND, label_selector(provider.SELECTOR)) for provider in PROVIDERS]
    async with together() as group:
        lists = [
            group.create_task(connection.items_of(version, kind, namespaces, selector))
            for version, kind, selector in kinds
        ]
        schemas = [group.create_task(_schema(connection, provider)) for provider in PROVIDERS]
    known = {key_of(d.rendered.resource) for d in plan.deployments}
    places = {d.name: d.location.path for d in plan.deployments}
    found: list[Adoption] = []
    for objects, schema in zip(lists, schemas, strict=True):
        for obj in sorted(objects.result() or [], key=key_of):
            if key_of(obj) in known:
                continue
            adoption = _adopted(obj, target, schema.result())
            if adoption.entry is not None and (clash := name_problem(adoption.name, places)):
                adoption = _refused(obj, str(clash))
            places |= {adoption.name: f"{adoption.kind} {adoption.id}"} if adoption.entry is not None else {}
            found.append(adoption)
    return sorted(found, key=lambda a: (a.namespace, a.name, a.kind))


def import_document(adoptions: Sequence[Adoption], stack: str, project: str) -> dict[str, Any]:
    """The file that `pulumi import --file` takes, for objects that are entries of the stack already and not yet in its
    state.
    """
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


async def _schema(connection: Connection, provider: Provider) -> Schema:
    """The schema of the provider's kind, or an empty one where it may not be read."""
    if is_kubernetes_own(provider.API_VERSION):
        return read_as(Schema, PROVIDERS.schemas.get(provider.NAME, {}))
    group, _, name = provider.API_VERSION.partition("/")
    try:
        resource = await connection.resource(provider.API_VERSION, provider.KIND)
        if resource is None:
            return Schema()
        crd = await connection.object(
            "apiextensions.k8s.io/v1", "CustomResourceDefinition", None, f"{resource.name}.{group}"
        )
    except ForbiddenError:
        return Schema()
    return read_as(CustomResourceDefinition, crd).schema_of(name) if crd else Schema()


def _adopted(obj: dict[str, Any], target: PlanContext, schema: Schema) -> Adoption:
    owners = read_as(LiveObject, obj).metadata.owner_references
    if owners:
        return _refused(obj, f"belongs to {owners[0].kind} {owners[0].name}")
    try:
        return adopt(obj, target, schema)
    except RecursionError:
        return _refused(obj, "is nested too deeply")


def _refused(obj: dict[str, Any], why: str) -> Adoption:
    live = read_as(LiveObject, obj)
    return Adoption(live.kind, live.api_version, live.metadata.namespace or "", live.metadata.name, None, (why,))
