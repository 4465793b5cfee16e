"""What a program gives to a component, as the plain data that is planned: names as in stack files, and places kept for
Outputs.

A decision that is taken at plan time needs values that are known then. An Output may stand only where its text is put
into an object as it is; whether that is so is tried: the plan has to be the same for two texts in its place.
"""

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from typing import Any

import pulumi
from pulumi.output import Unknown
from pydantic import BaseModel

from airunway.planning.deployment import PlannedDeployment
from airunway.provider.pods import OUTPUT_FIELDS
from airunway.text.names import digest
from airunway.text.problems import InputError, Problem, join

UNKNOWN = "is a secret, or an Output that is not known while the deployment is planned; give a plain value"
"""What is said of an Output where a plain value is needed."""


class ArgumentError(pulumi.RunError):
    """Arguments that can't be planned; Pulumi shows it without a traceback."""

    def __init__(self, name: str, error: InputError) -> None:
        self.problems = error.problems
        super().__init__("\n".join(f"{name}: {problem}" for problem in error.problems))


@dataclass(frozen=True)
class Leaf:
    """An Output among the arguments: where it stands, and whether it may."""

    path: str
    output: pulumi.Output[Any]
    passed_through: bool

    def text(self, variant: str) -> str:
        """What stands for it in a plan: a DNS label, which most fields take."""
        return f"output-{variant}-{digest(self.path)}"


@dataclass
class Arguments:
    """Plain data with a ``Leaf`` in place of each Output; ``resources`` are what Outputs that are known by now depend
    on.
    """

    data: Any = None
    leaves: list[Leaf] = field(default_factory=list)
    resources: set[pulumi.Resource] = field(default_factory=set)

    def filled(self, variants: Mapping[str, str] | None = None) -> Any:
        """The data with a text for each Output; ``variants`` are other texts by path."""
        return _filled(self.data, variants or {})


def arguments(args: Mapping[str, Any], model: type[BaseModel]) -> Arguments:
    """The arguments of a component, for ``model`` to check. Both ``context_length`` and ``contextLength`` name a
    field.
    """
    found = Arguments()
    found.data = _plain(args, model, "", passed_through=False, found=found)
    return found


Plan = Callable[[Any], Sequence[PlannedDeployment]]


def planned(args: Arguments, plan: Plan) -> list[PlannedDeployment]:
    """The deployments that ``plan`` makes of the arguments, with the Outputs where they belong. Raises
    ``InputError``.
    """
    refused = [Problem(leaf.path, UNKNOWN) for leaf in args.leaves if not leaf.passed_through]
    try:
        deployments = plan(args.filled())
    except InputError as error:
        rest = [p for p in error.problems if not any(p.field == leaf.path for leaf in args.leaves)]
        raise InputError([*refused, *rest]) from error
    refused = refused or [
        Problem(leaf.path, UNKNOWN) for leaf in args.leaves if _influences(leaf, args, plan, deployments)
    ]
    if refused:
        raise InputError(refused)
    outputs = {leaf.text(_FIRST): leaf.output for leaf in args.leaves}
    return [_with_outputs(deployment, outputs) for deployment in deployments]


_FIRST, _SECOND = "a", "bb"


def _with_outputs(deployment: PlannedDeployment, outputs: Mapping[str, pulumi.Output[Any]]) -> PlannedDeployment:
    rendered = deployment.rendered
    supporting = tuple(_restored(obj, outputs) for obj in rendered.supporting)
    return replace(
        deployment, rendered=replace(rendered, resource=_restored(rendered.resource, outputs), supporting=supporting)
    )


def _influences(leaf: Leaf, args: Arguments, plan: Plan, deployments: Sequence[PlannedDeployment]) -> bool:
    """Whether anything in the plan but the leaf's own places depends on its text."""
    try:
        others = plan(args.filled({leaf.path: _SECOND}))
    except InputError:
        return True
    first, second = ({leaf.text(variant): pulumi.Output} for variant in (_FIRST, _SECOND))
    return [_effects(d, first) for d in deployments] != [_effects(d, second) for d in others]


def _effects(deployment: PlannedDeployment, places: Mapping[str, Any]) -> Any:
    """All that a plan comes to as plain data, but for the spec that it was made from."""
    request = {
        f.name: getattr(deployment.request, f.name)
        for f in fields(deployment.request)
        if f.name not in ("spec", "config")
    }
    parts = {f.name: getattr(deployment, f.name) for f in fields(deployment) if f.name not in ("request", "provider")}
    return _restored([request, parts], places)


def _restored(value: Any, places: Mapping[str, Any]) -> Any:
    """``value`` with what is in ``places`` for every text that is a whole value."""
    if isinstance(value, str):
        return places.get(value, value)
    if isinstance(value, Mapping):
        return {key: _restored(inner, places) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_restored(inner, places) for inner in value]
    if isinstance(value, BaseModel):
        return _restored(value.model_dump(), places)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _restored(getattr(value, f.name), places) for f in fields(value)}
    return value


def _filled(value: Any, variants: Mapping[str, str]) -> Any:
    if isinstance(value, Leaf):
        return value.text(variants.get(value.path, _FIRST))
    if isinstance(value, dict):
        return {key: _filled(inner, variants) for key, inner in value.items()}
    return [_filled(inner, variants) for inner in value] if isinstance(value, list) else value


def _plain(value: Any, annotation: Any, path: str, *, passed_through: bool, found: Arguments) -> Any:
    """``value`` of a field with ``annotation`` as plain data, its Outputs noted in ``found``."""
    if isinstance(value, Unknown):
        value = pulumi.Output.from_input(value)
    if isinstance(value, pulumi.Output):
        return _of_output(value, annotation, path, passed_through=passed_through, found=found)
    model, element = _inside(annotation)
    if isinstance(value, Mapping):
        plain = {}
        for key, inner in value.items():
            name, kind, passed = _field(model, str(key)) if model else (str(key), element, passed_through)
            plain[name] = _plain(inner, kind, join(path, name), passed_through=passed, found=found)
        return plain
    if isinstance(value, list | tuple):
        return [
            _plain(v, element or annotation, f"{path}[{i}]", passed_through=passed_through, found=found)
            for i, v in enumerate(value)
        ]
    return value.value if isinstance(value, Enum) else value


def _of_output(
    output: pulumi.Output[Any], annotation: Any, path: str, *, passed_through: bool, found: Arguments
) -> Any:
    """What stands for an Output: its value where that is known by now and no secret, else a leaf."""
    known = _known(output)
    if known is None:
        return _leaf(output, path, passed_through, found)
    value, secret, resources = known
    if secret:
        return _leaf(output, path, passed_through, found)
    found.resources |= resources
    return _plain(value, annotation, path, passed_through=passed_through, found=found)


def _leaf(output: pulumi.Output[Any], path: str, passed_through: bool, found: Arguments) -> Leaf:
    found.leaves.append(Leaf(path, output, passed_through))
    return found.leaves[-1]


def _known(output: pulumi.Output[Any]) -> tuple[Any, bool, set[pulumi.Resource]] | None:
    """Value, secrecy and resources of an Output that is known without waiting, as those are that a component host hands
    over.

    The SDK has no public way to ask (pulumi 3.259, output.py).
    """
    future = getattr(output, "_data", None)
    if future is None or not future.done() or future.cancelled() or future.exception():
        return None
    data = future.result()
    return (data.value, data.is_secret, set(data.resources)) if data.is_known else None


def _field(model: type[BaseModel], key: str) -> tuple[str, Any, bool]:
    """Name in stack files, annotation, and whether an Output may stand there, of the field that ``key`` names."""
    for name, info in model.model_fields.items():
        if key in (name, info.alias):
            alias = info.alias or name
            return alias, info.annotation, (model.__name__, alias) in OUTPUT_FIELDS
    return key, None, False


def _inside(annotation: Any) -> tuple[type[BaseModel] | None, Any]:
    """The model that a map of a field is, or the annotation of the elements of its map or list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, None
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        return None, parts[0]
    if origin is dict:
        return None, parts[1]
    return next((inner for part in parts if (inner := _inside(part)) != (None, None)), (None, None))
