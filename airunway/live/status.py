"""The unified status of a stack's deployments and of the operators that serve them, from live objects given as plain
data.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from airunway.live.objects import AnyObject, CustomObject, Deployment, RegisteredProvider
from airunway.planning import model_deployment as delivery
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.plan import PlannedProvider
from airunway.planning.settings import InstallationMode
from airunway.provider.contract import is_kubernetes_own
from airunway.provider.live_object import Condition, LiveModel, UnreadableError, read_as
from airunway.provider.observation import Observation, Phase, Replicas
from airunway.provider.request import Endpoint
from airunway.spec.entry import Delivery
from providers import PROVIDERS as PROVIDERS

Object = dict[str, Any]
Observer = Callable[[Mapping[str, Any]], Observation]

_REVISION = re.compile(r"[0-9]{1,9}")


class _Seen(LiveModel):
    observed_generation: int | None = None


@dataclass(frozen=True)
class DeploymentStatus:
    """One deployment: what was decided, and what is there."""

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

    @property
    def url(self) -> str:
        """OpenAI-compatible base URL inside the cluster."""
        return self.endpoint.url(self.resource["namespace"])


@dataclass(frozen=True)
class OperatorStatus:
    """One provider's operator; ``healthy`` is None where that can't be told."""

    provider: str
    installation: str
    release: str
    served: bool
    ready: int
    deployments: int
    healthy: bool | None
    message: str


def observer_of(obj: Mapping[str, Any]) -> Observer | None:
    """Who understands the status of ``obj``, by its kind and labels; None where nobody does."""
    if obj["kind"] == delivery.KIND:
        return delivery.observe
    provider = PROVIDERS.for_object(obj)
    return provider.observe if provider else None


def observe(obj: Object | None, observer: Observer | None = None) -> Observation:
    """What one live object's status says to ``observer``, by default to whom its kind and labels name; None is one that
    is not there.
    """
    if obj is None:
        return Observation(Phase.PENDING, "not in the cluster")
    try:
        observer = observer or observer_of(obj)
        return (
            _observed(obj, observer)
            if observer
            else Observation(Phase.PENDING, f"no provider has a {obj['kind']} like it")
        )
    except UnreadableError as error:
        # Of the other objects there is still something to tell.
        return Observation(Phase.PENDING, f"its status can't be read: {error}")


def _observed(obj: Object, observer: Observer) -> Observation:
    live, observation = read_as(CustomObject, obj), observer(obj)
    metadata, seen = live.metadata, read_as(_Seen, live.status, "status").observed_generation
    actor = "its controller" if is_kubernetes_own(str(obj.get("apiVersion"))) else "its operator"
    if metadata.deletion_timestamp:
        held = ", ".join(metadata.finalizers)
        return replace(
            observation, phase=Phase.TERMINATING, message=f"is being deleted; held by {held}" if held else ""
        )
    if not live.status:
        return replace(observation, phase=Phase.PENDING, message=f"no status yet: is {actor} running?")
    if observation.phase is Phase.RUNNING and seen is not None and seen < metadata.generation:
        return replace(observation, phase=Phase.DEPLOYING, message=f"{actor} has not acted on the last change yet")
    return observation


def deployment_status(planned: PlannedDeployment, obj: Object | None) -> DeploymentStatus:
    """The status of a planned deployment whose live object is ``obj``."""
    observer = planned.provider.observe if planned.delivery is Delivery.DIRECT else delivery.observe
    found, selection, resource = observe(obj, observer), planned.request.selection, planned.rendered.resource
    decided = found.controller_report
    engine, provider = decided.engine or str(selection.engine), decided.provider or selection.provider
    message = found.message
    if (engine, provider) != (str(selection.engine), selection.provider):
        otherwise = f"the controller decided otherwise than the plan ({selection.engine} on {selection.provider})"
        message = f"{otherwise}; {message}" if message else otherwise
    return DeploymentStatus(
        name=planned.name,
        phase=found.phase,
        provider=provider,
        selected_reason=decided.reason or selection.reason,
        engine=engine,
        replicas=found.replicas if obj else replace(found.replicas, desired=planned.request.spec.scaling.replicas),
        endpoint=decided.endpoint or planned.rendered.endpoint,
        message=message,
        conditions=found.conditions,
        resource={key: resource[key] for key in ("apiVersion", "kind")}
        | {k: resource["metadata"][k] for k in ("namespace", "name")},
    )


def operator_status(
    planned: PlannedProvider,
    served: bool,
    releases: Mapping[tuple[str, str], str] | None,
    deployments: Sequence[Object] | None,
    *,
    shim: bool = True,
) -> OperatorStatus:
    """The operator of ``planned``.

    ``served`` says whether the API server knows its kind, ``releases`` are states of Helm releases by (namespace, name)
    and ``deployments`` the Deployments of their namespaces; the last two are None where they may not be read. ``shim``
    is whether the provider is ready for the KubeAIRunway controller, where that delivers. Raises ``UnreadableError``.
    """
    charts = planned.config.spec.installation.helm_charts
    releases_of_charts = {(c.namespace, c.name) for c in charts}
    own = [d for d in (read_as(Deployment, obj) for obj in deployments or []) if d.release in releases_of_charts]
    ready = len([d for d in own if d.is_ready])
    states = {c.name: "unknown" if releases is None else releases.get((c.namespace, c.name), "missing") for c in charts}
    wrong = [] if served else ["its kind is not served: the CRD is missing"]
    if planned.managed:
        wrong += [
            f"release {name} is {state}" for name, state in states.items() if state not in ("deployed", "unknown")
        ]
        wrong += (
            ["no Deployment of its release is there"]
            if planned.operator and deployments is not None and not own
            else []
        )
    wrong += [f"{d.metadata.name} is not ready" for d in own if not d.is_ready]
    wrong += [] if shim else ["its provider shim does not report ready, so the controller does not choose it"]
    unsure = (not planned.managed and not own) or releases is None or deployments is None
    return OperatorStatus(
        provider=planned.config.name,
        installation=InstallationMode.MANAGED if planned.managed else InstallationMode.EXISTING,
        release=", ".join(sorted(set(states.values()))),
        served=served,
        ready=ready,
        deployments=len(own),
        healthy=False if wrong else None if unsure else True,
        message="; ".join(wrong)
        or ("can't be told: its release or Deployments are not where the stack expects them" if unsure else ""),
    )


def ready_shims(configs: Iterable[Object]) -> set[str]:
    """Names of the providers whose shims report ready, from live InferenceProviderConfigs; one that can't be read
    reports nothing.
    """
    ready: set[str] = set()
    for config in configs:
        with suppress(UnreadableError):
            provider = read_as(RegisteredProvider, config)
            ready |= {provider.metadata.name} if provider.status.ready else set()
    return ready


def release_states(secrets: Iterable[Object]) -> dict[tuple[str, str], str]:
    """States of Helm releases by (namespace, name), from the labels of the Secrets in which Helm keeps them; the newest
    counts.
    """
    newest: dict[tuple[str, str], tuple[int, str]] = {}
    for secret in secrets:
        metadata = read_as(AnyObject, secret).metadata
        labels = metadata.labels
        if labels.get("owner") == "helm" and _REVISION.fullmatch(labels.get("version", "")):
            key = (metadata.namespace or "", labels.get("name", ""))
            newest[key] = max(newest.get(key, (0, "")), (int(labels["version"]), labels.get("status", "")))
    return {key: state for key, (_, state) in newest.items()}
