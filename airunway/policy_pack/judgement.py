"""What a policy says of a stack that any program registered."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airunway.assessment.policy_check import policy_subjects, violations
from airunway.assessment.policy_definition import Policy
from airunway.planning.policy_input import stack_variable
from airunway.policy_pack.registered import Judged, stack_name

_OBJECTS = re.compile(r"\bobjects\b")
_DATA = re.compile(r"no such key: .*", re.DOTALL)
"""What an error quotes of the data; secrets in objects come to a pack in clear text."""


@dataclass(frozen=True)
class Violation:
    """A violation: URN of the ModelDeployment (None for the stack), and why if the policy's message doesn't say it."""

    urn: str | None
    reason: str = ""


@dataclass(frozen=True)
class NotYetKnown:
    """A policy that can't be judged before the stack is updated, as the object's ``field`` is not known."""

    field: str


class JudgedStack:
    """A stack with at least one deployment, converted for all policies."""

    def __init__(self, deployments: Sequence[Judged]) -> None:
        stack = stack_variable(stack_name(deployments[0].urn), [one.variables["deployment"] for one in deployments])
        self._unknown = {one.urn: one.unknown for one in deployments}
        self._subjects = policy_subjects(stack, ((one.urn, one.variables) for one in deployments))

    def judge(self, policy: Policy) -> Iterator[Violation | NotYetKnown]:
        """What a policy says of the stack or each deployment."""
        for urn, reason in violations(policy, self._subjects):
            unknown = self._unknown.get(urn)
            if unknown and _OBJECTS.search(policy.expression):
                yield NotYetKnown(unknown[0])
            else:
                yield Violation(urn or None, _DATA.sub("no such key", reason))
