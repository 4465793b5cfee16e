"""Reads YAML as Pulumi does: ``on`` and ``22:22`` are text, ``1e3`` is a number, ``1.0`` is 1, no duplicate keys.

PyYAML implements YAML 1.1, where these differ, so a preview would differ from what ``pulumi up`` creates. Numbers and
booleans follow gopkg.in/yaml.v3 3.0.1 (resolve.go); whole numbers follow Go's JSON, in which Pulumi passes them on.
"""

import contextlib
import itertools
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import yaml

from airunway.text.config_text import key_text
from airunway.text.problems import InputError, Problem

INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9_]+)\Z")
FLOAT = re.compile(r"(?=.*[0-9])[-+]?[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9_]+)?\Z")
DATE = re.compile(r"[0-9]{4}-(0?[1-9]|1[0-2])-(0?[1-9]|[12][0-9]|3[01])([Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}\S*)?\Z")
_MAX_DOCUMENTS = 2_000
NUMBER_STARTS = tuple("-+.0123456789")
_MAX_DEPTH, _MAX_OPEN, _MAX_VALUES, _MAX_PATH = 100, 1_000, 1_000_000, 80
_TAG = "tag:yaml.org,2002:"


class _RefusedError(yaml.constructor.ConstructorError):
    """Valid YAML that we refuse."""


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C loader is ten times faster
    """Loads plain data only; a date is text, as in kubectl, and so is a key: ``1: a`` has the key ``"1"``."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}
    key_types: ClassVar[tuple[type, ...]] = (str, int, float)
    """Types of a key that is made text; true is an int."""
    merged_pairs = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Make keys text, and refuse those that can't be and duplicates, before merging other maps."""
        if not hasattr(node, "checked"):
            node.checked = True  # type: ignore[attr-defined]  # merging visits the same node again
            node.value = [(self._text_key(key), value) for key, value in node.value]
            keys = set()
            for key, _ in node.value:
                if key.value in keys:
                    raise _RefusedError(None, None, f"{key.value!r} appears twice in this map", key.start_mark)
                keys.add(key.value)
        for key, value in node.value:
            if key.tag == f"{_TAG}merge":
                self._count_merged(key, value)
        super().flatten_mapping(node)

    def _count_merged(self, key: yaml.Node, merged: yaml.Node) -> None:
        """Refuse merges of merges that multiply, before there is a list of their pairs."""
        for node in [merged] if isinstance(merged, yaml.MappingNode) else merged.value:
            if isinstance(node, yaml.MappingNode):
                self.flatten_mapping(node)
                self.merged_pairs += len(node.value)
                if self.merged_pairs > _MAX_VALUES:
                    raise _RefusedError(None, None, _TOO_MANY, key.start_mark)

    def _text_key(self, node: yaml.Node) -> yaml.ScalarNode:
        """``node`` as a key of text. An alias may have it as a value elsewhere, so it stays as it is."""
        if isinstance(node, yaml.ScalarNode):
            if node.tag in (f"{_TAG}str", f"{_TAG}merge"):
                return node
            value = self.construct_object(node)
            if isinstance(value, self.key_types):
                return yaml.ScalarNode(f"{_TAG}str", key_text(value), node.start_mark, node.end_mark)
        raise _RefusedError(None, None, "a key must be text", node.start_mark)


class StackLoader(Loader):
    """Loads a stack file; refuses bare dates, which Pulumi would reformat (``2026-01-01 00:00:00 +0000 UTC``).

    To Pulumi's CLI (3.259) the key null is ``<nil>``.
    """

    key_types = (*Loader.key_types, type(None))


def _refused(reason: str) -> Callable[[Loader, yaml.ScalarNode], None]:
    def construct(_: Loader, node: yaml.ScalarNode) -> None:
        raise _RefusedError(None, None, f"{node.value} {reason}", node.start_mark)

    return construct


Loader.add_implicit_resolver(f"{_TAG}bool", re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))
Loader.add_implicit_resolver(f"{_TAG}null", re.compile(r"(~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
Loader.add_implicit_resolver(f"{_TAG}merge", re.compile(r"<<\Z"), ["<"])
Loader.add_implicit_resolver(f"{_TAG}int", INTEGER, NUMBER_STARTS)
Loader.add_implicit_resolver(f"{_TAG}float", FLOAT, NUMBER_STARTS)
Loader.add_implicit_resolver(f"{_TAG}no-number", re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z"), list("-+."))
for _name in ("int", "float"):
    Loader.add_constructor(f"{_TAG}{_name}", lambda loader, node: _number(loader.construct_scalar(node)))
Loader.add_constructor(f"{_TAG}timestamp", lambda loader, node: _date(loader, node))
Loader.add_constructor(f"{_TAG}no-number", _refused("is not a number in JSON; quote it if it is text"))
StackLoader.add_implicit_resolver(f"{_TAG}timestamp", DATE, list("0123456789"))
StackLoader.add_constructor(f"{_TAG}timestamp", _refused("is a date to Pulumi; quote it, or Pulumi reformats it"))


def read_documents(text: str, source: str, loader: type[Loader] = Loader) -> list[Any]:
    """All documents of ``text``; ``source`` names it in messages. Raises ``InputError`` unless they are plain data."""
    if is_too_deep(text):
        raise InputError([Problem(source, _TOO_DEEP)])
    try:
        documents = list(itertools.islice(yaml.load_all(text, Loader=loader), _MAX_DOCUMENTS + 1))
    except RecursionError as error:
        raise InputError([Problem(source, _TOO_DEEP)]) from error
    except (yaml.YAMLError, ValueError) as error:
        message = " ".join(str(error).split()).replace(' in "<unicode string>",', ",")
        raise InputError(
            [Problem(source, message if isinstance(error, _RefusedError) else f"not YAML: {message}")]
        ) from error
    if len(documents) > _MAX_DOCUMENTS:
        raise InputError([Problem(source, f"has more than {_MAX_DOCUMENTS:,} documents; split it")])
    count = itertools.count()
    for index, document in enumerate(documents):
        if problem := _data_problem(document, 0, count):
            location = f"{source}[{index}]" if len(documents) > 1 else source
            field = problem.field if len(problem.field) <= _MAX_PATH else f"{problem.field[:_MAX_PATH]}…"
            problem = Problem(field, problem.message)
            raise InputError([problem.under(location) if field.startswith("[") else Problem(location, str(problem))])
    return documents


def read_document(text: str, source: str, loader: type[Loader] = Loader) -> Any:
    """The only document of ``text``. Raises ``InputError``."""
    documents = read_documents(text, source, loader)
    if len(documents) > 1:
        raise InputError([Problem(source, f"must be one YAML document, not {len(documents)}")])
    return documents[0] if documents else None


@cache
def load_data(file: Path) -> dict[str, Any]:
    """The map in a data file of the package, cached and shared, so never modify it. Raises ``InputError``."""
    content = read_document(file.read_text(encoding="utf-8"), str(file))
    if not isinstance(content, dict):
        raise InputError([Problem(str(file), "must be a map")])
    return content


def plain_value(text: str) -> Any:
    """The value of ``text`` as a plain scalar: a number, a boolean, None, or the text itself."""
    loader = Loader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))
    return loader.construct_object(yaml.ScalarNode(tag, text)) if tag in _PLAIN else text


def reads_as_text(text: str) -> bool:
    """Whether an unquoted ``text`` is a string in a stack file."""
    return bool(StackLoader("").resolve(yaml.ScalarNode, text, (True, False)) == f"{_TAG}str")


_PLAIN = {f"{_TAG}{name}" for name in ("int", "float", "bool", "null")}
_TOO_MANY = f"its aliases make more than {_MAX_VALUES:,} values"
_TOO_DEEP = f"nested deeper than {_MAX_DEPTH} levels"


def is_too_deep(text: str) -> bool:
    """Whether libyaml's recursion could overflow the stack; brackets in strings and comments count too."""
    levels = itertools.accumulate(1 if match[0] in "[{" else -1 for match in re.finditer(r"[][{}]", text))
    return max(levels, default=0) > _MAX_OPEN or bool(re.search(rf"([-?:][ \t]+){{{_MAX_OPEN}}}", text))


def _data_problem(value: Any, depth: int, count: Iterator[int]) -> Problem | None:
    """The first problem with ``value`` as JSON data, including too many values from aliases."""
    if next(count) > _MAX_VALUES or depth > _MAX_DEPTH:
        return Problem("", _TOO_DEEP if depth > _MAX_DEPTH else _TOO_MANY)
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if not isinstance(inner, str) and (problem := _data_problem(inner, depth + 1, count)):
                return problem.under(f"[{key}]" if isinstance(value, list) else str(key))
    elif not isinstance(value, str | int | float | None):
        return Problem("", f"a {type(value).__name__} given, must be text, a number, a list or a map")
    return None


def _date(loader: Loader, node: yaml.Node) -> Any:
    # PyYAML 6.0.3 raises an AttributeError for an invalid value with a date tag.
    if isinstance(node, yaml.ScalarNode) and not loader.timestamp_regexp.match(node.value):
        raise _RefusedError(None, None, f"{node.value!r} is tagged as a date but is not one", node.start_mark)
    return loader.construct_yaml_timestamp(node)


def _number(text: str) -> int | float | str:
    # Go removes all underscores, but after a leading point it accepts them only between digits, as Python does.
    plain = text if text.startswith(".") else text.replace("_", "")
    with contextlib.suppress(ValueError):
        # In Go, a leading 0 means octal.
        whole = int(re.sub(r"\A([-+]?)0(?=[0-7]+\Z)", r"\g<1>0o", plain), 0)
        if -(2**63) <= whole < 2**63:
            return whole
    with contextlib.suppress(ValueError):
        number = float(plain)
        if math.isfinite(number):
            return int(Decimal(repr(number))) if number.is_integer() and abs(number) < 1e21 else number
    return text
