"""What an upstream object's status says, in one shape for every provider: KubeAIRunway's unified status.

Nothing here reads a cluster: objects come as plain data, as the API server gives them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

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
class Condition:
    """One condition as the object's operator set it."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Decided:
    """What the KubeAIRunway controller decided and reports, where it did; a field is None where it does not say."""

    engine: str | None = None
    provider: str | None = None
    reason: str | None = None
    endpoint: Endpoint | None = None


@dataclass(frozen=True)
class Observation:
    """The status of one object; ``message`` is for a person and may be empty."""

    phase: Phase
    message: str = ""
    replicas: Replicas = Replicas()
    conditions: tuple[Condition, ...] = ()
    decided: Decided = Decided()


def conditions_of(obj: Mapping[str, Any]) -> tuple[Condition, ...]:
    """The object's conditions, in its order."""
    found = (obj.get("status") or {}).get("conditions") or []
    return tuple(Condition(str(c["type"]), *(str(c.get(part) or "") for part in ("status", "reason", "message"))) for c in found)


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


def whole(value: Any) -> int:
    """A count that may be missing."""
    return int(value or 0)


class Readiness(Protocol):
    """When an object serves, once for the two who ask: Pulumi, which waits for it, and ``observe``."""

    @property
    def wait_for(self) -> str:
        """The same in the grammar of the ``pulumi.com/waitFor`` annotation."""

    def holds(self, obj: Mapping[str, Any]) -> bool:
        """Whether the live object serves."""


@dataclass(frozen=True)
class ReadyState:
    """Readiness by ``status.NAME``: an object serves in the one state whose phase is Running."""

    name: str
    phases: Mapping[str, Phase]

    def __post_init__(self) -> None:
        # `waitFor` knows AND, but no OR.
        if list(self.phases.values()).count(Phase.RUNNING) != 1:
            raise ValueError("one state is Running, and no other")

    @property
    def wait_for(self) -> str:
        """The state in which an object serves."""
        running = next(state for state, phase in self.phases.items() if phase is Phase.RUNNING)
        return f"jsonpath={{.status.{self.name}}}={running}"

    def of(self, obj: Mapping[str, Any]) -> str:
        """The object's state; nothing where it has none yet."""
        return str((obj.get("status") or {}).get(self.name) or "")

    def phase(self, obj: Mapping[str, Any]) -> Phase | None:
        """The phase of the object's state; None where the state is not known."""
        return self.phases.get(self.of(obj))

    def holds(self, obj: Mapping[str, Any]) -> bool:
        """Whether the live object serves."""
        return self.phase(obj) is Phase.RUNNING


@dataclass(frozen=True)
class ReadyCondition:
    """Readiness by a condition of the object."""

    type: str

    @property
    def wait_for(self) -> str:
        """The condition."""
        return f"condition={self.type}"

    def of(self, obj: Mapping[str, Any]) -> bool | None:
        """Whether the condition is true; None where it is not there or unknown."""
        return is_true(conditions_of(obj), self.type)

    def holds(self, obj: Mapping[str, Any]) -> bool:
        """Whether the live object serves."""
        return self.of(obj) is True
