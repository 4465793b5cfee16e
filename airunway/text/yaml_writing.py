"""YAML as people write it: keys in their order, no anchors, block text for what has lines."""

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from airunway.text.yaml_reading import DATE, FLOAT, INTEGER, NUMBER_STARTS

_BREAKS = re.compile("[\x85\u2028\u2029]")
_COMMANDS = re.compile(r"^\s*::|##\[", re.MULTILINE)
"""What a GitHub runner may take for a command in what is printed."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
    # Unquoted, PyYAML 6.0.3 writes the line breaks of Unicode as such, which are then read as blanks.
    style = '"' if _BREAKS.search(data) or _COMMANDS.search(data) else "|" if "\n" in data else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _text)
# Text that PyYAML would leave bare, but that Pulumi, kubectl (y, n) or both take for something else.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"[yYnN]\Z"), list("yYnN"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", INTEGER, NUMBER_STARTS)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, NUMBER_STARTS)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:timestamp", DATE, NUMBER_STARTS)


def to_yaml(value: Any) -> str:
    """One value as a YAML document."""
    text = _dumped(value, 10_000)
    if _COMMANDS.search(text):  # a line that was folded begins with it, or it stands between double quotes
        text = _dumped(value, sys.maxsize).replace("##[", r"#\x23[")
    return text


def _dumped(value: Any, width: int) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=width, allow_unicode=True))


def in_order(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A Kubernetes object with the keys first that people look for first."""
    first = {k: manifest[k] for k in ("apiVersion", "kind", "metadata") if k in manifest}
    return first | {k: v for k, v in manifest.items() if k not in first}


def to_documents(values: Iterable[Any]) -> str:
    """Values as YAML documents in one text."""
    return "---\n".join(to_yaml(v) for v in values)
