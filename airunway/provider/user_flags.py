"""The flags that a user sets in ``engine.args`` and ``engine.extraArgs``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airunway.provider.engine_flags import Flag, flag_table
from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import Problem

_NEGATIVE = re.compile(r"-[0-9]+|-[0-9]*\.[0-9]+")


def is_negative(argument: str) -> bool:
    """Whether an argument is a negative number, which Python's argparse does not mistake for a flag."""
    return bool(_NEGATIVE.fullmatch(argument))


def is_flag(argument: str) -> bool:
    """Whether Python's argparse takes an argument for a flag."""
    return argument.startswith("-") and not is_negative(argument)


@dataclass(frozen=True)
class UserFlag:
    """One flag with its field.

    ``flag`` has the name as it is rendered. Of ``engine.extraArgs``, ``arguments`` are the arguments that follow the
    flag, and ``bound`` says that the value is part of the flag's own, as in ``--flag=value``.
    """

    field: str
    flag: Flag
    written: str
    bound: bool = False
    arguments: tuple[str, ...] = ()


def user_flags(engine: Engine, spec: ModelDeploymentSpec) -> list[UserFlag]:
    """The flags of ``engine.args`` in rendering order, then those of ``engine.extraArgs``."""
    table = flag_table()
    args = [
        UserFlag(f"engine.args.{key}", Flag(table.spelling(engine, key), value or None), key)
        for key, value in spec.engine.args.items()
    ]
    return [*sorted(args, key=lambda arg: arg.flag.name), *argument_flags(engine, spec.engine.extra_args)]


def argument_flags(engine: Engine, extra_args: Sequence[str]) -> Iterator[UserFlag]:
    """The flags of a command line."""
    short_forms = flag_table().aliases.get(engine, {})
    for index, argument in enumerate(extra_args):
        head, equals, value = argument.partition("=")
        if head in short_forms:
            name = short_forms[head]
        elif head.startswith("--") and head != "--":
            # Only engine.args has aliases: the engine's own parser reads these.
            name, dot, option = head[2:].partition(".")
            name = name.replace("_", "-") + dot + option
        else:
            continue
        following = tuple(_following(extra_args[index + 1 :]))
        bound = value if equals else following[0] if following else None
        arguments = (value, *following) if equals else following
        yield UserFlag(f"engine.extraArgs[{index}]", Flag(name, bound or None), head, bool(equals), arguments)


def _following(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments up to the next flag."""
    for argument in arguments:
        if is_flag(argument):
            return
        yield argument


def duplicate_problems(engine: Engine, flags: Sequence[UserFlag], repeated: Sequence[str] = ()) -> Iterator[Problem]:
    """A problem for each flag that is set again, in whatever spelling, unless it is one of ``repeated``."""
    first: dict[str, UserFlag] = {}
    for user_flag in flags:
        key = flag_table().key(engine, user_flag.flag.name)
        if key in first and key not in repeated:
            message = f"{first[key].field} sets {_shown(first[key])} already, which is the same flag; give it once"
            yield Problem(user_flag.field, message)
        first.setdefault(key, user_flag)


def _shown(user_flag: UserFlag) -> str:
    return user_flag.written if user_flag.written.startswith("-") else f"--{user_flag.written}"
