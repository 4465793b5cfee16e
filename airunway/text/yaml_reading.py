"""YAML as Pulumi reads it: ``on`` and ``22:22`` are text, ``1e3`` is a number, ``1.0`` is 1, a key stands once.

PyYAML reads YAML 1.1, in which those are other things, and what is previewed would not be what ``pulumi up`` makes.
Numbers and truth values are those of gopkg.in/yaml.v3 3.0.1 (resolve.go), whole numbers those of Go's JSON, as which
Pulumi passes them on.
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

from airunway.text.problems import InputError, Problem

INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9_]+)\Z")
FLOAT = re.compile(r"(?=.*[0-9])[-+]?[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9_]+)?\Z")
DATE = re.compile(r"[0-9]{4}-(0?[1-9]|1[0-2])-(0?[1-9]|[12][0-9]|3[01])([Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}\S*)?\Z")
NUMBER_STARTS = tuple("-+.0123456789")
_MAX_DEPTH, _MAX_OPEN, _MAX_VALUES, _MAX_PATH = 100, 1_000, 1_000_000, 80
_TAG = "tag:yaml.org,2002:"


class _RefusedError(yaml.constructor.ConstructorError):
    """It is YAML, but means nothing here."""


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one is ten times quicker
    """Plain data only; a date is text, as it is to kubectl."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse keys that JSON has not before other maps are merged in."""
        if not hasattr(node, "checked"):
            node.checked = True  # type: ignore[attr-defined]  # merging comes back to the same node
            seen = set()
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise _RefusedError(None, None, "a key has to be text", key.start_mark)
                if key.value in seen:
                    raise _RefusedError(None, None, f"{key.value!r} stands twice in this map", key.start_mark)
                seen.add(key.value)
        super().flatten_mapping(node)


class StackLoader(Loader):
    """A stack file's: a bare date is refused, which Pulumi passes on in words of its own (``2026-01-01 00:00:00 +0000
    UTC``).
    """


def _refused(why: str) -> Callable[[Loader, yaml.ScalarNode], None]:
    def construct(_: Loader, node: yaml.ScalarNode) -> None:
        raise _RefusedError(None, None, f"{node.value} {why}", node.start_mark)

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
Loader.add_constructor(f"{_TAG}no-number", _refused("is no number in JSON; quote it if it is text"))
StackLoader.add_implicit_resolver(f"{_TAG}timestamp", DATE, list("0123456789"))
StackLoader.add_constructor(
    f"{_TAG}timestamp", _refused("is a date to Pulumi; quote it, or it is passed on in other words")
)


def read_documents(text: str, source: str, loader: type[Loader] = Loader) -> list[Any]:
    """Every document of ``text``, which ``source`` names in messages. Raises ``InputError`` for what is not YAML or not
    plain data.
    """
    if _overflows(text):
        raise InputError([Problem(source, _TOO_DEEP)])
    try:
        documents = list(yaml.load_all(text, Loader=loader))
    except RecursionError as error:
        raise InputError([Problem(source, _TOO_DEEP)]) from error
    except (yaml.YAMLError, ValueError) as error:
        said = " ".join(str(error).split()).replace(' in "<unicode string>",', ",")
        raise InputError(
            [Problem(source, said if isinstance(error, _RefusedError) else f"not YAML: {said}")]
        ) from error
    count = itertools.count()
    for index, document in enumerate(documents):
        if problem := _not_data(document, 0, count):
            place = f"{source}[{index}]" if len(documents) > 1 else source
            path = problem.field if len(problem.field) <= _MAX_PATH else f"{problem.field[:_MAX_PATH]}…"
            problem = Problem(path, problem.message)
            raise InputError([problem.under(place) if path.startswith("[") else Problem(place, str(problem))])
    return documents


def read_document(text: str, source: str, loader: type[Loader] = Loader) -> Any:
    """The one document of ``text``. Raises ``InputError``."""
    documents = read_documents(text, source, loader)
    if len(documents) > 1:
        raise InputError([Problem(source, f"must be one YAML document, not {len(documents)}")])
    return documents[0] if documents else None


@cache
def load_data(file: Path) -> dict[str, Any]:
    """The content of a data file beside the code, a map. It is read once and shared, so nobody may change it. Raises
    ``InputError``.
    """
    content = read_document(file.read_text(encoding="utf-8"), str(file))
    if not isinstance(content, dict):
        raise InputError([Problem(str(file), "must be a map")])
    return content


def plain_value(text: str) -> Any:
    """What ``text`` is where it stands alone and bare: a number, a truth value, nothing, or itself."""
    loader = Loader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))
    return loader.construct_object(yaml.ScalarNode(tag, text)) if tag in _PLAIN else text


def reads_as_text(text: str) -> bool:
    """Whether ``text`` is text where it stands bare in a stack file."""
    return bool(StackLoader("").resolve(yaml.ScalarNode, text, (True, False)) == f"{_TAG}str")


_PLAIN = {f"{_TAG}{name}" for name in ("int", "float", "bool", "null")}
_TOO_DEEP = f"nested deeper than {_MAX_DEPTH} levels"


def _overflows(text: str) -> bool:
    """Whether libyaml, which calls itself for each level, would run out of stack; brackets in texts and comments count
    too.
    """
    levels = itertools.accumulate(1 if found[0] in "[{" else -1 for found in re.finditer(r"[][{}]", text))
    return max(levels, default=0) > _MAX_OPEN or bool(re.search(rf"([-?:][ \t]+){{{_MAX_OPEN}}}", text))


def _not_data(value: Any, depth: int, count: Iterator[int]) -> Problem | None:
    """What JSON could not say of ``value``, or that it grows without end by its aliases."""
    if next(count) > _MAX_VALUES or depth > _MAX_DEPTH:
        return Problem("", _TOO_DEEP if depth > _MAX_DEPTH else f"its aliases make more than {_MAX_VALUES:,} values")
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if not isinstance(inner, str) and (problem := _not_data(inner, depth + 1, count)):
                return problem.under(f"[{key}]" if isinstance(value, list) else str(key))
    elif not isinstance(value, str | int | float | None):
        return Problem("", f"a {type(value).__name__} given, must be text, a number, a list or a map")
    return None


def _date(loader: Loader, node: yaml.Node) -> Any:
    # PyYAML 6.0.3 fails with an AttributeError for what is tagged as a date and is none.
    if isinstance(node, yaml.ScalarNode) and not loader.timestamp_regexp.match(node.value):
        raise _RefusedError(None, None, f"{node.value!r} is tagged as a date and is none", node.start_mark)
    return loader.construct_yaml_timestamp(node)


def _number(text: str) -> int | float | str:
    # Go drops every underscore, but after a point that comes first takes them between digits only, as Python does.
    plain = text if text.startswith(".") else text.replace("_", "")
    with contextlib.suppress(ValueError):
        # A leading 0 alone means octal to Go.
        whole = int(re.sub(r"\A([-+]?)0(?=[0-7]+\Z)", r"\g<1>0o", plain), 0)
        if -(2**63) <= whole < 2**63:
            return whole
    with contextlib.suppress(ValueError):
        number = float(plain)
        if math.isfinite(number):
            return int(Decimal(repr(number))) if number.is_integer() and abs(number) < 1e21 else number
    return text
