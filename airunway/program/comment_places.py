"""Comments of a YAML file, moved to what they stand above, so that they stay with it when something else goes."""

from itertools import pairwise
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.tokens import CommentToken


def hold_comments(section: CommentedMap, parent: CommentedMap | None = None, name: str = "") -> None:
    """Give each entry the comment above it, which ruamel.yaml (0.19) keeps at the end of the entry before it.

    That of the first entry is kept for the section, which is ``name`` in its ``parent``.
    """
    keys = list(section)
    for key, following in pairwise(keys):
        _put_above(section, following, _taken_from_end(section, key))
    if keys and parent is not None and section.ca.comment and section.ca.comment[1]:
        tokens = section.ca.comment[1]
        section.ca.comment[1] = None
        if parent.ca.items.get(name):
            parent.ca.items[name][3] = None
        _slots(section, keys[0])[1] = tokens


def _taken_from_end(node: Any, key: Any) -> list[str]:
    """The lines below an entry, but for the comment beside its end, which stays."""
    value = node[key]
    if isinstance(value, CommentedMap | CommentedSeq) and len(value):
        return _taken_from_end(value, list(value)[-1] if isinstance(value, CommentedMap) else len(value) - 1)
    at = 2 if isinstance(node, CommentedMap) else 0
    slots = node.ca.items.get(key)
    if not slots or slots[at] is None:
        return []
    beside, _, below = slots[at].value.partition("\n")
    if not below:
        return []
    if beside.strip():
        slots[at].value = f"{beside}\n"
    else:
        slots[at] = None
    return str(below).splitlines()


def _put_above(section: CommentedMap, key: Any, lines: list[str]) -> None:
    if lines:
        marks = [CommentMark(len(line) - len(line.lstrip())) for line in lines]
        tokens = [CommentToken(f"{line.strip()}\n", mark) for line, mark in zip(lines, marks, strict=True)]
        _slots(section, key)[1] = tokens


def _slots(section: CommentedMap, key: Any) -> list[Any]:
    """Where ruamel.yaml keeps the comments of an entry; those above it are the second."""
    slots: list[Any] = section.ca.items.setdefault(key, [None, None, None, None])
    return slots
