"""Changes of a stack file that leave everything else in it as it is: comments, order, quotes."""

import contextlib
import copy
import difflib
import hashlib
import io
import itertools
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, SingleQuotedScalarString

from providers.problems import InputError, Problem
from providers.yaml_reading import StackLoader, read_document, reads_as_text

_DEPLOYMENTS, _PROVIDERS = "airunway:deployments", "airunway:providers"
OFF = "off"
"""The state of a provider that may not be chosen, beside the two kinds of installation."""


class ConflictError(Exception):
    """The file has changed since it was read."""


def fingerprint(text: str) -> str:
    """What tells one state of the file from another."""
    return hashlib.sha256(text.encode()).hexdigest()


def with_deployment(text: str, entry: Mapping[str, Any], replacing: str | None = None) -> str:
    """``text`` with ``entry`` added to the deployments, or in the place of the one called ``replacing``.

    Of a replaced entry, what stays equal is not touched. Raises ``InputError``.
    """
    file = _File(text)
    deployments = file.config.get(_DEPLOYMENTS) or CommentedSeq()
    if replacing is not None:
        index = _index(deployments, replacing)
        _cut(deployments[index])
        changed = copy.deepcopy(deployments[index])
        _merge(changed, entry)
        block = file.item(deployments, index)
        new = (
            block.replaced([deployments[index]], [changed])
            if block
            else file.with_section(_DEPLOYMENTS, _replaced(deployments, index, changed))
        )
        return _verified(text, new, _DEPLOYMENTS, lambda found: [entry if i == index else e for i, e in enumerate(found)])
    block = file.item(deployments, len(deployments) - 1)
    new = block.followed_by([_plain(entry)]) if block else file.with_section(_DEPLOYMENTS, CommentedSeq([*deployments, _plain(entry)]))
    return _verified(text, new, _DEPLOYMENTS, lambda found: [*(found or []), entry])


def without_deployment(text: str, name: str) -> str:
    """``text`` without the deployment ``name`` and the comment right above it. Raises ``InputError``."""
    file = _File(text)
    deployments = file.config.get(_DEPLOYMENTS) or CommentedSeq()
    index = _index(deployments, name)
    block = file.item(deployments, index)
    if block and len(deployments) > 1:
        new = block.removed(last=index == len(deployments) - 1)
    else:
        rest = CommentedSeq([d for i, d in enumerate(deployments) if i != index])
        rest.fa.set_flow_style()
        new = file.with_section(_DEPLOYMENTS, rest)
    return _verified(text, new, _DEPLOYMENTS, lambda found: [e for i, e in enumerate(found) if i != index])


def with_provider(text: str, provider: str, state: str) -> str:
    """``text`` with ``provider`` ``managed``, ``existing`` or ``off``. Raises ``InputError``."""
    file = _File(text)
    _cut(file.config.get(_PROVIDERS))
    providers = copy.deepcopy(file.config.get(_PROVIDERS) or CommentedMap())
    settings = providers.setdefault(provider, CommentedMap())
    _merge(settings, _turned(settings, state))
    new = file.with_section(_PROVIDERS, providers)
    return _verified(text, new, _PROVIDERS, lambda found: (found or {}) | {provider: _turned((found or {}).get(provider) or {}, state)})


def _turned(settings: Mapping[str, Any], state: str) -> dict[str, Any]:
    return {k: v for k, v in settings.items() if k not in ("enabled", "installation")} | _STATES[state]


_STATES: dict[str, dict[str, Any]] = {
    OFF: {"enabled": False},
    "managed": {"installation": "managed"},
    "existing": {"installation": "existing"},
}


def _verified(old: str, new: str, key: str, change: Callable[[Any], Any]) -> str:
    """``new``, which has to be ``old`` but for ``change`` of the setting ``key``. Raises ``InputError`` where it is not."""
    wanted = read_document(old, "stack file", StackLoader) or {}
    wanted["config"] = config = wanted.get("config") or {}
    config[key] = change(config.get(key))
    if read_document(new, "stack file", StackLoader) != wanted:
        raise InputError([Problem(f"stack file: config.{key}", "can't be changed without changing something else; change it in an editor")])
    return new


def difference(old: str, new: str, name: str) -> str:
    """What changes from ``old`` to ``new``, as a unified diff."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"{name} (as it is)", f"{name} (to be saved)", lineterm="")
    return "\n".join(lines)


def save(path: Path, text: str, read: str) -> None:
    """Write ``text`` to ``path`` in one step. Raises ``ConflictError`` where the file is not what ``read`` is the fingerprint of."""
    if fingerprint(path.read_text(encoding="utf-8")) != read:
        raise ConflictError(f"{path.name} was changed by somebody else in the meantime")
    mode = path.stat().st_mode
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


class _File:
    """A stack file as read: its text in lines, and its content with the places of everything in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.lines = text.splitlines(keepends=True)
        if self.lines and not self.lines[-1].endswith("\n"):
            self.lines[-1] += "\n"
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = 10_000
        indent = _sequence_indent(text)
        self._yaml.indent(mapping=2, sequence=indent, offset=indent - 2)
        null = "null" if re.search(r":\s+null\s*$", text, re.MULTILINE) else ""
        self._yaml.representer.add_representer(type(None), lambda r, _: r.represent_scalar("tag:yaml.org,2002:null", null))
        try:
            self._content = self._yaml.load(text) or CommentedMap()
            self.config = self._content.get("config") or CommentedMap()
        except (YAMLError, AttributeError, ValueError, RecursionError) as error:
            raise InputError([Problem("stack file", f"not YAML: {' '.join(str(error).split())}")]) from error

    def item(self, sequence: Any, index: int) -> "_Block | None":
        """The lines of an element of a list in block style."""
        if index < 0 or sequence.fa.flow_style():
            return None
        line = sequence.lc.item(index)[0]
        text = self.lines[line]
        return _Block(self, line, text.index("-")) if text.lstrip().startswith("- ") else None

    def with_section(self, key: str, value: Any) -> str:
        """The text with ``value`` for the setting ``key``."""
        block_style = bool(self.config) and not self.config.fa.flow_style()
        if block_style and key in self.config:
            block = _Block(self, *self.config.lc.key(key))
            return block.replaced(CommentedMap({key: self.config[key]}), CommentedMap({key: value}))
        if block_style:
            return _Block(self, *self._content.lc.key("config")).followed_by(CommentedMap({key: value}), 2)
        self._content["config"] = CommentedMap({**self.config, key: value})
        return "".join(self.dumped(self._content, 0))

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
class _Block:
    """The lines of an element or a setting, which begin at ``start`` with a dash or a key in ``column``."""

    file: _File
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

    def removed(self, *, last: bool) -> str:
        """The text without this and the comment right above it; blank lines below go too, unless it is the ``last``."""
        lines, start, end = self.file.lines, self.start, self.end
        while start and self._comment(lines[start - 1]):
            start -= 1
        while not last and end < len(lines) and not lines[end].strip():
            end += 1
        return "".join(lines[:start] + lines[end:])


def _as_written(base: list[str], written: list[str], changed: list[str]) -> list[str]:
    """``changed``, with each line that ``base`` has too as it was ``written``; ``base`` is what the library makes of that."""
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


def _replaced(deployments: Any, index: int, changed: Any) -> CommentedSeq:
    return CommentedSeq([changed if i == index else d for i, d in enumerate(deployments)])


def _sequence_indent(text: str) -> int:
    """How far this file indents what follows a dash: 4 where the dash itself is indented below its key, else 2."""
    for before, line in itertools.pairwise(text.splitlines()):
        if line.lstrip().startswith("- ") and before.rstrip().endswith(":"):
            return 4 if len(line) - len(line.lstrip()) > len(before) - len(before.lstrip()) else 2
    return 4


def _cut(node: Any) -> None:
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


def _index(deployments: Any, name: str) -> int:
    found = [index for index, entry in enumerate(deployments) if entry.get("name") == name]
    if not found:
        raise InputError([Problem("name", f"no deployment {name!r} in the stack file; one from a manifest is edited there")])
    return found[0]


def _merge(old: Any, new: Mapping[str, Any]) -> None:
    """Make ``old`` say what ``new`` says, leaving alone what is the same."""
    for key in [k for k in old if k not in new]:
        del old[key]
    for key, value in new.items():
        if isinstance(value, Mapping) and isinstance(old.get(key), dict):
            _merge(old[key], value)
        elif key not in old or old[key] != value:
            old[key] = _plain(value)


def _plain(value: Any) -> Any:
    """``value`` as ruamel writes it in block style, with lines as a block, and in quotes what would not be read as this text."""
    if isinstance(value, Mapping):
        return CommentedMap({key: _plain(inner) for key, inner in value.items()})
    if isinstance(value, list):
        return CommentedSeq([_plain(inner) for inner in value])
    if not isinstance(value, str) or (value.isprintable() and reads_as_text(value)):
        return value
    if value.isprintable():
        return SingleQuotedScalarString(value)
    # Of blanks at the ends and of unprintable characters ruamel makes blocks that are read as something else, or not at all.
    lines = value.removesuffix("\n").split("\n")
    block = lines[0][:1].strip() and lines[-1] and all(line.isprintable() and line == line.rstrip() for line in lines)
    return LiteralScalarString(value) if block else DoubleQuotedScalarString(value)
