"""The status of an upstream object in the same form for every provider: KubeAIRunway's unified status.

Nothing here accesses a cluster: objects are plain data, as the API server returns them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pydantic import Field

from airunway.provider.live_object import Condition, LiveModel, Object, Status, UnreadableError, read_as
from airunway.provider.request import Endpoint


class Phase(StrEnum):
    """The phase of a deployment."""

    PENDING = "Pending"
    DEPLOYING = "Deploying"
    RUNNING = "Running"
    FAILED = "Failed"
    TERMINATING = "Terminating"


@dataclass(frozen=True)
class Replicas:
    """The numbers of desired, ready and available replicas."""

    desired: int = 0
    ready: int = 0
    available: int = 0


@dataclass(frozen=True)
class ControllerReport:
    """The decision that the KubeAIRunway controller reports in a status; a field is None if it is not reported."""

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
    """The status of one object; ``message`` is for people and may be empty.

    ``update`` is the last change as long as it doesn't serve.
    """

    phase: Phase
    message: str = ""
    replicas: Replicas = Replicas()
    conditions: tuple[Condition, ...] = ()
    controller_report: ControllerReport = ControllerReport()
    update: Update | None = None


@dataclass(frozen=True)
class Workload:
    """The object of the same name that has the pods, for a kind whose own status doesn't tell whether a change serves.

    ``update`` takes the upstream object and its workload, None if that is not there, and returns the last change as
    long as no pod has it. It may raise ``UnreadableError``.
    """

    api_version: str
    kind: str
    update: Callable[[Object, Object | None], Update | None]


class _ObjectWithConditions(LiveModel):
    status: Status = Status()


class _ObjectWithStatus(LiveModel):
    status: dict[str, Any] = Field({})


def read_conditions(obj: Object) -> tuple[Condition, ...]:
    """The object's conditions, in order. Raises ``UnreadableError``."""
    return tuple(read_as(_ObjectWithConditions, obj).status.conditions)


def is_true(conditions: Iterable[Condition], name: str) -> bool | None:
    """Whether the condition is true; None if it is missing or unknown."""
    status = next((c.status for c in conditions if c.type == name), None)
    return {"True": True, "False": False}.get(status or "")


def condition_message(conditions: Iterable[Condition]) -> str:
    """The message of the first false condition that has one."""
    return next((c.message for c in conditions if c.status == "False" and c.message), "")


def missing_replicas_message(replicas: Replicas) -> str:
    """The message for a running deployment with fewer ready replicas than desired, else empty."""
    return f"serves with {replicas.ready} of {replicas.desired} replicas" if replicas.ready < replicas.desired else ""


class Readiness(Protocol):
    """When an object is ready, for both Pulumi's wait and ``observe``."""

    def wait_for(self, resource: Mapping[str, Any]) -> str:
        """The value of the ``pulumi.com/waitFor`` annotation for a rendered object.

        With ``jsonpath=`` Pulumi waits until ``observedGeneration``, if present, is current; with ``condition=`` it
        doesn't.
        """

    def is_ready(self, obj: Object) -> bool:
        """Whether the live object is ready. Raises ``UnreadableError``."""


@dataclass(frozen=True)
class ReadyState:
    """Readiness by ``status.NAME``: an object is ready in the one state whose phase is Running."""

    name: str
    phases: Mapping[str, Phase]

    def __post_init__(self) -> None:
        # `waitFor` supports AND, but not OR.
        if list(self.phases.values()).count(Phase.RUNNING) != 1:
            raise ValueError("one state is Running, and no other")

    def wait_for(self, resource: Mapping[str, Any]) -> str:
        """Wait for the state whose phase is Running."""
        running = next(state for state, phase in self.phases.items() if phase is Phase.RUNNING)
        return f"jsonpath={{.status.{self.name}}}={running}"

    def read_state(self, obj: Object) -> str:
        """The object's state; empty if it has none yet. Raises ``UnreadableError``."""
        state = read_as(_ObjectWithStatus, obj).status.get(self.name)
        if not isinstance(state, str | None):
            raise UnreadableError(f"status.{self.name}: input should be a valid string")
        return state or ""

    def phase(self, obj: Object) -> Phase | None:
        """The phase for the object's state; None for an unknown state. Raises ``UnreadableError``."""
        return self.phases.get(self.read_state(obj))

    def is_ready(self, obj: Object) -> bool:
        """Whether the live object is ready. Raises ``UnreadableError``."""
        return self.phase(obj) is Phase.RUNNING


@dataclass(frozen=True)
class ReadyCondition:
    """Readiness by a condition of the object."""

    type: str

    def wait_for(self, resource: Mapping[str, Any]) -> str:
        """Wait for the condition."""
        return f"condition={self.type}"

    def read_status(self, obj: Object) -> bool | None:
        """Whether the condition is true; None if it is missing or unknown. Raises ``UnreadableError``."""
        return is_true(read_conditions(obj), self.type)

    def is_ready(self, obj: Object) -> bool:
        """Whether the live object is ready. Raises ``UnreadableError``."""
        return self.read_status(obj) is True
