"""Evaluates policies; one that can't be evaluated counts as violated."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from airunway.assessment.finding import Concern, Finding
from airunway.assessment.policy_definition import VARIABLES, Policy, Scope
from airunway.selection.rule_evaluation import CelValue, cel_value, compile_condition


def policy_findings(
    policies: Sequence[Policy], stack: Mapping[str, Any], deployments: Iterable[tuple[str, Mapping[str, Any]]]
) -> Iterator[Finding]:
    """A finding for each violation; ``stack`` and each deployment's variables are plain data."""
    subjects = policy_subjects(stack, deployments)
    for policy in policies:
        for name, reason in violations(policy, subjects):
            yield Finding(Concern.POLICY, policy.severity, _message(policy, reason), name)


def violations(policy: Policy, subjects: "Subjects") -> Iterator[tuple[str, str]]:
    """What violates one policy: the deployment's name, empty for the stack, and why if its message doesn't say it."""
    for name, values in subjects[policy.scope]:
        reason = _reason(policy, values)
        if reason is not None:
            yield name, reason


def violation(policy: Policy, variables: Mapping[str, Any]) -> str:
    """What violates a policy, in its words; empty if nothing does."""
    reason = _reason(policy, _values(variables))
    return "" if reason is None else _message(policy, reason)


Subjects = Mapping[Scope, Sequence[tuple[str, Mapping[str, CelValue]]]]
"""What is judged in each scope, by name."""


def policy_subjects(stack: Mapping[str, Any], deployments: Iterable[tuple[str, Mapping[str, Any]]]) -> Subjects:
    """What policies judge, converted once, however many policies read it."""
    stack_value = _values({"stack": stack})
    return {
        Scope.STACK: [("", stack_value)],
        Scope.DEPLOYMENT: [(name, _values(variables) | stack_value) for name, variables in deployments],
    }


def _values(variables: Mapping[str, Any]) -> dict[str, CelValue]:
    return {name: cel_value(name, value) for name, value in variables.items()}


def _reason(policy: Policy, values: Mapping[str, CelValue]) -> str | None:
    """Why a policy is violated if its message doesn't say it, else empty; None if it is not violated."""
    names = VARIABLES[policy.scope]
    outcome = compile_condition(policy.expression, names).evaluate({name: values[name] for name in names})
    if outcome.is_true:
        return None
    if outcome.error:
        return f"it can't be evaluated: {outcome.error}"
    return "" if outcome.value is False else f"it is {type(outcome.value).__name__}, not a bool"


def _message(policy: Policy, reason: str) -> str:
    return f"{policy.message} [policy {policy.name}]" + (f" ({reason})" if reason else "")
