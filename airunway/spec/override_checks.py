"""What ``provider.overrides`` may not change, and the amounts of resources that they may set."""

from collections.abc import Iterator
from typing import Any

from airunway.spec.model import MAX_CPU, MAX_MEMORY
from airunway.spec.quantities import parse_quantity, size_problem
from airunway.text.problems import Problem, format_value, join

ROOT_KEYS = ("apiVersion", "kind", "metadata", "status")
"""Keys of the upstream object that overrides may not change."""
RESOURCES = "resources"
_REPLICAS = "replicas"
_SIZES = "can't be overridden; use resources and scaling, which are checked against limits"
_CEILINGS = {"cpu": MAX_CPU, "memory": MAX_MEMORY}
_AMOUNTS = frozenset({*_CEILINGS, "ephemeral-storage"})
_SECTIONS = frozenset({"limits", "requests", "custom"})
"""Keys of ``resources`` that hold amounts; ``custom`` is Dynamo's map of further ones."""


def override_problems(overrides: dict[str, Any] | None) -> Iterator[Problem]:
    """A problem for each key that overrides may not change, and for each amount over the ceiling of a deployment."""
    if overrides is None:
        return
    for key in overrides:
        if key in ROOT_KEYS:
            yield Problem(
                f"provider.overrides.{key}",
                f"can't be overridden; nor can {', '.join(k for k in ROOT_KEYS if k != key)}",
            )
    yield from _blocked(overrides, "provider.overrides")


def _blocked(value: Any, field: str) -> Iterator[Problem]:
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from _blocked(element, f"{field}[{index}]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            inner_field = join(field, str(key))
            if key == _REPLICAS:
                yield Problem(inner_field, _SIZES)
            elif key == RESOURCES:
                yield from _resources(inner, inner_field)
            else:
                yield from _blocked(inner, inner_field)


def _resources(value: Any, field: str) -> Iterator[Problem]:
    """Problems with a container's resources: what can be counted in GPUs or devices is set by the spec's fields."""
    if value is None:
        return
    if not isinstance(value, dict):
        yield Problem(field, _SIZES)
        return
    for key, inner in value.items():
        if inner is None:
            continue
        if key in _SECTIONS:
            yield from _resources(inner, join(field, key))
        elif key in _AMOUNTS:
            yield from _amount(key, inner, join(field, key))
        else:
            yield Problem(join(field, str(key)), _SIZES)


def _amount(name: str, value: Any, field: str) -> Iterator[Problem]:
    text = str(value)
    amount, ceiling = parse_quantity(text), _CEILINGS.get(name)
    if amount is None or isinstance(value, bool):
        yield Problem(field, f"{format_value(value)} given, must be a Kubernetes quantity")
    elif ceiling and amount > (parse_quantity(ceiling) or 0):
        yield Problem(field, f"{format_value(value)} given, must be at most {ceiling}")
    elif name != "cpu" and amount and (problem := size_problem(text)):
        yield Problem(field, f"{format_value(value)} given, {problem}")
