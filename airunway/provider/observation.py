"""What an upstream object's status says, in one shape for every provider: KubeAIRunway's unified status.

Nothing here reads a cluster: objects come as plain data, as the API server gives them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pydantic import Field

from airunway.provider.live_object import Condition, LiveModel, Object, Status, UnreadableError, read_as
from airunway.provider.request import Endpoint


class Phase(StrEnum):
    """Where a deployment is on its way."""

    PENDING = "Pending"
    DEPLOYING = "Deploying"
    RUNNING = "Running"
    FAILED = "Failed"
    TERMINATING = "Terminating"


@dataclass(frozen=True)
class Replicas:
    """How many replicas are wanted, ready and available."""

    desired: int = 0
    ready: int = 0
    available: int = 0


@dataclass(frozen=True)
class Decided:
    """What the KubeAIRunway controller decided and reports, where it did; a field is None where it does not say."""

    engine: str | None = None
    provider: str | None = None
    reason: str | None = None
    endpoint: Endpoint | None = None


@dataclass(frozen=True)
class Update:
    """A change that does not serve yet, while what was there before it may go on serving."""

    message: str
    failed: bool = False


@dataclass(frozen=True)
class Observation:
    """The status of one object; ``message`` is for a person and may be empty.

    ``update`` is the last change as long as it does not serve.
    """

    phase: Phase
    message: str = ""
    replicas: Replicas = Replicas()
    conditions: tuple[Condition, ...] = ()
    decided: Decided = Decided()
    update: Update | None = None


class _Conditioned(LiveModel):
    status: Status = Status()


class _Stated(LiveModel):
    status: dict[str, Any] = Field({})


def conditions_of(obj: Object) -> tuple[Condition, ...]:
    """The object's conditions, in its order. Raises ``UnreadableError``."""
    return tuple(read_as(_Conditioned, obj).status.conditions)


def is_true(conditions: Iterable[Condition], name: str) -> bool | None:
    """Whether the condition is true; None where it is not there or unknown."""
    status = next((c.status for c in conditions if c.type == name), None)
    return {"True": True, "False": False}.get(status or "")


def complaint(conditions: Iterable[Condition]) -> str:
    """The message of the first false condition that has one."""
    return next((c.message for c in conditions if c.status == "False" and c.message), "")


def short_of(replicas: Replicas) -> str:
    """What to say of a deployment that serves with fewer replicas than wanted."""
    return f"serves with {replicas.ready} of {replicas.desired} replicas" if replicas.ready < replicas.desired else ""


class Readiness(Protocol):
    """When an object serves, once for the two who ask: Pulumi, which waits for it, and ``observe``."""

    def wait_for(self, resource: Mapping[str, Any]) -> str:
        """The same for an object as it is rendered, in the grammar of the ``pulumi.com/waitFor`` annotation.

        It holds from the moment of the change on: ``jsonpath=`` waits until the status is of the object's generation,
        where it says so, ``condition=`` does not.
        """

    def holds(self, obj: Object) -> bool:
        """Whether the live object serves. Raises ``UnreadableError``."""


@dataclass(frozen=True)
class ReadyState:
    """Readiness by ``status.NAME``: an object serves in the one state whose phase is Running."""

    name: str
    phases: Mapping[str, Phase]

    def __post_init__(self) -> None:
        # `waitFor` knows AND, but no OR.
        if list(self.phases.values()).count(Phase.RUNNING) != 1:
            raise ValueError("one state is Running, and no other")

    def wait_for(self, resource: Mapping[str, Any]) -> str:
        """The state in which an object serves, the same for all."""
        running = next(state for state, phase in self.phases.items() if phase is Phase.RUNNING)
        return f"jsonpath={{.status.{self.name}}}={running}"

    def of(self, obj: Object) -> str:
        """The object's state; nothing where it has none yet. Raises ``UnreadableError``."""
        state = read_as(_Stated, obj).status.get(self.name)
        if not isinstance(state, str | None):
            raise UnreadableError(f"status.{self.name}: input should be a valid string")
        return state or ""

    def phase(self, obj: Object) -> Phase | None:
        """The phase of the object's state; None where the state is not known. Raises ``UnreadableError``."""
        return self.phases.get(self.of(obj))

    def holds(self, obj: Object) -> bool:
        """Whether the live object serves. Raises ``UnreadableError``."""
        return self.phase(obj) is Phase.RUNNING


@dataclass(frozen=True)
class ReadyCondition:
    """Readiness by a condition of the object."""

    type: str

    def wait_for(self, resource: Mapping[str, Any]) -> str:
        """The condition, the same for all."""
        return f"condition={self.type}"

    def of(self, obj: Object) -> bool | None:
        """Whether the condition is true; None where it is not there or unknown. Raises ``UnreadableError``."""
        return is_true(conditions_of(obj), self.type)

    def holds(self, obj: Object) -> bool:
        """Whether the live object serves. Raises ``UnreadableError``."""
        return self.of(obj) is True
