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
    stack_value = _values({"stack": stack})
    subjects = {
        Scope.STACK: [("", stack_value)],
        Scope.DEPLOYMENT: [(name, _values(variables) | stack_value) for name, variables in deployments],
    }
    for policy in policies:
        for name, values in subjects[policy.scope]:
            if message := _violation(policy, values):
                yield Finding(Concern.POLICY, policy.severity, message, name)


def violation(policy: Policy, variables: Mapping[str, Any]) -> str:
    """What violates a policy, in its words; empty if nothing does."""
    return _violation(policy, _values(variables))


def _values(variables: Mapping[str, Any]) -> dict[str, CelValue]:
    return {name: cel_value(name, value) for name, value in variables.items()}


def _violation(policy: Policy, values: Mapping[str, CelValue]) -> str:
    names = VARIABLES[policy.scope]
    outcome = compile_condition(policy.expression, names).evaluate({name: values[name] for name in names})
    if outcome.is_true:
        return ""
    reason = ""
    if outcome.error:
        reason = f" (it can't be evaluated: {outcome.error})"
    elif outcome.value is not False:
        reason = f" (it is {type(outcome.value).__name__}, not a bool)"
    return f"{policy.message} [policy {policy.name}]{reason}"
