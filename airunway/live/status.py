"""The unified status of a stack's deployments and operators, from live objects as plain data."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from airunway.live.events import Event
from airunway.live.moments import NEVER, moment
from airunway.live.objects import AnyObject, CustomObject, Deployment, RegisteredProvider
from airunway.live.plan_difference import fields_not_as_planned
from airunway.planning import controller_delivery as delivery
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.plan import PlannedProvider
from airunway.planning.pod_demand import gpu_range
from airunway.planning.settings import InstallationMode
from airunway.provider.contract import is_kubernetes_own
from airunway.provider.live_object import Condition, LiveModel, UnreadableError, read_as
from airunway.provider.observation import Observation, Phase, Replicas, Update, Workload
from airunway.provider.request import Endpoint
from airunway.spec.entry import Delivery
from providers import PROVIDERS as PROVIDERS

Object = dict[str, Any]
Observer = Callable[[Mapping[str, Any]], Observation]

MISSING = "not in the cluster"
"""The message of a deployment whose object is not there."""
_ABSENT = "missing"
_REVISION = re.compile(r"[0-9]{1,9}")


class _ObservedGeneration(LiveModel):
    observed_generation: int | None = None


@dataclass(frozen=True)
class DeploymentStatus:
    """The status of one deployment; ``update`` is its last change as long as that doesn't serve.

    ``gpus`` are the fewest and the most that the plan asks for; None where they can't be known. ``not_as_planned`` are
    the fields of its object that have other values than the plan. ``created`` is when its object was, and ``events``
    are the newest warnings about what doesn't run, where they were asked for.
    """

    name: str
    phase: Phase
    provider: str
    selected_reason: str
    engine: str
    replicas: Replicas
    endpoint: Endpoint
    message: str
    conditions: tuple[Condition, ...]
    resource: Mapping[str, str]
    update: Update | None = None
    model: str = ""
    gpus: tuple[int, int] | None = None
    not_as_planned: tuple[str, ...] = ()
    created: datetime = NEVER
    events: tuple[Event, ...] = ()

    @property
    def serves(self) -> bool:
        """Whether it runs as it was last changed."""
        return self.phase is Phase.RUNNING and self.update is None

    @property
    def url(self) -> str:
        """OpenAI-compatible base URL inside the cluster."""
        return self.endpoint.url(self.resource["namespace"])


@dataclass(frozen=True)
class OperatorStatus:
    """The status of one provider's operator; ``healthy`` is None if unknown."""

    provider: str
    installation: str
    release: str
    served: bool
    ready: int
    deployments: int
    healthy: bool | None
    message: str

    @property
    def is_absent(self) -> bool:
        """Whether the stack installs it, and has not yet."""
        return self.installation == InstallationMode.MANAGED and self.release == _ABSENT


def observer_of(obj: Mapping[str, Any]) -> Observer | None:
    """Return the function that reads the status of ``obj``, by its kind and labels, or None."""
    if obj["kind"] == delivery.KIND:
        return delivery.observe
    provider = PROVIDERS.for_object(obj)
    return provider.observe if provider else None


def observe(obj: Object | None, observer: Observer | None = None) -> Observation:
    """Observe a live object, or None for a missing one; ``observer`` defaults to that of its kind and labels."""
    if obj is None:
        return Observation(Phase.PENDING, MISSING)
    try:
        observer = observer or observer_of(obj)
        return (
            _observe_live(obj, observer)
            if observer
            else Observation(Phase.PENDING, f"no provider creates a {obj['kind']} like it")
        )
    except UnreadableError as error:
        # The other objects can still be reported.
        return Observation(Phase.PENDING, f"its status can't be read: {error}")


def _observe_live(obj: Object, observer: Observer) -> Observation:
    live, observation = read_as(CustomObject, obj), observer(obj)
    metadata, generation = (
        live.metadata,
        read_as(_ObservedGeneration, live.status, "status").observed_generation,
    )
    controller = "its controller" if is_kubernetes_own(str(obj.get("apiVersion"))) else "its operator"
    if metadata.deletion_timestamp:
        finalizers = ", ".join(metadata.finalizers)
        return replace(
            observation,
            phase=Phase.TERMINATING,
            message=f"is being deleted; waiting for finalizers {finalizers}" if finalizers else "",
        )
    if not live.status:
        return replace(observation, phase=Phase.PENDING, message=f"no status yet: is {controller} running?")
    if observation.phase is Phase.RUNNING and generation is not None and generation < metadata.generation:
        return replace(
            observation, phase=Phase.DEPLOYING, message=f"{controller} has not processed the last change yet"
        )
    return observation


def observer_for(planned: PlannedDeployment) -> Observer:
    """Return the function that reads the status of a planned deployment's object."""
    return planned.provider.observe if planned.delivery is Delivery.DIRECT else delivery.observe


def workload_of(planned: PlannedDeployment) -> Workload | None:
    """Return what to look at beside a planned deployment's object after a change of it."""
    return planned.provider.WORKLOAD if planned.delivery is Delivery.DIRECT else None


def deployment_status(planned: PlannedDeployment, obj: Object | None) -> DeploymentStatus:
    """Return the status of a planned deployment with the live object ``obj``."""
    observation = observe(obj, observer_for(planned))
    selection, resource = planned.request.selection, planned.rendered.resource
    decision = observation.controller_report
    engine, provider = decision.engine or str(selection.engine), decision.provider or selection.provider
    message = observation.message or (observation.update.message if observation.update else "")
    if (engine, provider) != (str(selection.engine), selection.provider):
        mismatch = f"the controller's decision differs from the plan ({selection.engine} on {selection.provider})"
        message = f"{mismatch}; {message}" if message else mismatch
    return DeploymentStatus(
        name=planned.name,
        phase=observation.phase,
        provider=provider,
        selected_reason=decision.reason or selection.reason,
        engine=engine,
        replicas=observation.replicas
        if obj
        else replace(observation.replicas, desired=planned.request.spec.scaling.replicas),
        endpoint=decision.endpoint or planned.rendered.endpoint,
        message=message,
        conditions=observation.conditions,
        resource={key: resource[key] for key in ("apiVersion", "kind")}
        | {k: resource["metadata"][k] for k in ("namespace", "name")},
        update=observation.update,
        model=planned.model,
        gpus=gpu_range(planned),
        not_as_planned=fields_not_as_planned(resource, obj) if obj else (),
        created=moment(str(obj["metadata"].get("creationTimestamp"))) if obj else NEVER,
    )


def operator_status(
    planned: PlannedProvider,
    served: bool,
    releases: Mapping[tuple[str, str], str] | None,
    deployments: Sequence[Object] | None,
    *,
    shim: bool = True,
) -> OperatorStatus:
    """Return the status of the operator of ``planned``.

    ``served`` says whether the API server serves its kind, ``releases`` are states of Helm releases by (namespace,
    name) and ``deployments`` the Deployments of their namespaces; both are None without the right to read them.
    ``shim`` says whether the provider is ready for the KubeAIRunway controller. Raises ``UnreadableError``.
    """
    charts = planned.config.spec.installation.helm_charts
    releases_of_charts = {(c.namespace, c.name) for c in charts}
    owned = [d for d in (read_as(Deployment, obj) for obj in deployments or []) if d.release in releases_of_charts]
    ready = len([d for d in owned if d.is_ready])
    states = {c.name: "unknown" if releases is None else releases.get((c.namespace, c.name), _ABSENT) for c in charts}
    problems = [] if served else ["its kind is not served: the CRD is missing"]
    if planned.managed:
        problems += [
            f"release {name} is {state}" for name, state in states.items() if state not in ("deployed", "unknown")
        ]
        problems += (
            ["its release has no Deployment"] if planned.operator and deployments is not None and not owned else []
        )
    problems += [f"{d.metadata.name} is not ready" for d in owned if not d.is_ready]
    problems += [] if shim else ["its provider shim is not ready, so the controller does not select it"]
    is_unknown = (not planned.managed and not owned) or releases is None or deployments is None
    return OperatorStatus(
        provider=planned.config.name,
        installation=InstallationMode.MANAGED if planned.managed else InstallationMode.EXISTING,
        release=", ".join(sorted(set(states.values()))),
        served=served,
        ready=ready,
        deployments=len(owned),
        healthy=False if problems else None if is_unknown else True,
        message="; ".join(problems)
        or ("unknown: its release or Deployments are not where the stack expects them" if is_unknown else ""),
    )


def ready_shims(configs: Iterable[Object]) -> set[str]:
    """Return the providers whose shims are ready, from live InferenceProviderConfigs; skip unreadable ones."""
    ready: set[str] = set()
    for config in configs:
        with suppress(UnreadableError):
            provider = read_as(RegisteredProvider, config)
            ready |= {provider.metadata.name} if provider.status.ready else set()
    return ready


def release_states(secrets: Iterable[Object]) -> dict[tuple[str, str], str]:
    """Return the newest states of Helm releases by (namespace, name), from the labels of Helm's Secrets."""
    newest: dict[tuple[str, str], tuple[int, str]] = {}
    for secret in secrets:
        metadata = read_as(AnyObject, secret).metadata
        labels = metadata.labels
        if labels.get("owner") == "helm" and _REVISION.fullmatch(labels.get("version", "")):
            key = (metadata.namespace or "", labels.get("name", ""))
            newest[key] = max(newest.get(key, (0, "")), (int(labels["version"]), labels.get("status", "")))
    return {key: state for key, (_, state) in newest.items()}
