"""Reads JSON that someone else wrote: no deeper than the program can follow."""

import json
from pathlib import Path
from typing import Any

from airunway.text.yaml_reading import load_data

MAX_LEVELS = int(load_data(Path(__file__).with_name("limits.yaml"))["jsonLevels"])
_TOO_DEEP = f"nested deeper than {MAX_LEVELS} levels"


def read_json(text: str) -> Any:
    """The data of a JSON text. Raises ``ValueError``, also for data that is nested too deeply."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    level = _containers([value])
    for _ in range(MAX_LEVELS):
        level = _containers(
            inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)
        )
    if level:
        raise ValueError(_TOO_DEEP)
    return value


def read_json_or_text(text: Any) -> Any:
    """The data of a setting as Pulumi hands it over: of its JSON, or the text itself where that is none."""
    if not isinstance(text, str):
        return text
    try:
        return read_json(text)
    except ValueError:
        return text


def _containers(values: Any) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]
