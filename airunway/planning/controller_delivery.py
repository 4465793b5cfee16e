"""Delivery by the KubeAIRunway controller: its ModelDeployment and InferenceProviderConfig objects."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from airunway.provider.aikit import select_image
from airunway.provider.contract import Provider
from airunway.provider.gpu_images import gpu_image_problems
from airunway.provider.labels import MANAGED
from airunway.provider.live_object import LiveModel, Status, read_as
from airunway.provider.observation import ControllerReport, Observation, Phase, ReadyState, Replicas, condition_message
from airunway.provider.render import name_problems
from airunway.provider.request import Endpoint, Rendered, Request
from airunway.provider.storage import claim_problems
from airunway.provider.supported_fields import SECTION_FIELDS, unsupported_fields
from airunway.selection.provider_config import InferenceProviderConfig, Installation
from airunway.spec.entry import ENTRY_FIELDS, Delivery
from airunway.spec.model import ModelDeploymentSpec, Source
from airunway.spec.override_checks import RESOURCES
from airunway.text.merge import non_empty
from airunway.text.names import dns_label
from airunway.text.problems import InputError, Problem, join
from airunway.text.yaml_reading import load_data

KIND, CONFIG_KIND = "ModelDeployment", "InferenceProviderConfig"
READY = ReadyState("phase", {str(phase): phase for phase in Phase})
REPLACE_ON_CHANGES = (
    "spec.model.id",
    "spec.model.source",
    "spec.engine.type",
    "spec.provider.name",
    "spec.serving.mode",
)
"""Fields that the controller's webhook refuses to change; the object is replaced instead."""


def controller_data() -> dict[str, Any]:
    """Facts about the controller's releases, from ``controller.yaml``."""
    return load_data(Path(__file__).with_name("controller.yaml"))


def object_name(name: str) -> str:
    """Name of a deployment's ModelDeployment.

    The controller's shims give their objects the same name and refuse to adopt existing objects. It therefore differs
    from the name of the object that we render for direct delivery, so that both can exist while the delivery of a live
    deployment is switched.
    """
    return dns_label(name, "md")


def model_deployment(request: Request, group: str, shim: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The ModelDeployment for ``request``. Raises ``InputError`` for fields that ``group`` doesn't have.

    ``shim`` describes the controller's shim for the provider.
    """
    refused = unsupported_fields(request.spec, ENTRY_FIELDS | SECTION_FIELDS | supported_fields(group), {})
    problems = [
        Problem(path, f"ModelDeployment of {group} has no such field; use delivery: {Delivery.DIRECT}")
        for path in refused
    ]
    if request.spec.model.source is Source.AIKIT:
        problems.append(
            Problem(
                "model.source",
                f"the controller does not support aikit; use delivery: {Delivery.DIRECT}, or source custom with image",
            )
        )
    problems += [
        Problem(field, f"the controller's webhook refuses it; use delivery: {Delivery.DIRECT}")
        for field in _resources(request.spec.provider.overrides, "provider.overrides")
    ]
    # The controller names claims after its ModelDeployment.
    problems += claim_problems(request.spec.model.volumes, object_name(request.name))
    if problems:
        raise InputError(problems)
    metadata = {"name": object_name(request.name), "namespace": request.namespace, "labels": request.labels}
    body = _spec(request, group, shim or {})
    resource = {"apiVersion": f"{group}/v1alpha1", "kind": KIND, "metadata": metadata, "spec": body}
    return request.with_user_metadata(resource)


def _resources(value: Any, field: str) -> Iterator[str]:
    """The fields of overrides that set resources, at any depth."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from _resources(element, f"{field}[{index}]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from [join(field, key)] if key == RESOURCES else _resources(inner, join(field, key))


def render_for_controller(provider: Provider, request: Request, group: str, shim: Mapping[str, Any]) -> Rendered:
    """Render ``request`` as a ModelDeployment of API group ``group``, for its ``shim``. Raises ``InputError``."""
    resource = model_deployment(request, group, shim)
    name = resource["metadata"]["name"]
    problems = [*name_problems(provider, request, name), *gpu_image_problems(provider, request)]
    if problems:
        raise InputError(problems)
    return Rendered(resource, provider.endpoint(name), READY.wait_for(resource), REPLACE_ON_CHANGES)


def supported_fields(group: str) -> frozenset[str]:
    """The fields of the spec that a ModelDeployment of API group ``group`` has too."""
    return frozenset([*controller_data()["fields"], *controller_data()["groups"][group]["fields"]])


def _spec(request: Request, group: str, shim: Mapping[str, Any]) -> dict[str, Any]:
    """The spec as the user wrote it, but always with ``resources``, whose absence the controller misinterprets."""
    spec = request.spec
    sections = set(ModelDeploymentSpec.model_fields)
    written = spec.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True, include=sections)
    manifest_spec = _only_supported(written, supported_fields(group))
    resources = dict(manifest_spec.get("resources", {}))
    if not spec.gpu_count:
        resources.pop("gpu", None)
    manifest_spec["resources"] = resources
    if spec.container_image and controller_data()["groups"][group].get("flat"):
        manifest_spec["image"] = spec.container_image
        manifest_spec.get("engine", {}).pop("image", None)
    _set_image(manifest_spec, request, shim)
    if request.token_secret:
        manifest_spec["secrets"] = {"huggingFaceToken": request.token_secret}
    return dict(sorted(manifest_spec.items()))


def _set_image(manifest_spec: dict[str, Any], request: Request, shim: Mapping[str, Any]) -> None:
    """Set ``image`` where the provider's shim wants it, instead of ``engine.image``: the spec's, else a built-in one.

    Both can't be there, as the controller's webhook refuses two different ones.
    """
    if request.selection.engine not in shim.get("image", []):
        return
    image = select_image(request.spec, request.config.spec.images)
    if image is None:
        raise InputError([Problem("image", f"the controller's {request.config.name} shim needs the image to run")])
    manifest_spec["image"] = image
    manifest_spec.get("engine", {}).pop("image", None)


def _only_supported(section: dict[str, Any], supported: Collection[str], prefix: str = "") -> dict[str, Any]:
    """``section`` with only the ``supported`` fields."""
    result: dict[str, Any] = {}
    for key, value in section.items():
        field = join(prefix, key)
        has_nested = any(name.startswith((f"{field}.", f"{field}[")) for name in supported)
        if field in supported or has_nested:
            result[key] = _only_supported(value, supported, field) if has_nested and isinstance(value, dict) else value
    return result


class ReplicaCounts(LiveModel):
    """The replica counts that the controller reports."""

    desired: int = 0
    ready: int = 0
    available: int = 0


class ChosenEngine(LiveModel):
    """The engine that the controller chose."""

    type: str | None = None


class ChosenProvider(LiveModel):
    """The provider that the controller chose, and why."""

    name: str | None = None
    selected_reason: str | None = None


class ReportedEndpoint(LiveModel):
    """The Service that the controller reports."""

    service: str = ""
    port: int = 0


class ModelDeploymentStatus(Status):
    """The status of a ModelDeployment."""

    phase: str = ""
    message: str = ""
    replicas: ReplicaCounts = ReplicaCounts()
    engine: ChosenEngine = ChosenEngine()
    provider: ChosenProvider = ChosenProvider()
    endpoint: ReportedEndpoint = ReportedEndpoint()


class ObservedModelDeployment(LiveModel):
    """The fields of a ModelDeployment that its status is derived from."""

    status: ModelDeploymentStatus = ModelDeploymentStatus()


def observe(obj: Mapping[str, Any]) -> Observation:
    """The status of a ModelDeployment, as the controller reports it. Raises ``UnreadableError``."""
    status = read_as(ObservedModelDeployment, obj).status
    conditions, counts, provider, endpoint = tuple(status.conditions), status.replicas, status.provider, status.endpoint
    reported_endpoint = Endpoint(endpoint.service, endpoint.port or 80) if endpoint.service else None
    return Observation(
        READY.phases.get(status.phase, Phase.PENDING),
        status.message or condition_message(conditions),
        Replicas(counts.desired, counts.ready, counts.available),
        conditions,
        ControllerReport(status.engine.type, provider.name, provider.selected_reason, reported_endpoint),
    )


def provider_config(config: InferenceProviderConfig, group: str) -> dict[str, Any]:
    """The InferenceProviderConfig object for ``config`` in API group ``group``."""
    spec = config.spec
    rules = [{"condition": rule.condition, "priority": rule.priority} for rule in spec.selection_rules]
    metadata: dict[str, Any] = {"name": config.name, "labels": MANAGED}
    if controller_data()["groups"][group].get("flat"):
        engines = spec.capabilities.engines
        capabilities: dict[str, Any] = {
            "engines": [str(e.name) for e in engines],
            "servingModes": sorted({str(mode) for e in engines for mode in e.serving_modes}),
            "gpuSupport": any(e.gpu_support for e in engines),
            "cpuSupport": any(e.cpu_support for e in engines),
        }
        extra = non_empty(installation=_installation(spec.installation, values=False), documentation=spec.documentation)
    else:
        metadata["annotations"] = non_empty(
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
        capabilities, extra = {"engines": listed}, {}
    body = {"capabilities": capabilities, **non_empty(selectionRules=rules), **extra}
    return {"apiVersion": f"{group}/v1alpha1", "kind": CONFIG_KIND, "metadata": metadata, "spec": body}


def _installation(installation: Installation, *, values: bool) -> dict[str, Any]:
    document = installation.model_dump(mode="json", by_alias=True, exclude_none=True)
    for chart in document["helmCharts"]:
        del chart["retainOnDelete"]  # the controller has no such field
        if not values or not chart["values"]:
            chart.pop("values")
    return non_empty(**document)
