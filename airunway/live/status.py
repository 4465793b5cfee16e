"""The unified status of a stack's deployments and of the operators that serve them, from live objects given as plain data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airunway.planning import model_deployment as delivery
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.plan import PlannedProvider
from airunway.planning.settings import InstallationMode
from airunway.provider.observation import Condition, Observation, Phase, Replicas
from airunway.provider.request import Endpoint
from providers import PROVIDERS as PROVIDERS

Object = dict[str, Any]

_OBSERVERS = {provider.KIND: provider.observe for provider in PROVIDERS} | {delivery.KIND: delivery.observe}

OBSERVED = frozenset(_OBSERVERS)
"""Kinds whose status ``observe`` understands."""


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


def observe(obj: Object | None) -> Observation:
    """What one live object's status says; None is an object that is not there."""
    if obj is None:
        return Observation(Phase.PENDING, "not in the cluster")
    try:
        return _observed(obj)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # A status of another shape than its CRD had: of the others there is still something to tell.
        return Observation(Phase.PENDING, f"its status can't be read: {type(error).__name__}: {error}")


def _observed(obj: Object) -> Observation:
    metadata, status, found = obj["metadata"], obj.get("status") or {}, _OBSERVERS[obj["kind"]](obj)
    if metadata.get("deletionTimestamp"):
        held = ", ".join(metadata.get("finalizers") or [])
        return replace(found, phase=Phase.TERMINATING, message=f"is being deleted; held by {held}" if held else "")
    if not status:
        return replace(found, phase=Phase.PENDING, message="no status yet: is its operator running?")
    seen = status.get("observedGeneration")
    if found.phase is Phase.RUNNING and seen is not None and seen < metadata.get("generation", 0):
        return replace(found, phase=Phase.DEPLOYING, message="its operator has not acted on the last change yet")
    return found


def deployment_status(planned: PlannedDeployment, obj: Object | None) -> DeploymentStatus:
    """The status of a planned deployment whose live object is ``obj``."""
    found, selection, resource = observe(obj), planned.request.selection, planned.rendered.resource
    decided = found.decided
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
        resource={key: resource[key] for key in ("apiVersion", "kind")} | {k: resource["metadata"][k] for k in ("namespace", "name")},
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

    ``served`` says whether the API server knows its kind, ``releases`` are states of Helm releases by (namespace, name) and
    ``deployments`` the Deployments of their namespaces; the last two are None where they may not be read. ``shim`` is whether the
    provider is ready for the KubeAIRunway controller, where that delivers.
    """
    charts = planned.config.spec.installation.helm_charts
    own = [d for d in deployments or [] if _release_of(d) in {(c.namespace, c.name) for c in charts}]
    ready = len([d for d in own if _is_ready(d)])
    states = {c.name: "unknown" if releases is None else releases.get((c.namespace, c.name), "missing") for c in charts}
    wrong = [] if served else ["its kind is not served: the CRD is missing"]
    if planned.managed:
        wrong += [f"release {name} is {state}" for name, state in states.items() if state not in ("deployed", "unknown")]
        wrong += ["no Deployment of its release is there"] if deployments is not None and not own else []
    wrong += [f"{d['metadata']['name']} is not ready" for d in own if not _is_ready(d)]
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
        message="; ".join(wrong) or ("can't be told: its release or Deployments are not where the stack expects them" if unsure else ""),
    )


def ready_shims(configs: Iterable[Object]) -> set[str]:
    """Names of the providers whose shims report ready, from live InferenceProviderConfigs."""
    return {str(c["metadata"]["name"]) for c in configs if (c.get("status") or {}).get("ready") is True}


def release_states(secrets: Iterable[Object]) -> dict[tuple[str, str], str]:
    """States of Helm releases by (namespace, name), from the labels of the Secrets in which Helm keeps them; the newest counts."""
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for secret in secrets:
        labels = secret["metadata"].get("labels") or {}
        if labels.get("owner") == "helm" and str(labels.get("version", "")).isdigit():
            key = (str(secret["metadata"]["namespace"]), str(labels.get("name")))
            found[key] = max(found.get(key, (0, "")), (int(labels["version"]), str(labels.get("status"))))
    return {key: state for key, (_, state) in found.items()}


def _release_of(deployment: Object) -> tuple[str, str]:
    annotations = deployment["metadata"].get("annotations") or {}
    namespace = annotations.get("meta.helm.sh/release-namespace", deployment["metadata"]["namespace"])
    return str(namespace), str(annotations.get("meta.helm.sh/release-name"))


def _is_ready(deployment: Object) -> bool:
    status = deployment.get("status") or {}
    wanted = deployment["spec"].get("replicas", 1)
    return bool(
        status.get("readyReplicas", 0) >= wanted and status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    )
