"""A policy: what a stack or each of its deployments must be like, as a CEL expression."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from airunway.assessment.finding import Severity
from airunway.selection.rule_evaluation import RuleError, compile_condition
from airunway.spec.model import StrictModel, Text, enum_validator


class Scope(StrEnum):
    """What a policy is evaluated for."""

    DEPLOYMENT = "deployment"
    STACK = "stack"


VARIABLES = {
    Scope.DEPLOYMENT: ("deployment", "decision", "objects", "stack"),
    Scope.STACK: ("stack",),
}
"""The variables of an expression."""


class Policy(StrictModel):
    """One policy: an expression that is true for what is allowed."""

    name: Text = Field(description="Name, unique among a stack's policies.")
    scope: Annotated[Scope, enum_validator(Scope)] = Field(
        Scope.DEPLOYMENT, description="deployment: evaluated for each deployment; stack: once."
    )
    expression: Text = Field(
        description="CEL expression that is true for what is allowed, over deployment, decision, objects and stack."
    )
    message: Text = Field(description="What a violation is told.")
    severity: Annotated[Severity, enum_validator(Severity)] = Field(
        Severity.MANDATORY, description="mandatory: a violation stops the update; advisory: it is shown."
    )

    @model_validator(mode="after")
    def _compiles(self) -> "Policy":
        try:
            compile_condition(self.expression, VARIABLES[self.scope])
        except RuleError as error:
            raise ValueError(f"expression: {error}") from error
        return self
