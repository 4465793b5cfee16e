"""Other names for what a renderer names itself: an override deletes an element and adds one of its kind."""

from collections.abc import Callable, Mapping
from typing import Any


def renamed(
    changes: Mapping[str, Any], own: Mapping[str, str], kind_of: Callable[[Mapping[str, Any]], str | None]
) -> dict[str, str]:
    """The new names of a renderer's elements, by their ``own`` names.

    ``changes`` are the overrides by name, None for an element that goes; the values of ``own`` are the elements' kinds.
    A new element takes the place of one that goes and is of its kind, else of the first that is left. ``kind_of`` is
    None for elements that can't take such a place.
    """
    added = {
        name: kind
        for name, element in changes.items()
        if name not in own and isinstance(element, Mapping) and (kind := kind_of(element)) is not None
    }
    names: dict[str, str] = {}
    for old, old_kind in own.items():
        if added and old in changes and changes[old] is None:
            names[old] = next((name for name, kind in added.items() if kind == old_kind), next(iter(added)))
            del added[names[old]]
    return names
