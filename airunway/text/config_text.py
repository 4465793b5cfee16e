"""The configuration as Pulumi hands it to a Python program: JSON as Go writes it, in one environment variable.

Read from the CLI and its Python language host 3.259 (constructConfig) and seen with both: each value that is no text is
written by Go's encoding/json, and so is the map of all values.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from airunway.text.problems import InputError, Problem

LIMIT = 131_072
"""Bytes of one environment variable on Linux: its name, ``=``, its value and a zero byte (MAX_ARG_STRLEN with pages of
4 KiB).
"""

WARN_AT = 98_304
_DEPLOYMENTS = "airunway:deployments"
_WAYS_ROUND = {
    _DEPLOYMENTS: f"move entries from {_DEPLOYMENTS} to files that airunway:deploymentFiles names",
    "airunway:providers": "move what it says to documents in files that airunway:providerFiles names",
}
_VARIABLE = "PULUMI_CONFIG"
_ESCAPED = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def config_text(value: Any) -> str:
    """Plain data as the text that Pulumi makes of it: keys sorted, nothing between the parts, ``<``, ``>`` and ``&``
    escaped.
    """
    match value:
        case dict():
            named = sorted((_key(key), inner) for key, inner in value.items())
            return "{" + ",".join(f"{_quoted(key)}:{config_text(inner)}" for key, inner in named) + "}"
        case list() | tuple():
            return "[" + ",".join(map(config_text, value)) + "]"
        case float():
            return _float(value)
        case str():
            return _quoted(value)
        case _:
            return json.dumps(value)


def environment_size(config: Mapping[str, str]) -> int:
    """Bytes that a configuration's texts take in the environment, counted as ``LIMIT`` counts."""
    return len(f"{_VARIABLE}={config_text(dict(config))}".encode("utf-8", "replace")) + 1


def size_warnings(config: Mapping[str, str]) -> list[str]:
    """What to say of a configuration that comes near the limit."""
    size = environment_size(config)
    return [f"the configuration {_taken(size, config)}"] if size >= WARN_AT else []


def check_size(config: Mapping[str, str]) -> None:
    """Refuse a configuration with which the program can't be started. Raises ``InputError``."""
    size = environment_size(config)
    if size > LIMIT:
        raise InputError([Problem("config", _taken(size, config))])


def _taken(size: int, config: Mapping[str, str]) -> str:
    largest = max(config, key=lambda key: len(config[key]))
    return (
        f"takes {size:,} bytes, most of them for {largest}; with more than {LIMIT:,} Linux does not let Pulumi start"
        f" the program: {_WAYS_ROUND.get(largest, _WAYS_ROUND[_DEPLOYMENTS])}"
    )


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    return "<nil>" if key is None else config_text(key)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPED)


def _float(number: float) -> str:
    """As encoding/json writes a float64: without exponent from 1e-6 to 1e21, and no zero in front of an exponent's
    digit.
    """
    if number == 0 or 1e-6 <= abs(number) < 1e21:
        return f"{Decimal(repr(number)):f}".removesuffix(".0")
    return re.sub(r"e-0(\d)$", r"e-\1", repr(number))
