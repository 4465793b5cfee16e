"""``provider.overrides``: merged into the rendered object, and refused where its kind has no such field."""

import copy
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from airunway.provider.contract import Provider, api_versions
from airunway.spec.model import StrictModel
from airunway.text.merge import DIRECTIVE, element_name, merge_patch
from airunway.text.problems import InputError, Problem, join, suggest_name
from airunway.text.yaml_reading import load_data

PREFIX = "provider.overrides"
FILE = "fields.yaml"
"""File in a provider's folder with the ``Shape`` of each API version of its kind."""


class Shape(StrictModel):
    """The fields of a kind near its root, and what its lists take.

    ``fields`` are names by the path of their map, with ``[]`` for an element; the root's path is empty. ``required`` is
    the key that a new element of a list or map must have, by the path of that.
    """

    fields: dict[str, list[str]] = Field(description="Valid names, by the path of their map.")
    required: dict[str, str] = Field({}, description="The key that a new element must have, by the path of its list.")
    unordered: list[str] = Field([], description="Paths of the lists whose order means nothing.")


def shape_of(provider: Provider, api_version: str) -> Shape:
    """The shape of the provider's kind in an API version."""
    return _shapes(provider.FOLDER)[api_version]


@cache
def _shapes(folder: Path) -> dict[str, Shape]:
    return {version: Shape.model_validate(data) for version, data in load_data(folder / FILE).items()}


def override(
    provider: Provider, resource: dict[str, Any], overrides: Mapping[str, Any], renamed: Collection[str] = ()
) -> dict[str, Any]:
    """``resource`` with ``overrides`` merged into it; lists of named elements merge by name.

    ``renamed`` are names that the overrides have replaced already.

    Raises ``InputError`` for fields that the kind does not have, and for new elements that lack what they need.
    """
    version = resource["apiVersion"]
    problems = [
        *_unknown_fields(provider, version, overrides),
        *_incomplete(shape_of(provider, version), resource, overrides, renamed),
    ]
    if problems:
        raise InputError(problems)
    merged: dict[str, Any] = copy.deepcopy(merge_patch(resource, dict(overrides), lists_by_name=True))
    return merged


def _unknown_fields(
    provider: Provider, api_version: str, value: Any, pattern: str = "", field: str = PREFIX
) -> Iterator[Problem]:
    """Yield a problem for each key that its map does not have, as far down as the kind's shape is known."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield from _unknown_fields(provider, api_version, element, f"{pattern}[]", f"{field}[{index}]")
    if not isinstance(value, dict):
        return
    valid = shape_of(provider, api_version).fields.get(pattern)
    for key, inner in value.items():
        if valid is not None and key not in valid and key != DIRECTIVE:
            owner = f"{pattern} of a {provider.KIND}" if pattern else f"the root of a {provider.KIND}"
            versions = [
                other for other in api_versions(provider) if key in shape_of(provider, other).fields.get(pattern, [])
            ]
            hint = f" here, but of {' and '.join(versions)}" if versions else ""
            yield Problem(join(field, key), f"no field of {owner}{hint}; {suggest_name(key, valid)}")
        else:
            yield from _unknown_fields(provider, api_version, inner, join(pattern, key), join(field, key))


def _incomplete(shape: Shape, resource: Any, overrides: Any, renamed: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for each new element without the key that it needs: mostly a name that is spelt wrong."""
    for path, needed in shape.required.items():
        old, new = resource, overrides
        for key in path.split("."):
            old, new = (side.get(key) if isinstance(side, dict) else None for side in (old, new))
        before, after = _elements(old), _elements(new)
        for name, element in after.items():
            if name not in before and name not in renamed and isinstance(element, dict) and needed not in element:
                yield Problem(
                    f"{PREFIX}.{path}",
                    f"{name} is new there and must have {needed}; {suggest_name(name, list(before))}",
                )


def _elements(value: Any) -> dict[str, Any]:
    """The elements of a list or map by their names."""
    if isinstance(value, dict):
        return value
    elements = value if isinstance(value, list) else []
    names = ((element_name(element), element) for element in elements)
    return {name: element for name, element in names if isinstance(name, str)}
