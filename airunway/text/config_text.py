"""The configuration as Pulumi passes it to a Python program: JSON from Go's encoder, in one environment variable.

Taken from the CLI and its Python language host 3.259 (constructConfig) and checked with both: Go's encoding/json writes
each value that is not a string, and the map of all values.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from airunway.text.problems import InputError, Problem

LIMIT = 131_072
"""Maximum bytes of an environment variable on Linux: name, ``=``, value and NUL (MAX_ARG_STRLEN, 4 KiB pages)."""

WARN_AT = 98_304
_DEPLOYMENTS = "airunway:deployments"
_REMEDIES = {
    _DEPLOYMENTS: f"move entries from {_DEPLOYMENTS} to files that airunway:deploymentFiles names",
    "airunway:providers": "move its content to documents in files that airunway:providerFiles names",
}
_VARIABLE = "PULUMI_CONFIG"
_ESCAPED = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def config_text(value: Any) -> str:
    """Plain data as Pulumi's JSON: sorted keys, no whitespace, ``<``, ``>`` and ``&`` escaped."""
    match value:
        case dict():
            entries = sorted((key_text(key), inner) for key, inner in value.items())
            return "{" + ",".join(f"{_quoted(key)}:{config_text(inner)}" for key, inner in entries) + "}"
        case list() | tuple():
            return "[" + ",".join(map(config_text, value)) + "]"
        case float():
            return _float(value)
        case str():
            return _quoted(value)
        case _:
            return json.dumps(value)


def environment_size(config: Mapping[str, str]) -> int:
    """Bytes of a configuration's environment variable, counted as for ``LIMIT``."""
    return len(f"{_VARIABLE}={config_text(dict(config))}".encode("utf-8", "replace")) + 1


def size_warnings(config: Mapping[str, str]) -> list[str]:
    """A warning if the configuration comes close to the limit."""
    size = environment_size(config)
    return [f"the configuration {_size_message(size, config)}"] if size >= WARN_AT else []


def check_size(config: Mapping[str, str]) -> None:
    """Raise ``InputError`` if the configuration is too large for Pulumi to start the program."""
    size = environment_size(config)
    if size > LIMIT:
        raise InputError([Problem("config", _size_message(size, config))])


def _size_message(size: int, config: Mapping[str, str]) -> str:
    largest = max(config, key=lambda key: len(config[key]))
    return (
        f"takes {size:,} bytes, most of them for {largest}; with more than {LIMIT:,} Linux does not let Pulumi start"
        f" the program: {_REMEDIES.get(largest, _REMEDIES[_DEPLOYMENTS])}"
    )


def key_text(key: Any) -> str:
    """The text that a key of a map becomes, which need not be text in YAML."""
    if isinstance(key, str):
        return key
    return "<nil>" if key is None else config_text(key)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPED)


def _float(number: float) -> str:
    """A float64 as encoding/json writes it: no exponent from 1e-6 to 1e21, and none with a leading zero."""
    if number == 0 or 1e-6 <= abs(number) < 1e21:
        return f"{Decimal(repr(number)):f}".removesuffix(".0")
    return re.sub(r"e-0(\d)$", r"e-\1", repr(number))
