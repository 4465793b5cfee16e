"""Edit YAML in one place and keep the rest as written, including comments, blank lines, order and quotes."""

import difflib
import io
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, SingleQuotedScalarString

from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import StackLoader, read_document, reads_as_text


class YamlText:
    """A YAML text, its lines and its parsed content; ``name`` is the file's name in messages.

    Raises ``InputError`` for YAML that Pulumi does not read.
    """

    def __init__(self, text: str, name: str) -> None:
        # A file with only Windows line endings is edited with plain ones, and converted back.
        self._windows = "\r\n" in text and "\n" not in text.replace("\r\n", "")
        text = text.replace("\r\n", "\n") if self._windows else text
        self.text, self.name = text, name
        # Read with our limits first: ruamel takes minutes to parse deeply nested brackets.
        read_document(text, name, StackLoader)
        self.lines = text.splitlines(keepends=True)
        if self.lines and not self.lines[-1].endswith("\n"):
            self.lines[-1] += "\n"
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = 10_000
        indent = _sequence_indent(text)
        self._yaml.indent(mapping=2, sequence=indent, offset=indent - 2)
        null = "null" if re.search(r":\s+null\s*$", text, re.MULTILINE) else ""
        self._yaml.representer.add_representer(
            type(None), lambda r, _: r.represent_scalar("tag:yaml.org,2002:null", null)
        )
        try:
            self.content: Any = self._yaml.load(text)
        except YAMLError as error:
            raise InputError([Problem(name, f"not YAML: {' '.join(str(error).split())}")]) from error
        except Exception as error:  # what we read and ruamel fails on in many ways: `-_` as a number is an IndexError
            reason = f"can't be edited here, as ruamel.yaml fails on it ({type(error).__name__}); edit the file itself"
            raise InputError([Problem(name, reason)]) from error

    def with_line_endings(self, text: str) -> str:
        """Convert ``text`` to the file's line endings."""
        return text.replace("\n", "\r\n") if self._windows else text

    def item(self, sequence: Any, index: int) -> "Block | None":
        """Return the lines of a list's element in block style, or None."""
        if index < 0 or sequence.fa.flow_style():
            return None
        line = sequence.lc.item(index)[0]
        text = self.lines[line]
        return Block(self, line, text.index("-")) if text.lstrip().startswith("- ") else None

    def dumped(self, value: Any, column: int) -> list[str]:
        """Dump ``value`` as lines indented by ``column``, without trailing comments."""
        stream = io.StringIO()
        self._yaml.dump(value, stream)
        lines = stream.getvalue().splitlines(keepends=True)
        while lines and (not lines[-1].strip() or (lines[-1].lstrip().startswith("#") and not _may_be_text(lines))):
            lines.pop()
        first = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
        return [" " * column + line[first:] if line.strip() else line for line in lines]


def _may_be_text(lines: list[str]) -> bool:
    """Whether the last line looks like a comment, but may be text as it is indented below the first."""
    return len(lines[-1]) - len(lines[-1].lstrip()) > len(lines[0]) - len(lines[0].lstrip())


@dataclass(frozen=True)
class Block:
    """The lines of an element or a setting, starting at ``start`` with a dash or a key in ``column``."""

    file: YamlText
    start: int
    column: int

    @property
    def end(self) -> int:
        """The line after the block; comments that are not indented belong to what follows."""
        line, end, lines = self.start + 1, self.start + 1, self.file.lines
        while line < len(lines) and (
            not lines[line].strip() or self._is_nested(lines[line]) or self._is_comment(lines[line])
        ):
            line += 1
            end = line if lines[line - 1].strip() and self._is_nested(lines[line - 1]) else end
        return end

    def _is_nested(self, line: str) -> bool:
        indent = len(line) - len(line.lstrip())
        is_key = not self.file.lines[self.start].lstrip().startswith("- ")
        return indent > self.column or (is_key and indent == self.column and line.lstrip().startswith("- "))

    @staticmethod
    def _is_comment(line: str) -> bool:
        return line.lstrip().startswith("#")

    def replaced(self, old: Any, new: Any) -> str:
        """Return the text with ``old`` replaced by ``new``; equal lines stay as written."""
        lines, end = self.file.lines, self.end
        base, changed = self.file.dumped(old, self.column), self.file.dumped(new, self.column)
        return "".join([*lines[: self.start], *_as_written(base, lines[self.start : end], changed), *lines[end:]])

    def followed_by(self, value: Any, deeper: int = 0) -> str:
        """Return the text with ``value`` inserted after the block, indented by ``deeper`` columns."""
        lines, end = self.file.lines, self.end
        return "".join([*lines[:end], *self.file.dumped(value, self.column + deeper), *lines[end:]])

    def removed(self, *, last: bool, leaving: str = "") -> str:
        """Return the text without the block, the comment right above it and, unless it is ``last``, blank lines below.

        A comment at the start of the file stays. ``leaving`` replaces the block.
        """
        lines, start, end = self.file.lines, self.start, self.end
        while start and self._is_comment(lines[start - 1]):
            start -= 1
        start = start or self.start
        while not last and end < len(lines) and not lines[end].strip():
            end += 1
        return "".join([*lines[:start], leaving, *lines[end:]])


def _as_written(base: list[str], written: list[str], changed: list[str]) -> list[str]:
    """Return ``changed`` with lines that are unchanged from ``base``, the library's dump, as they were ``written``."""
    original: list[list[str]] = [[] for _ in base]
    for kind, low, high, start, end in difflib.SequenceMatcher(None, base, written, autojunk=False).get_opcodes():
        if kind != "delete" and high - low == end - start:
            for index in range(high - low):
                original[low + index] = [written[start + index]]
        elif base:
            original[min(low, len(base) - 1)] += written[start:end]
    result: list[str] = []
    for kind, low, high, start, end in difflib.SequenceMatcher(None, base, changed, autojunk=False).get_opcodes():
        result += [line for lines in original[low:high] for line in lines] if kind == "equal" else changed[start:end]
    return result


def _sequence_indent(text: str) -> int:
    """Return the file's indentation of list items: 4 if dashes are indented below their key, else 2."""
    for before, line in itertools.pairwise(text.splitlines()):
        if line.lstrip().startswith("- ") and before.rstrip().endswith(":"):
            return 4 if len(line) - len(line.lstrip()) > len(before) - len(before.lstrip()) else 2
    return 4


def drop_trailing_comment(node: Any) -> None:
    """Drop the comment below ``node``, which ruamel attaches to its last value; the text keeps it."""
    location = None
    while isinstance(node, CommentedMap | CommentedSeq) and node and (location is None or not node.fa.flow_style()):
        key = next(reversed(node)) if isinstance(node, CommentedMap) else len(node) - 1
        location, node = (node, key), node[key]
    if location:
        container, key = location
        comments = container.ca.items.get(key) or [None, None, None]
        token = comments[2 if isinstance(container, CommentedMap) else 0]
        if token is not None:
            token.value = token.value.partition("\n")[0] + "\n"


def update(old: Any, new: Mapping[str, Any]) -> None:
    """Update ``old`` to equal ``new``, without touching equal parts."""
    for key in [k for k in old if k not in new]:
        del old[key]
    for key, value in new.items():
        if isinstance(value, Mapping) and isinstance(old.get(key), dict):
            update(old[key], value)
        elif key not in old or old[key] != value:
            old[key] = to_ruamel(value)


def to_ruamel(value: Any) -> Any:
    """Convert ``value`` for ruamel: block style, multi-line text as blocks, and quotes where needed."""
    if isinstance(value, Mapping):
        return CommentedMap({key: to_ruamel(inner) for key, inner in value.items()})
    if isinstance(value, list):
        return CommentedSeq([to_ruamel(inner) for inner in value])
    if not isinstance(value, str) or (value.isprintable() and reads_as_text(value)):
        return value
    if value.isprintable():
        return SingleQuotedScalarString(value)
    # ruamel writes invalid or different blocks for trailing blanks and unprintable characters.
    lines = value.removesuffix("\n").split("\n")
    block = lines[0][:1].strip() and lines[-1] and all(line.isprintable() and line == line.rstrip() for line in lines)
    return LiteralScalarString(value) if block else DoubleQuotedScalarString(value)
