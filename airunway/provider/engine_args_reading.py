"""Reads an engine's arguments back into a spec whose rendering gives the same arguments; inverse of ``engine_args``."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airunway.provider.engine_args import flag_arguments, keyword_argument
from airunway.provider.engine_flags import Flag, FlagRow, flag_table
from airunway.provider.live_object import UnreadableError
from airunway.provider.parallelism import divide
from airunway.provider.user_flags import argument_flags, is_flag
from airunway.spec.checks import ARG_KEY
from airunway.spec.model import Engine
from airunway.text.merge import json_equal, non_empty
from airunway.text.problems import format_value


@dataclass(frozen=True)
class _Piece:
    """A flag in a command line, with the index of its first argument and of the one after its last."""

    flag: Flag
    start: int
    end: int


def read_arguments(engine: Engine, arguments: Sequence[str], gpus: int, *added_flags: Flag) -> dict[str, Any]:
    """The sections ``model`` and ``engine`` for a command line of ``--flag`` and ``--flag value``.

    ``gpus`` are those of one worker on all its nodes. ``added_flags`` are those that the renderer adds. Arguments
    rendered from a spec are read back to a spec that renders to the same arguments; others are read as well as
    possible. Raises ``UnreadableError`` if they name no model.
    """
    if arguments and not arguments[0].startswith("--"):
        raise UnreadableError(f"args[0]: {format_value(arguments[0])} is not a flag")
    pieces = list(_pieces(arguments))
    tensor = divide(engine, gpus, [argument.flag for argument in argument_flags(engine, arguments)]).tensor
    fields = _leading(engine, pieces, arguments, tensor, added_flags)
    rest = pieces[len(fields) :]
    settings = {field: value for section in fields for field, value in section.items()}
    if "model.id" not in settings:
        return read_arguments(engine, _model_first(engine, pieces, arguments), gpus, *added_flags)
    args = _arguments(engine, rest, arguments)
    consumed = rest[len(args) - 1].end if args else pieces[len(fields) - 1].end
    return _sections(settings, args, arguments[consumed:])


def read_keyword_arguments(
    engine: Engine, arguments: Mapping[str, Any], gpus: int, *added_flags: Flag, texts: Collection[str] = ()
) -> dict[str, Any]:
    """The section ``engine`` for an engine's keyword arguments, without those that no flag can express.

    ``texts`` are the flags whose value is text, whatever it looks like.
    """
    table = flag_table()
    settings: dict[str, Any] = {}
    args: dict[str, str] = {}
    extra: list[str] = []
    spellings = Counter(table.key(engine, name) for name in arguments)
    tensor = divide(engine, gpus, [Flag(name, value) for name, value in arguments.items()]).tensor
    added_keywords = [keyword_argument(flag, texts) for flag in added_flags]
    for name, value in arguments.items():
        # A flag in two spellings can't come from a spec field.
        repeated = spellings[table.key(engine, name)] > 1
        fields = None if repeated else _field(table.rows(engine), name, value, tensor)
        if fields is not None:
            settings |= fields
        elif {name: value} not in added_keywords or repeated:
            key, text = next(_flag_spellings(name, value, texts), ("", ""))
            if _is_plain(key):
                args[key] = text
            elif key:
                extra.append(f"--{key}={text}" if text else f"--{key}")
    return _sections(settings, args, extra)


def _pieces(arguments: Sequence[str]) -> Iterator[_Piece]:
    """The flags with their values, up to the first argument that we would not have rendered in this form."""
    index = 0
    while index < len(arguments) and arguments[index].startswith("--"):
        name, equals, bound = arguments[index][2:].partition("=")
        following = (
            arguments[index + 1]
            if index + 1 < len(arguments) and not equals and not arguments[index + 1].startswith("--")
            else None
        )
        flag = Flag(name, bound if equals else following)
        end = index + (1 if following is None else 2)
        more_values = end < len(arguments) and not is_flag(arguments[end])
        if more_values or flag_arguments(flag) != list(arguments[index:end]):
            return
        yield _Piece(flag, index, end)
        index = end


def _leading(
    engine: Engine, pieces: Sequence[_Piece], arguments: Sequence[str], tensor: int, added_flags: Iterable[Flag]
) -> list[dict[str, Any]]:
    """The spec fields for each leading flag, as long as flags are in rendering order and are not repeated."""
    rows: list[FlagRow | Flag] = [*flag_table().rows(engine), *added_flags]
    last = {
        flag_table().key(engine, argument[2:].partition("=")[0]): index
        for index, argument in enumerate(arguments)
        if argument.startswith("--")
    }
    leading: list[dict[str, Any]] = []
    for piece in pieces:
        candidates = ((index, _fields_of_flag(row, piece.flag, tensor)) for index, row in enumerate(rows))
        index, fields = next(((index, fields) for index, fields in candidates if fields is not None), (0, None))
        if fields is None or last[flag_table().key(engine, piece.flag.name)] != piece.start:
            break
        leading.append(fields)
        rows = rows[index + 1 :]
    return leading


def _fields_of_flag(row: FlagRow | Flag, flag: Flag, tensor: int) -> dict[str, Any] | None:
    """The fields that ``flag`` sets according to ``row``, empty for a derived flag; None if the row is for another."""
    if isinstance(row, FlagRow):
        return row.read_flag(flag, tensor)
    return {} if flag == Flag(row.name, None if row.value is None else str(row.value)) else None


def _model_first(engine: Engine, pieces: Sequence[_Piece], arguments: Sequence[str]) -> list[str]:
    """The arguments with the model first. Raises ``UnreadableError`` if they name no model, or name it twice."""
    row = next(row for row in flag_table().rows(engine) if row.field == "model.id")
    pieces_with_model = [piece for piece in pieces if piece.flag.name == row.flag and piece.flag.value]
    if not pieces_with_model or pieces_with_model[0].start == 0:
        raise UnreadableError("args: name the model twice" if pieces_with_model else "args: name no model")
    start, end = pieces_with_model[0].start, pieces_with_model[0].end
    return [*arguments[start:end], *arguments[:start], *arguments[end:]]


def _arguments(engine: Engine, pieces: Iterable[_Piece], arguments: Sequence[str]) -> dict[str, str]:
    """The leading flags that can go into ``engine.args``: sorted and not repeated."""
    last = {
        argument.lstrip("-").partition("=")[0]: index
        for index, argument in enumerate(arguments)
        if argument.startswith("--")
    }
    args: dict[str, str] = {}
    previous = ""
    for piece in pieces:
        name, value = piece.flag.name, piece.flag.value
        rendered = ARG_KEY.fullmatch(name) and flag_table().spelling(engine, name) == name
        if not rendered or name <= previous or value == "" or last[name] != piece.start:
            break
        previous, args[name] = name, value or ""
    return args


def _field(rows: Iterable[FlagRow], name: str, value: Any, tensor: int) -> dict[str, Any] | None:
    fields = (row.read_keyword(name, value, tensor) for row in rows)
    return next((section for section in fields if section is not None), None)


def _is_plain(key: str) -> bool:
    return bool(ARG_KEY.fullmatch(key)) and "." not in key


def _flag_spellings(name: str, value: Any, texts: Collection[str]) -> Iterator[tuple[str, str]]:
    """Flags, with values as text, that give the keyword argument; those allowed in ``engine.args`` first."""
    spellings = (
        {True: ["", "true"], False: ["false"], None: ["null"]}.get(value) if isinstance(value, bool | None) else None
    )
    for key in sorted((name.replace("_", "-"), name), key=lambda key: not _is_plain(key)):
        for text in spellings or [value if isinstance(value, str) else json.dumps(value)]:
            if "=" not in key and json_equal(keyword_argument(Flag(key, text or None), texts), {name: value}):
                yield key, text


def _sections(settings: Mapping[str, Any], args: Mapping[str, str], extra: Sequence[str]) -> dict[str, Any]:
    sections: dict[str, Any] = {"engine": {}}
    for field, value in settings.items():
        section, _, name = field.partition(".")
        sections.setdefault(section, {})[name] = value
    sections["engine"] |= non_empty(args=dict(args), extraArgs=list(extra))
    return sections
