"""What changes between two previews of a stack: decisions, operators, and resources field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airunway.planning import controller_delivery as delivery
from airunway.planning.volume_claims import is_refused
from airunway.program.type_token import kind_of
from airunway.report.assessment_difference import AssessmentChange, compare_assessments, currency_of, taken_by
from airunway.report.field_changes import Configs, FieldChange, changed_fields
from airunway.report.replacement import forces_replacement
from airunway.spec.entry import Delivery
from providers import PROVIDERS as PROVIDERS

CREATE, UPDATE, REPLACE, DELETE, FORGET = "create", "update", "replace", "delete", "forget"
OPERATIONS = (CREATE, UPDATE, REPLACE, DELETE, FORGET)
"""What happens to a resource; a forgotten one stays in the cluster."""

# Fields that Kubernetes or Helm can't change in place, by kind ("" is every kind), including nested fields.
_FIXED: dict[str, tuple[str, ...]] = {
    "": ("metadata.name", "metadata.namespace"),
    "Job": ("spec",),
    "Deployment": ("spec.selector",),
    "Secret": ("type",),
    "PersistentVolumeClaim": ("spec.accessModes",),
    "Release": ("name", "namespace"),
    delivery.KIND: delivery.REPLACE_ON_CHANGES,
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "kubernetes": ("clusterIdentifier",),
}


_TRIGGER = "replacementTrigger"
_MODEL_KINDS = frozenset({delivery.KIND, *(provider.KIND for provider in PROVIDERS)})


@dataclass(frozen=True)
class ResourceChange:
    """A changed resource; ``forced_by`` fields force a replacement, ``refused`` fields fail ``pulumi up``."""

    operation: str
    urn: str
    kind: str
    name: str
    fields: tuple[FieldChange, ...] = ()
    forced_by: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def interrupts(self) -> bool:
        """Whether the model is not served meanwhile: the old object goes first, as the new one has its name."""
        return self.operation == REPLACE and self.kind in _MODEL_KINDS

    @property
    def restarting(self) -> tuple[FieldChange, ...]:
        """The changed fields that a model's engine takes up only when it starts."""
        return tuple(field for field in self.fields if field.restarts) if self.kind in _MODEL_KINDS else ()


@dataclass(frozen=True)
class SelectionChange:
    """A deployment's changed decision: ``old`` and ``new`` are ``engine on provider``, None without one.

    ``serves`` is the model and the GPUs of a deployment that is new or removed; ``model`` and ``gpus`` are the same as
    data, None in previews that older versions saved.
    """

    name: str
    old: str | None
    new: str | None
    because: str
    serves: str = ""
    model: str | None = None
    gpus: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Difference:
    """Everything that changes in one stack; ``operators`` has a sentence for each."""

    stack: str
    selections: tuple[SelectionChange, ...]
    operators: tuple[str, ...]
    resources: tuple[ResourceChange, ...]
    unchanged: int
    assessment: AssessmentChange = field(default_factory=AssessmentChange)

    def __bool__(self) -> bool:
        return bool(self.selections or self.resources)

    @property
    def counts(self) -> dict[str, int]:
        """Number of resources by operation."""
        return {operation: len([r for r in self.resources if r.operation == operation]) for operation in OPERATIONS}


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """Compare two documents from ``preview_document``."""
    after = {r["urn"]: r for r in new["resources"]}
    renamed = {old_urn: urn for urn, r in after.items() for old_urn in _alias_urns(r)}
    before = {renamed.get(r["urn"], r["urn"]): r for r in old["resources"]}
    resources = list(_resources(before, after))
    changed = {r.urn for r in resources}
    return Difference(
        stack=str(new["stack"]),
        selections=tuple(_selections(old["deployments"], new["deployments"], currency_of(new) or currency_of(old))),
        operators=tuple(_operators(before, after)),
        resources=tuple(resources),
        unchanged=len([urn for urn in after if urn not in changed]),
        assessment=compare_assessments(old, new),
    )


def _resources(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[ResourceChange]:
    configs = _configs(before), _configs(after)
    for urn, resource in after.items():
        old_resource = before.get(urn)
        if old_resource is None:
            yield _change(CREATE, resource)
            continue
        fields = tuple(changed_fields(old_resource["inputs"], resource["inputs"], configs))
        fields += tuple(_secrets(old_resource, resource))
        fields += tuple(_trigger(old_resource, resource))
        if fields:
            kind = kind_of(resource["type"])
            provider = PROVIDERS.for_object(resource["inputs"] | {"kind": kind})
            fixed = (*_FIXED[""], *_FIXED.get(kind, ()), _TRIGGER, *(provider.REPLACE_ON_CHANGES if provider else ()))
            forced = tuple(f.field for f in fields if forces_replacement(f.field, f.old, f.new, fixed))
            yield _change(REPLACE if forced else UPDATE, resource, fields, forced)
    for urn, resource in before.items():
        if urn not in after:
            yield _change(FORGET if resource.get("retained") else DELETE, resource)


def _configs(side: Mapping[str, Any]) -> Configs:
    """The data of ConfigMaps by their name in the cluster."""
    inputs = [config["inputs"] for config in _resources_of_kind(side, "ConfigMap").values()]
    named = ((i.get("metadata"), i.get("data")) for i in inputs if isinstance(i, dict))
    return {str(m.get("name")): data for m, data in named if isinstance(m, dict) and isinstance(data, dict)}


def _alias_urns(resource: Mapping[str, Any]) -> Iterator[str]:
    """Yield the URNs that the resource may have had, as another version of its kind."""
    for alias in resource.get("aliases", ()):
        yield resource["urn"].replace(f"{resource['type']}::", f"{alias}::") if "::" not in alias else alias


def _trigger(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    """Yield the changed replacement trigger; as in Pulumi, one that was not there before replaces nothing."""
    before, after = old.get("replacementTrigger"), new.get("replacementTrigger")
    if before and after and before != after:
        yield FieldChange(_TRIGGER, before, after)


def _change(
    operation: str, resource: Any, fields: tuple[FieldChange, ...] = (), forced: tuple[str, ...] = ()
) -> ResourceChange:
    kind = kind_of(resource["type"])
    refused = tuple(f.field for f in fields if is_refused(kind, f.field, f.old, f.new))
    return ResourceChange(operation, resource["urn"], kind, resource["name"], fields, forced, refused)


def _secrets(old: Any, new: Any) -> Iterator[FieldChange]:
    before, after = old.get("secrets", {}), new.get("secrets", {})
    for name in sorted({*before, *after}):
        if name in before and name in after and before[name] != after[name]:
            yield FieldChange(name, None, None, secret=True)


def _selections(old: list[Any], new: list[Any], currency: str) -> Iterator[SelectionChange]:
    before, after = ({d["name"]: d for d in deployments} for deployments in (old, new))
    for name, new_deployment in after.items():
        old_deployment = before.get(name)
        if old_deployment is None:
            because = f"new: {_reason(new_deployment)}"
            yield SelectionChange(name, None, _decision(new_deployment), because, *_serves(new_deployment, currency))
        elif _decision(old_deployment) != _decision(new_deployment):
            because = _explain_change(old_deployment, new_deployment)
            yield SelectionChange(name, _decision(old_deployment), _decision(new_deployment), because)
        elif old_deployment["rule"] != new_deployment["rule"]:
            because = f"{_reason(new_deployment)} instead of {_reason(old_deployment)}"
            yield SelectionChange(name, _decision(old_deployment), _decision(new_deployment), because)
    for name, old_deployment in before.items():
        if name not in after:
            yield SelectionChange(name, _decision(old_deployment), None, "removed", *_serves(old_deployment, currency))


def _serves(deployment: Any, currency: str) -> tuple[str, str | None, Mapping[str, int] | None]:
    """What the deployment takes, followed by a comma, its model and its GPUs."""
    if "gpus" not in deployment:
        return "", None, None
    return f"{taken_by(deployment, currency)}, ", deployment["model"]["id"], deployment["gpus"]


def _decision(deployment: Any) -> str:
    controller = deployment.get("delivery", Delivery.DIRECT) != Delivery.DIRECT
    return f"{deployment['engine']} on {deployment['provider']}" + (" as ModelDeployment" if controller else "")


def _reason(deployment: Any) -> str:
    rule = deployment["rule"]
    if not rule:
        return "named by provider.name"
    return f'rule "{rule.get("description") or rule["condition"]}" (priority {rule["priority"]})'


def _explain_change(old: Any, new: Any) -> str:
    """Explain why the decision changed."""
    deliveries = [side.get("delivery", Delivery.DIRECT) for side in (old, new)]
    if deliveries[0] != deliveries[1] and (old["engine"], old["provider"]) == (new["engine"], new["provider"]):
        return f"delivery {deliveries[0]} -> {deliveries[1]}"
    if new["rule"] is None:
        return "provider.name now names it"
    if old["provider"] == new["provider"]:
        return f"{_reason(new)} decides"
    old_candidate = _candidate(old, new["provider"])
    new_candidate = _candidate(new, old["provider"])
    if old_candidate is None or not old_candidate["eligible"]:
        return f"{_reason(new)} is now true"
    if new_candidate is None:
        return f"{old['provider']} is no longer available"
    if not new_candidate["eligible"] and old["rule"] is not None:
        return f"{old['provider']} no longer fits ({new_candidate['why']}); {_reason(new)} decides"
    if old["rule"] is None:
        return f"provider.name no longer names {old['provider']}; {_reason(new)} decides"
    return f"{_reason(new)} now outranks {old['provider']} (priority {new_candidate['priority']})"


def _candidate(deployment: Any, provider: str) -> Any:
    return next((c for c in deployment["candidates"] if c["provider"] == provider), None)


def _resources_of_kind(side: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the resources of a kind, by name."""
    return {r["name"]: r for r in side.values() if kind_of(r["type"]) == kind}


def _removal(release: Any) -> str:
    """Say what happens to a release that no deployment needs any longer."""
    if release.get("retained"):
        return "stays in the cluster: uninstalling it would delete its CRDs and all their objects"
    return "is removed"


def _operators(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield installed, removed and upgraded releases, and changed installation modes."""
    old, new = (_resources_of_kind(side, "Release") for side in (before, after))
    versions = [{name: release["inputs"].get("version") for name, release in side.items()} for side in (old, new)]
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"operator {name} {versions[1][name] or ''} is installed".replace("  ", " ")
        elif name not in new:
            yield f"operator {name} {versions[0][name] or ''} {_removal(old[name])}".replace("  ", " ")
        elif versions[0][name] != versions[1][name]:
            yield f"operator {name}: chart {versions[0][name]} -> {versions[1][name]}"
    providers = [_resources_of_kind(side, "InferenceProvider") for side in (before, after)]
    for name in sorted(set(providers[0]) & set(providers[1])):
        installations = [side[name]["inputs"].get("installation") for side in providers]
        if installations[0] != installations[1]:
            yield f"provider {name}: installation {installations[0]} -> {installations[1]}"
