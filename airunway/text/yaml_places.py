"""Where a value of a YAML document stands: its line, and the name of the element that it is in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from airunway.text.yaml_reading import is_too_deep

Step = str | int | Callable[[str], bool]
"""A key, an index, or what says whether a key is meant."""


@dataclass(frozen=True)
class Place:
    """Where a value stands, counted from 1; ``name`` is that of the outermost element of a list that it is in."""

    line: int
    column: int
    name: str = ""


class PlacedDocument:
    """The nodes of one document; of a text that is not YAML there are none."""

    def __init__(self, text: str) -> None:
        self._root: yaml.Node | None = None
        try:
            if not is_too_deep(text):
                self._root = yaml.compose(text, Loader=yaml.CSafeLoader)
        except (yaml.YAMLError, ValueError, RecursionError):
            return

    def place(self, steps: Sequence[Step], needed: int) -> Place | None:
        """Return where the value at ``steps`` stands, or the deepest part of it that is there.

        None unless the first ``needed`` steps are there.
        """
        node, mark, name = self._root, None, ""
        for number, step in enumerate(steps):
            pair = _child(node, step)
            if pair is None:
                if number < needed:
                    return None
                break
            mark, node = pair[0].start_mark, pair[1]
            if isinstance(step, int) and not name:
                named = _child(node, "name")
                name = named[1].value if named and isinstance(named[1], yaml.ScalarNode) else ""
        return Place(mark.line + 1, mark.column + 1, name) if mark is not None else None


def _child(node: yaml.Node | None, step: Step) -> tuple[yaml.Node, yaml.Node] | None:
    """The key and the value, or twice the element, at ``step``."""
    if isinstance(step, int):
        elements = node.value if isinstance(node, yaml.SequenceNode) else []
        return (elements[step], elements[step]) if step < len(elements) else None
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    is_meant = step if callable(step) else step.__eq__
    return next((pair for pair in pairs if isinstance(pair[0], yaml.ScalarNode) and is_meant(pair[0].value)), None)
