"""What changes between two previews of a stack: decisions, operators, and resources field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airunway.planning import model_deployment as delivery
from airunway.planning.volume_claims import is_refused
from airunway.program.type_token import kind_of
from airunway.spec.entry import Delivery
from airunway.text.merge import json_equal
from airunway.text.problems import join
from providers import PROVIDERS as PROVIDERS

CREATE, UPDATE, REPLACE, DELETE, FORGET = "create", "update", "replace", "delete", "forget"
OPERATIONS = (CREATE, UPDATE, REPLACE, DELETE, FORGET)
"""What happens to a resource; one that is forgotten stays in the cluster."""

# Fields that Kubernetes or Helm can't change in place, by kind ("" is every kind); what lies below them is included.
_FIXED: dict[str, tuple[str, ...]] = {
    "": ("metadata.name", "metadata.namespace"),
    "Job": ("spec",),
    "Deployment": ("spec.selector",),
    "Secret": ("type",),
    "PersistentVolumeClaim": ("spec.accessModes",),
    "Release": ("name", "namespace"),
    delivery.KIND: delivery.IMMUTABLE,
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "kubernetes": ("clusterIdentifier",),
}


_MODEL_KINDS = frozenset({delivery.KIND, *(provider.KIND for provider in PROVIDERS)})


@dataclass(frozen=True)
class FieldChange:
    """One field: ``old`` and ``new`` as plain data, None where it is not there. A secret's values are not given."""

    path: str
    old: Any
    new: Any
    secret: bool = False


@dataclass(frozen=True)
class ResourceChange:
    """One resource; ``forced_by`` are the fields that make it a replacement, ``refused`` those that ``pulumi up``
    refuses to change.
    """

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


@dataclass(frozen=True)
class SelectionChange:
    """One deployment's decision: ``old`` and ``new`` are ``engine on provider``, None for a deployment that is not
    there.
    """

    name: str
    old: str | None
    new: str | None
    because: str


@dataclass(frozen=True)
class Difference:
    """Everything that changes in one stack; ``operators`` is one sentence each."""

    stack: str
    selections: tuple[SelectionChange, ...]
    operators: tuple[str, ...]
    resources: tuple[ResourceChange, ...]
    unchanged: int

    def __bool__(self) -> bool:
        return bool(self.selections or self.resources)

    @property
    def counts(self) -> dict[str, int]:
        """How many resources each operation touches."""
        return {operation: len([r for r in self.resources if r.operation == operation]) for operation in OPERATIONS}


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """Compare two previews as ``preview.document`` writes them."""
    before, after = ({r["urn"]: r for r in document["resources"]} for document in (old, new))
    resources = list(_resources(before, after))
    changed = {r.urn for r in resources}
    return Difference(
        stack=str(new["stack"]),
        selections=tuple(_selections(old["deployments"], new["deployments"])),
        operators=tuple(_operators(before, after)),
        resources=tuple(resources),
        unchanged=len([urn for urn in after if urn not in changed]),
    )


def _resources(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[ResourceChange]:
    for urn, resource in after.items():
        earlier = before.get(urn)
        if earlier is None:
            yield _change(CREATE, resource)
            continue
        fields = tuple(_fields(earlier["inputs"], resource["inputs"])) + tuple(_secrets(earlier, resource))
        if fields:
            kind = kind_of(resource["type"])
            provider = PROVIDERS.for_object(resource["inputs"] | {"kind": kind})
            fixed = (*_FIXED[""], *_FIXED.get(kind, ()), *(provider.IMMUTABLE if provider else ()))
            forced = tuple(
                f.path for f in fields if any(f.path == p or f.path.startswith((f"{p}.", f"{p}[")) for p in fixed)
            )
            yield _change(REPLACE if forced else UPDATE, resource, fields, forced)
    for urn, resource in before.items():
        if urn not in after:
            yield _change(FORGET if resource.get("retained") else DELETE, resource)


def _change(
    operation: str, resource: Any, fields: tuple[FieldChange, ...] = (), forced: tuple[str, ...] = ()
) -> ResourceChange:
    kind = kind_of(resource["type"])
    refused = tuple(f.path for f in fields if is_refused(kind, f.path, f.old, f.new))
    return ResourceChange(operation, resource["urn"], kind, resource["name"], fields, forced, refused)


def _fields(old: Any, new: Any, path: str = "") -> Iterator[FieldChange]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(k for k in old if k not in new)]:
            yield from _fields(old.get(key), new.get(key), join(path, str(key)))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _fields(one, other, f"{path}[{index}]")
    elif not json_equal(old, new):
        yield FieldChange(path, old, new)


def _secrets(old: Any, new: Any) -> Iterator[FieldChange]:
    before, after = old.get("secrets", {}), new.get("secrets", {})
    for path in sorted({*before, *after}):
        if path in before and path in after and before[path] != after[path]:
            yield FieldChange(path, None, None, secret=True)


def _selections(old: list[Any], new: list[Any]) -> Iterator[SelectionChange]:
    before, after = ({d["name"]: d for d in deployments} for deployments in (old, new))
    for name, decision in after.items():
        earlier = before.get(name)
        if earlier is None:
            yield SelectionChange(name, None, _decision(decision), f"new: {_why(decision)}")
        elif _decision(earlier) != _decision(decision):
            yield SelectionChange(name, _decision(earlier), _decision(decision), _because(earlier, decision))
        elif earlier["rule"] != decision["rule"]:
            yield SelectionChange(
                name, _decision(earlier), _decision(decision), f"{_why(decision)} instead of {_why(earlier)}"
            )
    for name, decision in before.items():
        if name not in after:
            yield SelectionChange(name, _decision(decision), None, "removed")


def _decision(deployment: Any) -> str:
    controller = deployment.get("delivery", Delivery.DIRECT) != Delivery.DIRECT
    return f"{deployment['engine']} on {deployment['provider']}" + (" as ModelDeployment" if controller else "")


def _why(deployment: Any) -> str:
    rule = deployment["rule"]
    return f'rule "{rule["condition"]}" (priority {rule["priority"]})' if rule else "named by provider.name"


def _because(old: Any, new: Any) -> str:
    """Why the decision is another one now."""
    deliveries = [side.get("delivery", Delivery.DIRECT) for side in (old, new)]
    if deliveries[0] != deliveries[1] and (old["engine"], old["provider"]) == (new["engine"], new["provider"]):
        return f"delivery {deliveries[0]} -> {deliveries[1]}"
    if new["rule"] is None:
        return "it is named by provider.name now"
    if old["provider"] == new["provider"]:
        return f"{_why(new)} decides"
    gained = _candidate(old, new["provider"])
    lost = _candidate(new, old["provider"])
    if gained is None or not gained["eligible"]:
        return f"{_why(new)} is now true"
    if lost is None:
        return f"{old['provider']} is not available any more"
    if not lost["eligible"] and old["rule"] is not None:
        return f"{old['provider']} fits no more ({lost['why']}); {_why(new)} decides"
    if old["rule"] is None:
        return f"provider.name does not name {old['provider']} any more; {_why(new)} decides"
    return f"{_why(new)} now outranks {old['provider']} (priority {lost['priority']})"


def _candidate(deployment: Any, provider: str) -> Any:
    return next((c for c in deployment["candidates"] if c["provider"] == provider), None)


def _of_kind(side: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The resources of one kind, by name."""
    return {r["name"]: r for r in side.values() if kind_of(r["type"]) == kind}


def _fate(release: Any) -> str:
    """What becomes of a release that no deployment needs any more."""
    if release.get("retained"):
        return "stays in the cluster: its uninstall would delete CRDs, and with them every object of their kinds"
    return "is removed"


def _operators(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Releases that come, go or change version, and operators that become someone else's."""
    old, new = (_of_kind(side, "Release") for side in (before, after))
    versions = [{name: release["inputs"].get("version") for name, release in side.items()} for side in (old, new)]
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"operator {name} {versions[1][name] or ''} is installed".replace("  ", " ")
        elif name not in new:
            yield f"operator {name} {versions[0][name] or ''} {_fate(old[name])}".replace("  ", " ")
        elif versions[0][name] != versions[1][name]:
            yield f"operator {name}: chart {versions[0][name]} -> {versions[1][name]}"
    providers = [_of_kind(side, "InferenceProvider") for side in (before, after)]
    for name in sorted(set(providers[0]) & set(providers[1])):
        installations = [side[name]["inputs"].get("installation") for side in providers]
        if installations[0] != installations[1]:
            yield f"provider {name}: installation {installations[0]} -> {installations[1]}"
