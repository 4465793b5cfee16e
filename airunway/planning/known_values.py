"""Objects as plain data, whatever a program put into them."""

from collections.abc import Mapping
from typing import Any

from airunway.text.placeholders import UNKNOWN


def with_known_values(value: Any) -> Any:
    """``value`` with a text for each Output in it; one is only where neither a decision nor a number depends on it."""
    if isinstance(value, Mapping):
        return {key: with_known_values(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_known_values(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float) else UNKNOWN
