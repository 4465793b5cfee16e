"""YAML text that is changed in one place and stays as it was written elsewhere: comments, blank lines, order,
quotes.
"""

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
    """A text in lines, and its content with the places of everything in it; ``name`` is its file's, for messages.

    Raises ``InputError`` for what Pulumi would not read.
    """

    def __init__(self, text: str, name: str) -> None:
        # A file whose lines all end as Windows ends them is worked on with plain ends, and gets its own back.
        self._windows = "\r\n" in text and "\n" not in text.replace("\r\n", "")
        text = text.replace("\r\n", "\n") if self._windows else text
        self.text, self.name = text, name
        # First, as it is bounded: ruamel takes minutes over brackets that nest deep enough.
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
        except (YAMLError, AttributeError, ValueError, RecursionError) as error:
            raise InputError([Problem(name, f"not YAML: {' '.join(str(error).split())}")]) from error

    def as_ended(self, text: str) -> str:
        """``text`` with the line ends of the file."""
        return text.replace("\n", "\r\n") if self._windows else text

    def item(self, sequence: Any, index: int) -> "Block | None":
        """The lines of an element of a list in block style."""
        if index < 0 or sequence.fa.flow_style():
            return None
        line = sequence.lc.item(index)[0]
        text = self.lines[line]
        return Block(self, line, text.index("-")) if text.lstrip().startswith("- ") else None

    def dumped(self, value: Any, column: int) -> list[str]:
        """Lines of ``value`` from ``column`` on, without comments that follow it."""
        out = io.StringIO()
        self._yaml.dump(value, out)
        lines = out.getvalue().splitlines(keepends=True)
        while lines and (not lines[-1].strip() or (lines[-1].lstrip().startswith("#") and not _inside(lines))):
            lines.pop()
        first = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
        return [" " * column + line[first:] if line.strip() else line for line in lines]


def _inside(lines: list[str]) -> bool:
    """Whether the last line, which looks like a comment, is indented below the first and so may be text."""
    return len(lines[-1]) - len(lines[-1].lstrip()) > len(lines[0]) - len(lines[0].lstrip())


@dataclass(frozen=True)
class Block:
    """The lines of an element or a setting, which begin at ``start`` with a dash or a key in ``column``."""

    file: YamlText
    start: int
    column: int

    @property
    def end(self) -> int:
        """The line after its last one; comments that are not indented below its beginning are what follows."""
        line, end, lines = self.start + 1, self.start + 1, self.file.lines
        while line < len(lines) and (not lines[line].strip() or self._below(lines[line]) or self._comment(lines[line])):
            line += 1
            end = line if lines[line - 1].strip() and self._below(lines[line - 1]) else end
        return end

    def _below(self, line: str) -> bool:
        indent = len(line) - len(line.lstrip())
        is_key = not self.file.lines[self.start].lstrip().startswith("- ")
        return indent > self.column or (is_key and indent == self.column and line.lstrip().startswith("- "))

    @staticmethod
    def _comment(line: str) -> bool:
        return line.lstrip().startswith("#")

    def replaced(self, old: Any, new: Any) -> str:
        """The text with ``new`` here, which was ``old``; a line that says the same stays as it was written."""
        lines, end = self.file.lines, self.end
        base, changed = self.file.dumped(old, self.column), self.file.dumped(new, self.column)
        return "".join([*lines[: self.start], *_as_written(base, lines[self.start : end], changed), *lines[end:]])

    def followed_by(self, value: Any, deeper: int = 0) -> str:
        """The text with ``value`` below this, ``deeper`` by so many columns."""
        lines, end = self.file.lines, self.end
        return "".join([*lines[:end], *self.file.dumped(value, self.column + deeper), *lines[end:]])

    def removed(self, *, last: bool, leaving: str = "") -> str:
        """The text without this and the comment right above it; blank lines below go too, unless it is the ``last``.

        A comment that begins the file is about the file and stays. ``leaving`` is put in the place of what goes.
        """
        lines, start, end = self.file.lines, self.start, self.end
        while start and self._comment(lines[start - 1]):
            start -= 1
        start = start or self.start
        while not last and end < len(lines) and not lines[end].strip():
            end += 1
        return "".join([*lines[:start], leaving, *lines[end:]])


def _as_written(base: list[str], written: list[str], changed: list[str]) -> list[str]:
    """``changed``, with each line that ``base`` has too as it was ``written``; ``base`` is what the library makes of
    that.
    """
    original: list[list[str]] = [[] for _ in base]
    for kind, one, past, other, end in difflib.SequenceMatcher(None, base, written, autojunk=False).get_opcodes():
        if kind != "delete" and past - one == end - other:
            for index in range(past - one):
                original[one + index] = [written[other + index]]
        elif base:
            original[min(one, len(base) - 1)] += written[other:end]
    result: list[str] = []
    for kind, one, past, other, end in difflib.SequenceMatcher(None, base, changed, autojunk=False).get_opcodes():
        result += [line for lines in original[one:past] for line in lines] if kind == "equal" else changed[other:end]
    return result


def _sequence_indent(text: str) -> int:
    """How far this file indents what follows a dash: 4 where the dash itself is indented below its key, else 2."""
    for before, line in itertools.pairwise(text.splitlines()):
        if line.lstrip().startswith("- ") and before.rstrip().endswith(":"):
            return 4 if len(line) - len(line.lstrip()) > len(before) - len(before.lstrip()) else 2
    return 4


def cut(node: Any) -> None:
    """Take away the comment below ``node``, which ruamel ties to the last value inside it; the text still has it."""
    place = None
    while isinstance(node, CommentedMap | CommentedSeq) and node and (place is None or not node.fa.flow_style()):
        key = next(reversed(node)) if isinstance(node, CommentedMap) else len(node) - 1
        place, node = (node, key), node[key]
    if place:
        container, key = place
        found = container.ca.items.get(key) or [None, None, None]
        token = found[2 if isinstance(container, CommentedMap) else 0]
        if token is not None:
            token.value = token.value.partition("\n")[0] + "\n"


def merge(old: Any, new: Mapping[str, Any]) -> None:
    """Make ``old`` say what ``new`` says, leaving alone what is the same."""
    for key in [k for k in old if k not in new]:
        del old[key]
    for key, value in new.items():
        if isinstance(value, Mapping) and isinstance(old.get(key), dict):
            merge(old[key], value)
        elif key not in old or old[key] != value:
            old[key] = plain(value)


def plain(value: Any) -> Any:
    """``value`` as ruamel writes it in block style, with lines as a block, and in quotes what would not be read as this
    text.
    """
    if isinstance(value, Mapping):
        return CommentedMap({key: plain(inner) for key, inner in value.items()})
    if isinstance(value, list):
        return CommentedSeq([plain(inner) for inner in value])
    if not isinstance(value, str) or (value.isprintable() and reads_as_text(value)):
        return value
    if value.isprintable():
        return SingleQuotedScalarString(value)
    # Of blanks at the ends and of unprintable characters ruamel makes blocks that are read as something else, or not at
    # all.
    lines = value.removesuffix("\n").split("\n")
    block = lines[0][:1].strip() and lines[-1] and all(line.isprintable() and line == line.rstrip() for line in lines)
    return LiteralScalarString(value) if block else DoubleQuotedScalarString(value)
