"""The contract of an inference provider: what its package must define. mypy checks each provider against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from airunway.provider.live_object import Object as Object
from airunway.provider.observation import Observation, Readiness, Workload
from airunway.provider.pod_groups import PodGroup
from airunway.provider.request import Endpoint, Objects, Request
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import Engine, Mode


@dataclass(frozen=True)
class SupportedFields:
    """The fields of the spec that a provider renders for one engine in one mode, and reasons for refusing others.

    Fields are dotted, with ``[]`` for any element of a list: ``model.id``, ``env[].value``. ``reasons`` maps fields or
    sections to reasons; every field that is not in ``fields`` is refused, with or without a reason. ``fits_context``
    says that without ``engine.contextLength`` the engine serves the longest context that its GPUs hold.
    """

    fields: frozenset[str]
    reasons: Mapping[str, str] = field(default_factory=dict)
    fits_context: bool = False


@dataclass(frozen=True)
class MetricsPort:
    """A container's port, by its name, on which pods tell Prometheus of an engine.

    ``labels`` are those of the pods that have one, where others have a port of that name too.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NameLimit:
    """The maximum length of an upstream object's name, in characters, and the reason for the limit."""

    max_length: int
    reason: str


class Provider(Protocol):
    """One inference provider, implemented by a package."""

    FOLDER: Path
    """The package's folder, with the built-in InferenceProviderConfig in ``config.yaml``.

    A ``shim.yaml`` means that the KubeAIRunway controller supports the provider too; ``schema.yaml`` has the defaults
    of a kind without a CRD.
    """

    NAME: str
    """Name of the provider's InferenceProviderConfig."""

    API_VERSION: str
    """Newest version of the upstream kind, which is rendered unless the config's ``apiVersion`` says otherwise."""

    OLDER_API_VERSIONS: tuple[str, ...]
    """Other versions of the upstream kind that are rendered and read, newest first."""

    KIND: str
    """The upstream kind that a deployment is rendered as."""

    SELECTOR: Mapping[str, str]
    """Labels that identify the provider's objects among others of the same kind; empty if no one else uses the kind."""

    SUPPORTED: Mapping[Engine, Mapping[Mode, SupportedFields]]
    """The engines, modes and fields that ``render`` supports, whatever capabilities a document declares."""

    READY: Readiness
    """When an object is ready: ``pulumi up`` waits for this, and ``observe`` then reports Running."""

    WORKLOAD: Workload | None
    """What an update looks at beside the object itself before it takes the change for served; None if nothing."""

    METRICS_PORT: MetricsPort | None
    """Where engines tell of their work, if the port that serves the API doesn't tell all of it."""

    OPERATOR_DEFAULTS: Mapping[str, Any]
    """Defaults that the operator would write into the object, by field; rendering them keeps us their owner.

    Fields of the upstream object, with ``[]`` for every element of a list.
    """

    REPLACE_ON_CHANGES: tuple[str, ...]
    """Fields of the upstream object whose change the operator refuses, or brings to no pod; it replaces the object.

    ``[*]`` is any element of a list.
    """

    def name_limit(self, request: Request) -> NameLimit:
        """The limit for the upstream object's name."""

    def endpoint(self, name: str) -> Endpoint:
        """The Service that the operator creates for an object of that name."""

    def render(self, request: Request) -> Objects:
        """The objects that serve ``request``, before overrides. Raises ``InputError`` for unsupported values."""

    def observe(self, obj: Object) -> Observation:
        """The status of a live object. Raises ``UnreadableError`` if the object doesn't have its kind's shape."""

    def pods(self, obj: Object) -> tuple[PodGroup, ...]:
        """The pods that an object makes, by what they do. Raises ``UnreadableError``."""

    def read_fields(self, obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
        """The spec fields that render to the live object, as far as possible. Raises ``UnreadableError``."""


def api_versions(provider: Provider) -> tuple[str, ...]:
    """Every version of the provider's kind that is rendered and read, newest first."""
    return (provider.API_VERSION, *provider.OLDER_API_VERSIONS)


def created_version(provider: Provider, config: InferenceProviderConfig | None) -> str:
    """The version as which a stack with ``config`` creates the provider's objects."""
    return (config.spec.api_version if config else None) or provider.API_VERSION


def is_kubernetes_own(api_version: str) -> bool:
    """Whether kinds of ``api_version`` are built into Kubernetes and need no operator: their group has no dot."""
    return "." not in api_version.rpartition("/")[0]
