"""What policies see of the resources that a program registered: what its ModelDeployments say, and their objects.

Seen with Pulumi 3.259 and pulumi-policy 1.21: a resource's inputs come when it is registered, those of a component
without what it registers as outputs; at the end all resources come with their outputs. The pack runs in its own folder
and is not told the project's, so a stack can't be planned anew.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from airunway.planning.policy_input import POLICY_INPUT, container_images
from airunway.planning.settings import ControllerSettings
from airunway.program.type_token import MODEL_DEPLOYMENT, is_kubernetes
from airunway.provider.provider_set import Providers
from airunway.text.placeholders import UNKNOWN
from airunway.text.problems import join

_PULUMI_ANNOTATIONS = "pulumi.com/"


@dataclass(frozen=True)
class Registered:
    """A resource as plain data: its URN and its parent's, type, inputs, and outputs."""

    urn: str
    type: str
    parent: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A deployment that policies judge: URN of its ModelDeployment, variables, and fields of objects not yet known."""

    urn: str
    variables: Mapping[str, Any]
    unknown: tuple[str, ...] = ()


def judged_deployments(resources: Iterable[Registered]) -> tuple[list[Judged], list[str]]:
    """The deployments of a stack by name, and the URNs of the ModelDeployments that say nothing policies can read."""
    components: list[Registered] = []
    objects: dict[str, list[Mapping[str, Any]]] = {}
    for resource in resources:
        if resource.type == MODEL_DEPLOYMENT:
            components.append(resource)
        elif is_kubernetes(resource.type):
            objects.setdefault(resource.parent, []).append(resource.inputs)
    judged: list[Judged] = []
    silent: list[str] = []
    for component in components:
        if said := _said(component.outputs):
            judged.append(_judged(component, said, objects.get(component.urn, [])))
        else:
            silent.append(component.urn)
    return sorted(judged, key=lambda one: (one.variables["deployment"]["name"], one.urn)), sorted(silent)


def stack_name(urn: str) -> str:
    """The name of the stack that a resource is of."""
    return urn.removeprefix("urn:pulumi:").partition("::")[0]


def stray_model(resource: Registered, providers: Providers) -> str:
    """Says that an object serves a model without a ModelDeployment around it; empty if that is not so."""
    obj = resource.inputs
    if not is_kubernetes(resource.type) or _type_of(resource.parent) == MODEL_DEPLOYMENT:
        return ""
    provider = providers.for_object(obj)
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    is_providers = provider is not None and group == provider.API_VERSION.rpartition("/")[0]
    if not is_providers and not (obj.get("kind") == "ModelDeployment" and group in _controller_groups()):
        return ""
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    name = "/".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key))
    return f"{obj['kind']} {name or UNKNOWN} is of no ModelDeployment component, so policies know nothing of it"


def _controller_groups() -> Sequence[str]:
    return get_args(ControllerSettings.model_fields["api_group"].annotation)


def _type_of(urn: str) -> str:
    parts = urn.split("::")
    return parts[2].rpartition("$")[2] if len(parts) > 2 else ""


def _said(outputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The variables that a ModelDeployment says; None if it says none."""
    try:
        said = json.loads(outputs[POLICY_INPUT])
        deployment, decision = said["deployment"], said["decision"]
        is_whole = {"name", "gpus", "costPerMonth", "images"} <= deployment.keys() and isinstance(decision, dict)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None
    return {"deployment": deployment, "decision": decision} if is_whole else None


def _judged(component: Registered, said: Mapping[str, Any], inputs: Iterable[Mapping[str, Any]]) -> Judged:
    main = component.outputs.get("resource")
    objects = sorted((_without_pulumi(obj) for obj in inputs), key=lambda obj: _order(obj, main))
    unknown = tuple(_unknown(objects, "objects"))
    images = set(container_images(objects)) - {UNKNOWN}
    if unknown:  # what an image is to be is known before it is built
        images |= set(said["deployment"]["images"])
    deployment = said["deployment"] | {"images": sorted(images)}
    return Judged(component.urn, {**said, "deployment": deployment, "objects": objects}, unknown)


def _order(obj: Mapping[str, Any], main: Any) -> tuple[bool, str, str]:
    """The object that a deployment is comes first, as elsewhere."""
    metadata = obj.get("metadata")
    kind, name = str(obj.get("kind")), str(metadata.get("name") if isinstance(metadata, Mapping) else "")
    is_main = isinstance(main, Mapping) and (main.get("kind"), main.get("name")) == (kind, name)
    return not is_main, kind, name


def _without_pulumi(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object without what only Pulumi's provider reads, as it is in a preview."""
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(annotations, Mapping):
        return dict(obj)
    kept = {key: value for key, value in annotations.items() if not key.startswith(_PULUMI_ANNOTATIONS)}
    others = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**obj, "metadata": others | ({"annotations": kept} if kept else {})}


def _unknown(value: Any, path: str) -> Iterator[str]:
    if value == UNKNOWN:
        yield path
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _unknown(inner, join(path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unknown(inner, f"{path}[{index}]")
