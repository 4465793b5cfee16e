"""An engine's arguments read back into a spec: sections of an entry that come to the same arguments. The inverse of
``engine_args``.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airunway.provider.engine_args import keyword, words_of
from airunway.provider.engine_flags import Flag, Row, table
from airunway.provider.live_object import UnreadableError
from airunway.spec.checks import ARG_KEY
from airunway.spec.model import Engine
from airunway.text.merge import given
from airunway.text.problems import shown


@dataclass(frozen=True)
class _Piece:
    """A flag among words: where it begins, and where what follows it does."""

    flag: Flag
    start: int
    end: int


def read_words(engine: Engine, words: Sequence[str], gpus: int, *more: Flag) -> dict[str, Any]:
    """A command line of ``--flag`` and ``--flag value`` as the sections ``model`` and ``engine``; ``more`` is what a
    renderer adds.

    Whatever a spec comes to is read back to one that comes to the same words. Words that no spec comes to are read as
    far as they name the model. Raises ``UnreadableError`` where they don't.
    """
    if words and not words[0].startswith("--"):
        raise UnreadableError(f"args[0]: {shown(words[0])} is not a flag")
    pieces = list(_pieces(words))
    fields = _leading(engine, pieces, words, gpus, more)
    rest = pieces[len(fields) :]
    settings = {path: value for found in fields for path, value in found.items()}
    if "model.id" not in settings:
        return read_words(engine, _model_first(engine, pieces, words), gpus, *more)
    args = _arguments(rest, words)
    consumed = rest[len(args) - 1].end if args else pieces[len(fields) - 1].end
    return _sections(settings, args, words[consumed:])


def read_keywords(engine: Engine, arguments: Mapping[str, Any], gpus: int, *more: Flag) -> dict[str, Any]:
    """Keyword arguments of an engine as the section ``engine``, as ``read_words`` does; what no flag says is left
    out.
    """
    settings: dict[str, Any] = {}
    args: dict[str, str] = {}
    extra: list[str] = []
    spellings = Counter(Flag(name).key for name in arguments)
    own = [keyword(flag) for flag in more]
    for name, value in arguments.items():
        # A flag that is given twice, in two spellings, is the user's each time.
        fields = _field(table().rows(engine), name, value, gpus) if spellings[Flag(name).key] == 1 else None
        if fields is not None:
            settings |= fields
        elif {name: value} not in own or spellings[Flag(name).key] > 1:
            key, text = next(_spelled(name, value), ("", ""))
            if ARG_KEY.match(key):
                args[key] = text
            elif key:
                extra.append(f"--{key}={text}" if text else f"--{key}")
    return _sections(settings, args, extra)


def _pieces(words: Sequence[str]) -> Iterator[_Piece]:
    """The flags with their values, up to the first word that is neither, or that is put otherwise than we do."""
    index = 0
    while index < len(words) and words[index].startswith("--"):
        name, equals, bound = words[index][2:].partition("=")
        following = (
            words[index + 1]
            if index + 1 < len(words) and not equals and not words[index + 1].startswith("--")
            else None
        )
        flag = Flag(name, bound if equals else following)
        end = index + (1 if following is None else 2)
        if words_of(flag) != list(words[index:end]):
            return
        yield _Piece(flag, index, end)
        index = end


def _leading(
    engine: Engine, pieces: Sequence[_Piece], words: Sequence[str], gpus: int, more: Iterable[Flag]
) -> list[dict[str, Any]]:
    """What each of the first flags says, as far as they stand as they are rendered: in order, and once in whatever
    spelling.
    """
    rows: list[Row | Flag] = [*table().rows(engine), *more]
    last = {Flag(word[2:].partition("=")[0]).key: index for index, word in enumerate(words) if word.startswith("--")}
    found: list[dict[str, Any]] = []
    for piece in pieces:
        says = ((place, _says(row, piece.flag, gpus)) for place, row in enumerate(rows))
        place, fields = next(((place, fields) for place, fields in says if fields is not None), (0, None))
        if fields is None or last[piece.flag.key] != piece.start:
            break
        found.append(fields)
        rows = rows[place + 1 :]
    return found


def _says(row: Row | Flag, flag: Flag, gpus: int) -> dict[str, Any] | None:
    """The fields that ``flag`` sets by ``row``, or none of them for what is derived; None where it is not the row's."""
    if isinstance(row, Row):
        return row.read(flag, gpus)
    return {} if flag == Flag(row.name, None if row.value is None else str(row.value)) else None


def _model_first(engine: Engine, pieces: Sequence[_Piece], words: Sequence[str]) -> list[str]:
    """The words with the model where it is rendered. Raises ``UnreadableError`` where they don't name it, or twice."""
    row = next(row for row in table().rows(engine) if row.field == "model.id")
    named = [piece for piece in pieces if piece.flag.name == row.flag and piece.flag.value]
    if not named or named[0].start == 0:
        raise UnreadableError("args: name the model twice" if named else "args: name no model")
    start, end = named[0].start, named[0].end
    return [*words[start:end], *words[:start], *words[end:]]


def _arguments(pieces: Iterable[_Piece], words: Sequence[str]) -> dict[str, str]:
    """The first flags that can be ``engine.args``: sorted, and not given again."""
    last = {word.lstrip("-").partition("=")[0]: index for index, word in enumerate(words) if word.startswith("--")}
    args: dict[str, str] = {}
    before = ""
    for piece in pieces:
        name, value = piece.flag.name, piece.flag.value
        if not ARG_KEY.match(name) or name <= before or value == "" or last[name] != piece.start:
            break
        before, args[name] = name, value or ""
    return args


def _field(rows: Iterable[Row], name: str, value: Any, gpus: int) -> dict[str, Any] | None:
    fields = (row.read_keyword(name, value, gpus) for row in rows)
    return next((found for found in fields if found is not None), None)


def _spelled(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Flags with their texts that come to the keyword argument, those first that ``engine.args`` may have."""
    texts = (
        {True: ["", "true"], False: ["false"], None: ["null"]}.get(value) if isinstance(value, bool | None) else None
    )
    for key in sorted((name.replace("_", "-"), name), key=lambda key: not ARG_KEY.match(key)):
        for text in texts or [value if isinstance(value, str) else json.dumps(value)]:
            if "=" not in key and _same(keyword(Flag(key, text or None)), {name: value}):
                yield key, text


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _sections(settings: Mapping[str, Any], args: Mapping[str, str], extra: Sequence[str]) -> dict[str, Any]:
    sections: dict[str, Any] = {"engine": {}}
    for path, value in settings.items():
        section, _, name = path.partition(".")
        sections.setdefault(section, {})[name] = value
    sections["engine"] |= given(args=dict(args), extraArgs=list(extra))
    return sections
