"""The flags of each engine and the spec fields that they stand for, from ``engine_flags.yaml``."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic.alias_generators import to_snake

from airunway.spec.model import Engine, ModelDeploymentSpec, StrictModel
from airunway.text.yaml_reading import load_data


@dataclass(frozen=True)
class Flag:
    """One engine flag; ``value`` is None for a bare flag, ``field`` is None for a flag that no spec field sets."""

    name: str
    value: Any = None
    field: str | None = None


class FlagRow(StrictModel):
    """One flag, and the spec field that it stands for."""

    flag: str = Field(description="Name without the dashes.")
    kind: Literal["text", "number", "switch", "tensor"] = Field(description="What its value is.")
    field: str | None = Field(None, description="Leaf of the spec.")
    when: bool = Field(True, description="Value of the field for which a switch is there.")
    value: str | None = Field(None, description="Value of a switch; none: a bare flag.")

    def to_flag(self, spec: ModelDeploymentSpec, tensor: int) -> Flag | None:
        """The flag for ``spec`` with ``tensor`` GPUs for tensor parallelism; None if the spec doesn't set it."""
        if self.kind == "tensor":
            return Flag(self.flag, tensor) if tensor > 1 else None
        setting: Any = spec
        for part in str(self.field).split("."):
            setting = getattr(setting, to_snake(part))
        if self.kind == "switch":
            return Flag(self.flag, self.value, self.field) if setting is self.when else None
        return Flag(self.flag, setting, self.field) if setting else None

    def read_flag(self, flag: Flag, tensor: int) -> dict[str, Any] | None:
        """The fields from which ``to_flag`` makes ``flag``; None if there are none."""
        if flag.name != self.flag:
            return None
        if self.kind == "switch":
            return {str(self.field): self.when} if flag.value == self.value else None
        if self.kind == "text":
            return {str(self.field): flag.value} if flag.value else None
        number = int(flag.value) if _NUMBER.fullmatch(flag.value or "") else 0
        return self._number(number, tensor)

    def read_keyword(self, name: str, value: Any, tensor: int) -> dict[str, Any] | None:
        """The same for a keyword argument, whose value is typed."""
        keyword = self.flag.replace("-", "_")
        if self.kind == "switch":
            switch, expected = keyword.removeprefix("no_"), not keyword.startswith("no_")
            return {str(self.field): self.when} if self.value is None and name == switch and value is expected else None
        if self.kind == "text" or name != keyword:
            return None
        return self._number(value if type(value) is int else 0, tensor)

    def _number(self, number: int, tensor: int) -> dict[str, Any] | None:
        if self.kind == "tensor":
            return {} if number == tensor > 1 else None
        return {str(self.field): number} if number > 0 else None


_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


class Parallelism(StrictModel):
    """The parallel sizes of an engine, by flag; their product is the number of GPUs of a worker."""

    title: str = Field(description="The engine's name in messages.")
    tensor: str = Field(description="Size that is derived.")
    others: list[str] = Field(description="Sizes that leave the rest for it.")
    inside_tensor: Mapping[str, str] = Field({}, description="Sizes that divide the tensor-parallel GPUs, by switch.")
    across_workers: list[str] = Field([], description="Flags of ranks in other workers; the sizes are not checked.")


class FlagTable(StrictModel):
    """The flags of each engine in rendering order, alternative spellings, and parallel sizes."""

    engines: Mapping[str, list[FlagRow]] = Field(description="Rows by engine.")
    aliases: Mapping[str, Mapping[str, str]] = Field(description="Flags by their other spellings.")
    parallel: Mapping[str, Parallelism] = Field(description="Parallel sizes by engine.")

    def rows(self, engine: Engine) -> Sequence[FlagRow]:
        """The flags of one engine."""
        return self.engines[engine]

    def spelling(self, engine: Engine, name: str) -> str:
        """The name of a flag as it is rendered: with dashes, and not by an alias."""
        head, dot, option = name.partition(".")
        name = head.replace("_", "-") + dot + option
        return self.aliases.get(engine, {}).get(name, name)

    def key(self, engine: Engine, name: str) -> str:
        """The name that all spellings of a flag share, and its negation."""
        return self.spelling(engine, name).removeprefix("no-")


@functools.cache
def flag_table() -> FlagTable:
    """The flags from ``engine_flags.yaml``."""
    return FlagTable.model_validate(load_data(Path(__file__).with_suffix(".yaml")))


def derived_flags(engine: Engine, spec: ModelDeploymentSpec, tensor: int) -> Iterator[Flag]:
    """The flags for the spec's fields, with ``tensor`` GPUs for tensor parallelism."""
    yield from filter(None, (row.to_flag(spec, tensor) for row in flag_table().rows(engine)))


ARGUMENT_FIELDS = frozenset(
    {row.field for rows in flag_table().engines.values() for row in rows if row.field}
    | {"engine.args", "engine.extraArgs"}
)
"""The fields of the spec that become flags."""
