"""What an assessment has to say about a stack: advice, or a reason not to go on."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What follows from a finding."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


class Concern(StrEnum):
    """What a finding is about."""

    CAPACITY = "capacity"
    FIT = "fit"
    POLICY = "policy"


@dataclass(frozen=True)
class Finding:
    """One finding; ``deployment`` is empty where it is about the whole stack.

    A mandatory one stops ``pulumi up``, and makes ``airunway preview`` and ``airunway diff`` fail.
    """

    concern: Concern
    severity: Severity
    message: str
    deployment: str = ""

    def __str__(self) -> str:
        return f"{self.deployment}: {self.message}" if self.deployment else self.message
