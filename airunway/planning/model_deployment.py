"""Delivery by the KubeAIRunway controller: the ModelDeployment and InferenceProviderConfig objects that it works on."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from airunway.provider.contract import Provider
from airunway.provider.honoured import unhonoured
from airunway.provider.labels import MANAGED
from airunway.provider.live_object import LiveModel, Status, read_as
from airunway.provider.observation import Decided, Observation, Phase, ReadyState, Replicas, complaint
from airunway.provider.render import name_problems
from airunway.provider.request import Endpoint, Rendered, Request
from airunway.selection.provider_config import InferenceProviderConfig, Installation
from airunway.spec.entry import ENTRY, Delivery
from airunway.spec.model import ModelDeploymentSpec, Source
from airunway.text.merge import given
from airunway.text.names import name_of
from airunway.text.problems import InputError, Problem, join
from airunway.text.yaml_reading import load_data

KIND, CONFIG_KIND = "ModelDeployment", "InferenceProviderConfig"
READY = ReadyState("phase", {str(phase): phase for phase in Phase})
IMMUTABLE = ("spec.model.id", "spec.model.source", "spec.engine.type", "spec.provider.name", "spec.serving.mode")
"""Fields whose change the controller's webhook refuses, so that the object has to be made anew."""


def data() -> dict[str, Any]:
    """What is known about the controller's releases, from ``controller.yaml``."""
    return load_data(Path(__file__).with_name("controller.yaml"))


def object_name(name: str) -> str:
    """Name of the ModelDeployment of a deployment.

    The controller's shims give their objects its name and refuse one that is there already, so it is not the name of
    the object that we render ourselves: both can then stand side by side while the delivery of a live deployment is
    switched.
    """
    return name_of(name, "md")


def model_deployment(request: Request, group: str) -> dict[str, Any]:
    """The ModelDeployment for ``request`` in API group ``group``. Raises ``InputError`` naming what that group has no
    field for.
    """
    refused = unhonoured(request.spec, ENTRY | fields(group), {})
    problems = [
        Problem(path, f"ModelDeployment of {group} has no such field; use delivery: {Delivery.DIRECT}")
        for path in refused
    ]
    if request.spec.model.source is Source.AIKIT:
        problems.append(
            Problem(
                "model.source",
                f"aikit is not known to the controller; use delivery: {Delivery.DIRECT}, or source custom with image",
            )
        )
    if problems:
        raise InputError(problems)
    metadata = {"name": object_name(request.name), "namespace": request.namespace, "labels": request.labels}
    return {"apiVersion": f"{group}/v1alpha1", "kind": KIND, "metadata": metadata, "spec": _spec(request, group)}


def render_for_controller(provider: Provider, request: Request, group: str) -> Rendered:
    """Render ``request`` as a ModelDeployment of API group ``group``. Raises ``InputError``."""
    resource = model_deployment(request, group)
    name = resource["metadata"]["name"]
    problems = name_problems(provider, request, name)
    if problems:
        raise InputError(problems)
    return Rendered(resource, provider.endpoint(name), READY.wait_for(resource), IMMUTABLE)


def fields(group: str) -> frozenset[str]:
    """The leaves of the spec that a ModelDeployment of API group ``group`` has fields for."""
    return frozenset([*data()["fields"], *data()["groups"][group]["fields"]])


def _spec(request: Request, group: str) -> dict[str, Any]:
    """The spec as it was written. ``resources`` is always there: the controller's webhook and rules take its absence
    for other things.
    """
    spec = request.spec
    sections = set(ModelDeploymentSpec.model_fields)
    written = spec.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True, include=sections)
    sent = _known(written, fields(group))
    resources = dict(sent.get("resources", {}))
    if not spec.gpu_count:
        resources.pop("gpu", None)
    sent["resources"] = resources
    if spec.container_image and data()["groups"][group].get("flat"):
        sent["image"] = spec.container_image
        sent.get("engine", {}).pop("image", None)
    if request.token_secret:
        sent["secrets"] = {"huggingFaceToken": request.token_secret}
    return dict(sorted(sent.items()))


def _known(section: dict[str, Any], leaves: Collection[str], path: str = "") -> dict[str, Any]:
    """``section`` without the defaults that were written into fields which the group does not have."""
    kept: dict[str, Any] = {}
    for key, value in section.items():
        at = join(path, key)
        below = any(leaf.startswith((f"{at}.", f"{at}[")) for leaf in leaves)
        if at in leaves or below:
            kept[key] = _known(value, leaves, at) if below and isinstance(value, dict) else value
    return kept


class ReplicaCounts(LiveModel):
    """How many replicas the controller counts."""

    desired: int = 0
    ready: int = 0
    available: int = 0


class ChosenEngine(LiveModel):
    """The engine that the controller took."""

    type: str | None = None


class ChosenProvider(LiveModel):
    """The provider that the controller took, and why."""

    name: str | None = None
    selected_reason: str | None = None


class ReportedEndpoint(LiveModel):
    """The Service that the controller reports."""

    service: str = ""
    port: int = 0


class ModelDeploymentStatus(Status):
    """Where a ModelDeployment stands."""

    phase: str = ""
    message: str = ""
    replicas: ReplicaCounts = ReplicaCounts()
    engine: ChosenEngine = ChosenEngine()
    provider: ChosenProvider = ChosenProvider()
    endpoint: ReportedEndpoint = ReportedEndpoint()


class ObservedModelDeployment(LiveModel):
    """What is read of a ModelDeployment to tell where it stands."""

    status: ModelDeploymentStatus = ModelDeploymentStatus()


def observe(obj: Mapping[str, Any]) -> Observation:
    """What a ModelDeployment's status says, in the controller's own words. Raises ``UnreadableError``."""
    status = read_as(ObservedModelDeployment, obj).status
    conditions, counts, provider, endpoint = tuple(status.conditions), status.replicas, status.provider, status.endpoint
    served = Endpoint(endpoint.service, endpoint.port or 80) if endpoint.service else None
    return Observation(
        READY.phases.get(status.phase, Phase.PENDING),
        status.message or complaint(conditions),
        Replicas(counts.desired, counts.ready, counts.available),
        conditions,
        Decided(status.engine.type, provider.name, provider.selected_reason, served),
    )


def provider_config(config: InferenceProviderConfig, group: str) -> dict[str, Any]:
    """``config`` as the object of API group ``group``."""
    spec = config.spec
    rules = [{"condition": rule.condition, "priority": rule.priority} for rule in spec.selection_rules]
    metadata: dict[str, Any] = {"name": config.name, "labels": MANAGED}
    if data()["groups"][group].get("flat"):
        engines = spec.capabilities.engines
        capabilities: dict[str, Any] = {
            "engines": [str(e.name) for e in engines],
            "servingModes": sorted({str(mode) for e in engines for mode in e.serving_modes}),
            "gpuSupport": any(e.gpu_support for e in engines),
            "cpuSupport": any(e.cpu_support for e in engines),
        }
        more = given(installation=_installation(spec.installation, values=False), documentation=spec.documentation)
    else:
        metadata["annotations"] = given(
            **{
                f"{group}/installation": json.dumps(_installation(spec.installation, values=True), sort_keys=True),
                f"{group}/documentation-url": spec.documentation,
            }
        )
        listed = [
            {
                "name": str(e.name),
                "servingModes": [str(mode) for mode in e.serving_modes],
                "gpuSupport": e.gpu_support,
                "cpuSupport": e.cpu_support,
            }
            for e in spec.capabilities.engines
        ]
        capabilities, more = {"engines": listed}, {}
    body = {"capabilities": capabilities, **given(selectionRules=rules), **more}
    return {"apiVersion": f"{group}/v1alpha1", "kind": CONFIG_KIND, "metadata": metadata, "spec": body}


def _installation(installation: Installation, *, values: bool) -> dict[str, Any]:
    found = installation.model_dump(mode="json", by_alias=True, exclude_none=True)
    for chart in found["helmCharts"]:
        del chart["retainOnDelete"]  # the controller knows no such field
        if not values or not chart["values"]:
            chart.pop("values")
    return given(**found)
