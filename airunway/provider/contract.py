"""The contract of an inference provider: what a module has to bring so that deployments can be given to it. mypy holds
each to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from airunway.provider.live_object import Object as Object
from airunway.provider.observation import Observation, Readiness
from airunway.provider.request import Endpoint, Objects, Request
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import Engine, Mode


@dataclass(frozen=True)
class Honours:
    """The leaves of the spec that a provider renders for one engine in one mode, and why it can't render some others.

    Leaves are paths as a person writes them, ``[]`` for any element of a list: ``model.id``, ``env[].value``.
    ``reasons`` are by leaf or by section; every leaf that is not in ``leaves`` is refused, with or without a reason.
    """

    leaves: frozenset[str]
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NameLimit:
    """The longest name of an upstream object, in characters, and how the limit is made up."""

    most: int
    why: str


class Provider(Protocol):
    """One inference provider; each is a package."""

    FOLDER: Path
    """The package's folder, which holds the built-in InferenceProviderConfig as ``config.yaml``.

    Where it has a ``shim.yaml``, the KubeAIRunway controller has the provider too; ``schema.yaml`` has the defaults of
    a kind without CRD.
    """

    NAME: str
    """Name of its InferenceProviderConfig."""

    API_VERSION: str
    """Version of the upstream kind."""

    KIND: str
    """The upstream kind that a deployment becomes."""

    SELECTOR: Mapping[str, str]
    """Labels that tell its objects from others of their kind; empty where the kind is its own."""

    HONOURS: Mapping[Engine, Mapping[Mode, Honours]]
    """What ``render`` knows, whatever a document claims that the provider can do: engines, their modes and the spec's
    leaves.
    """

    READY: Readiness
    """When an object serves: ``pulumi up`` waits for it, and ``observe`` says Running by it."""

    OWNED: Mapping[str, Any]
    """Fields that the operator writes back where they are missing, with its values: they are rendered, so that no field
    changes owner.

    Paths in the upstream object, ``[]`` for every element of a list.
    """

    IMMUTABLE: tuple[str, ...]
    """Paths in the upstream object whose change the operator refuses, so that the object is deleted and made anew."""

    def name_limit(self, request: Request) -> NameLimit:
        """The longest name that the upstream object may have."""

    def endpoint(self, name: str) -> Endpoint:
        """The Service that the operator makes for an object of that name."""

    def render(self, request: Request) -> Objects:
        """The objects that serve ``request``, before overrides. Raises ``InputError`` naming values that it can't
        honour.
        """

    def observe(self, obj: Object) -> Observation:
        """What the status of a live object says. Raises ``UnreadableError`` where the object is not as its kind
        says.
        """

    def read(self, obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
        """The fields of a spec that render to the live object, as far as they say it. Raises ``UnreadableError`` with
        the reason.
        """


def is_kubernetes_own(api_version: str) -> bool:
    """Whether a kind of ``api_version`` is served by Kubernetes itself, and acted on without an operator: its group has
    no dot.
    """
    return "." not in api_version.rpartition("/")[0]
