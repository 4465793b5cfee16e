"""Writes readable YAML: keys in order, no anchors, block style for text with several lines."""

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from airunway.text.yaml_reading import DATE, FLOAT, INTEGER, NUMBER_STARTS

_BREAKS = re.compile("[\x85\u2028\u2029]")
_COMMANDS = re.compile(r"^\s*::|##\[", re.MULTILINE)
"""Text that a GitHub runner may interpret as a command."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
    # PyYAML 6.0.3 doesn't escape Unicode line breaks in unquoted text, and they are read back as spaces.
    style = '"' if _BREAKS.search(data) or _COMMANDS.search(data) else "|" if "\n" in data else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _represent_text)
# Text that PyYAML would leave unquoted, but that Pulumi or kubectl (y, n) would not read as text.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"[yYnN]\Z"), list("yYnN"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", INTEGER, NUMBER_STARTS)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, NUMBER_STARTS)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:timestamp", DATE, NUMBER_STARTS)


def to_yaml(value: Any) -> str:
    """One value as a YAML document."""
    text = _dumped(value, 10_000)
    if _COMMANDS.search(text):  # it begins a folded line, or is in double quotes
        text = _dumped(value, sys.maxsize).replace("##[", r"#\x23[")
    return text


def _dumped(value: Any, width: int) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=width, allow_unicode=True))


def order_keys(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A Kubernetes object with apiVersion, kind and metadata first."""
    first = {k: manifest[k] for k in ("apiVersion", "kind", "metadata") if k in manifest}
    return first | {k: v for k, v in manifest.items() if k not in first}


def to_documents(values: Iterable[Any]) -> str:
    """Values as a stream of YAML documents."""
    return "---\n".join(to_yaml(v) for v in values)
