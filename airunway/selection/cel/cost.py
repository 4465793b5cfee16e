"""Limits of expressions and of what their evaluation may cost, as cel-go and Kubernetes have them."""

import threading
from pathlib import Path
from typing import Any

import lark

from airunway.text.yaml_reading import load_data

_LIMITS = load_data(Path(__file__).with_name("limits.yaml"))
MAX_CHARACTERS, MAX_LEVELS, MAX_COST = (int(_LIMITS[name]) for name in ("characters", "levels", "cost"))
"""Of an expression: characters, and levels of its tree. Of an evaluation: visits and elements."""
TOO_DEEP = f"nested deeper than {MAX_LEVELS} levels"
_CHARACTERS_AT_ONCE = 10


class CostLimitError(Exception):
    """The evaluation costs more than the limit; no operator takes it for a value, as in cel-go."""

    def __init__(self) -> None:
        super().__init__("actual cost limit exceeded")


class _Budget(threading.local):
    left = MAX_COST


_budget = _Budget()


def begin_evaluation() -> None:
    """Let the evaluation that begins in this thread cost as much as any."""
    _budget.left = MAX_COST


def spend(cost: int = 1) -> None:
    """Count the cost of a step. Raises ``CostLimitError``."""
    _budget.left -= cost
    if _budget.left < 0:
        raise CostLimitError


def spend_on(*values: Any) -> None:
    """Count the cost of going through texts or lists. Raises ``CostLimitError``."""
    for value in values:
        if isinstance(value, str | bytes):
            spend(len(value) // _CHARACTERS_AT_ONCE)
        elif isinstance(value, list | dict):
            spend(len(value))


def is_too_deep(tree: lark.Tree[Any]) -> bool:
    """Whether a tree has more levels than an evaluation can follow."""
    level: list[Any] = [tree]
    for _ in range(MAX_LEVELS):
        level = [child for node in level for child in node.children if isinstance(child, lark.Tree)]
    return bool(level)
