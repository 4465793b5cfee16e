"""Read a component's arguments as plain data with the names of stack files, and substitute Outputs after planning.

Decisions at plan time need known values. An Output is only allowed where its text goes into an object unchanged. To
check that, two plans with different texts in its place must be the same.
"""

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

import pulumi
from pulumi.output import Unknown
from pydantic import BaseModel

from airunway.planning.deployment import PlannedDeployment
from airunway.program.plan_outputs import deployment_with_texts, replace_texts, text_with_outputs
from airunway.provider.pods import OUTPUT_FIELDS
from airunway.text.names import digest
from airunway.text.placeholders import output_placeholder
from airunway.text.problems import InputError, Problem, join

PLAIN_VALUE_NEEDED = "is a secret, or an Output that is not known while the deployment is planned; give a plain value"
"""Message for an Output where a plain value is needed."""


class ArgumentError(pulumi.RunError):
    """Invalid arguments; Pulumi shows this error without a traceback."""

    def __init__(self, name: str, error: InputError) -> None:
        self.problems = error.problems
        super().__init__("\n".join(f"{name}: {problem}" for problem in error.problems))


@dataclass(frozen=True)
class Leaf:
    """An Output among the arguments, with its field."""

    field: str
    output: pulumi.Output[Any]
    passed_through: bool

    def text(self, variant: str) -> str:
        """Return the placeholder in a plan."""
        return output_placeholder(variant, digest(self.field))


@dataclass
class Arguments:
    """Plain data with a ``Leaf`` for each unknown Output; ``resources`` are dependencies of known Outputs."""

    data: Any = None
    leaves: list[Leaf] = field(default_factory=list)
    resources: set[pulumi.Resource] = field(default_factory=set)

    def fill(self, variants: Mapping[str, str] | None = None) -> Any:
        """Return the data with a placeholder for each Output; ``variants`` select other texts by field."""
        return _fill(self.data, variants or {})


def read_arguments(args: Mapping[str, Any], model: type[BaseModel]) -> Arguments:
    """Read a component's arguments for ``model``, with ``context_length`` or ``contextLength`` as names."""
    arguments = Arguments()
    arguments.data = _read_value(args, model, "", passed_through=False, arguments=arguments)
    return arguments


Plan = Callable[[Any], Sequence[PlannedDeployment]]


def plan_deployments(args: Arguments, plan: Plan) -> list[PlannedDeployment]:
    """Plan the arguments with ``plan`` and substitute the Outputs in the result. Raises ``InputError``."""
    problems = [Problem(leaf.field, PLAIN_VALUE_NEEDED) for leaf in args.leaves if not leaf.passed_through]
    try:
        deployments = plan(args.fill())
    except InputError as error:
        other_problems = [p for p in error.problems if not any(p.field == leaf.field for leaf in args.leaves)]
        raise InputError([*problems, *other_problems]) from error
    problems = problems or [
        Problem(leaf.field, PLAIN_VALUE_NEEDED) for leaf in args.leaves if _influences(leaf, args, plan, deployments)
    ]
    if problems:
        raise InputError(problems)
    text = text_with_outputs({leaf.text(_FIRST): leaf.output for leaf in args.leaves})
    return [deployment_with_texts(deployment, text) for deployment in deployments]


_FIRST, _SECOND = "a", "bb"


def _influences(leaf: Leaf, args: Arguments, plan: Plan, deployments: Sequence[PlannedDeployment]) -> bool:
    """Whether the plan depends on the leaf's text, other than by copying it."""
    try:
        variant_deployments = plan(args.fill({leaf.field: _SECOND}))
    except InputError:
        return True
    first_texts, second_texts = ({leaf.text(variant): leaf.field} for variant in (_FIRST, _SECOND))
    return [_effects(d, first_texts) for d in deployments] != [_effects(d, second_texts) for d in variant_deployments]


def _effects(deployment: PlannedDeployment, substitutes: Mapping[str, Any]) -> Any:
    """Return a deployment's plan as plain data, without its spec."""
    request = {
        f.name: getattr(deployment.request, f.name)
        for f in fields(deployment.request)
        if f.name not in ("spec", "config")
    }
    parts = {f.name: getattr(deployment, f.name) for f in fields(deployment) if f.name not in ("request", "provider")}
    return replace_texts([request, parts], lambda text: substitutes.get(text, text))


def _fill(value: Any, variants: Mapping[str, str]) -> Any:
    if isinstance(value, Leaf):
        return value.text(variants.get(value.field, _FIRST))
    if isinstance(value, dict):
        return {key: _fill(inner, variants) for key, inner in value.items()}
    return [_fill(inner, variants) for inner in value] if isinstance(value, list) else value


def _read_value(value: Any, annotation: Any, field: str, *, passed_through: bool, arguments: Arguments) -> Any:
    """Convert the value of a field to plain data, adding its Outputs to ``arguments``."""
    if isinstance(value, Unknown):
        value = pulumi.Output.from_input(value)
    if isinstance(value, pulumi.Output):
        return _read_output(value, annotation, field, passed_through=passed_through, arguments=arguments)
    model, element = _nested_types(annotation)
    if isinstance(value, Mapping):
        plain = {}
        for key, inner in value.items():
            name, kind, accepts_output = _field(model, str(key)) if model else (str(key), element, passed_through)
            plain[name] = _read_value(
                inner, kind, join(field, name), passed_through=accepts_output, arguments=arguments
            )
        return plain
    if isinstance(value, list | tuple):
        return [
            _read_value(v, element or annotation, f"{field}[{i}]", passed_through=passed_through, arguments=arguments)
            for i, v in enumerate(value)
        ]
    return value.value if isinstance(value, Enum) else value


def _read_output(
    output: pulumi.Output[Any], annotation: Any, field: str, *, passed_through: bool, arguments: Arguments
) -> Any:
    """Return an Output's value if it is known and not a secret, otherwise a leaf."""
    known_value = _known_value(output)
    if known_value is None:
        return _leaf(output, field, passed_through, arguments)
    value, secret, resources = known_value
    if secret:
        return _leaf(output, field, passed_through, arguments)
    arguments.resources |= resources
    return _read_value(value, annotation, field, passed_through=passed_through, arguments=arguments)


def _leaf(output: pulumi.Output[Any], field: str, passed_through: bool, arguments: Arguments) -> Leaf:
    arguments.leaves.append(Leaf(field, output, passed_through))
    return arguments.leaves[-1]


def _known_value(output: pulumi.Output[Any]) -> tuple[Any, bool, set[pulumi.Resource]] | None:
    """Return value, secrecy and resources of an Output if it is resolved, as those from a component host are.

    The SDK has no public API for this (pulumi 3.259, output.py).
    """
    future = getattr(output, "_data", None)
    if future is None or not future.done() or future.cancelled() or future.exception():
        return None
    data = future.result()
    return (data.value, data.is_secret, set(data.resources)) if data.is_known else None


def _field(model: type[BaseModel], key: str) -> tuple[str, Any, bool]:
    """Return the stack file's name, the annotation, and whether Outputs are accepted, for the field ``key``."""
    for name, info in model.model_fields.items():
        if key in (name, info.alias):
            alias = info.alias or name
            return alias, info.annotation, (model.__name__, alias) in OUTPUT_FIELDS
    return key, None, False


def _nested_types(annotation: Any) -> tuple[type[BaseModel] | None, Any]:
    """Return a field's model, or the annotation of its map's or list's elements."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, None
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        return None, parts[0]
    if origin is dict:
        return None, parts[1]
    return next((inner for part in parts if (inner := _nested_types(part)) != (None, None)), (None, None))
