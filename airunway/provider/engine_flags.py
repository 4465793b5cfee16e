"""Engine flags as data: which flag means which field of the spec, by engine, from ``engine_flags.yaml``."""

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
    """One engine flag; ``value`` is None for a bare one, ``field`` the spec field it comes from, None where it is
    derived.
    """

    name: str
    value: Any = None
    field: str | None = None

    @property
    def key(self) -> str:
        """Name under which two spellings of the same flag meet."""
        name = self.name.replace("_", "-")
        return table().aliases.get(name, name.removeprefix("no-"))


class Row(StrictModel):
    """One flag, and the field that it stands for."""

    flag: str = Field(description="Name without the dashes.")
    kind: Literal["text", "number", "switch", "gpus"] = Field(description="What its value is.")
    field: str | None = Field(None, description="Leaf of the spec.")
    when: bool = Field(True, description="Value of the field for which a switch is there.")
    value: str | None = Field(None, description="Value of a switch; none: a bare flag.")

    def of(self, spec: ModelDeploymentSpec, gpus: int) -> Flag | None:
        """The flag for ``spec``, with ``gpus`` in each worker; None where it is not there."""
        if self.kind == "gpus":
            return Flag(self.flag, gpus) if gpus > 1 else None
        setting: Any = spec
        for part in str(self.field).split("."):
            setting = getattr(setting, to_snake(part))
        if self.kind == "switch":
            return Flag(self.flag, self.value, self.field) if setting is self.when else None
        return Flag(self.flag, setting, self.field) if setting else None

    def read(self, flag: Flag, gpus: int) -> dict[str, Any] | None:
        """What ``of`` made ``flag`` from, by field, with ``gpus`` in each worker; None where it made it from
        nothing.
        """
        if flag.name != self.flag:
            return None
        if self.kind == "switch":
            return {str(self.field): self.when} if flag.value == self.value else None
        if self.kind == "text":
            return {str(self.field): flag.value} if flag.value else None
        number = int(flag.value) if _NUMBER.fullmatch(flag.value or "") else 0
        return self._number(number, gpus)

    def read_keyword(self, name: str, value: Any, gpus: int) -> dict[str, Any] | None:
        """The same for a keyword argument, which has a type."""
        keyword = self.flag.replace("-", "_")
        if self.kind == "switch":
            bare, wanted = keyword.removeprefix("no_"), not keyword.startswith("no_")
            return {str(self.field): self.when} if self.value is None and name == bare and value is wanted else None
        if self.kind == "text" or name != keyword:
            return None
        return self._number(value if type(value) is int else 0, gpus)

    def _number(self, number: int, gpus: int) -> dict[str, Any] | None:
        if self.kind == "gpus":
            return {} if number == gpus > 1 else None
        return {str(self.field): number} if number > 0 else None


_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


class Table(StrictModel):
    """The flags of each engine in the order in which they are rendered, and other spellings of flags."""

    engines: Mapping[str, list[Row]] = Field(description="Rows by engine.")
    aliases: Mapping[str, str] = Field(description="Flags by their other spellings.")

    def rows(self, engine: Engine) -> Sequence[Row]:
        """The flags of one engine."""
        return self.engines[engine]


@functools.cache
def table() -> Table:
    """The table."""
    return Table.model_validate(load_data(Path(__file__).with_suffix(".yaml")))


def derived(engine: Engine, spec: ModelDeploymentSpec, gpus: int) -> Iterator[Flag]:
    """The flags that the spec's fields come to, with ``gpus`` in each worker."""
    yield from filter(None, (row.of(spec, gpus) for row in table().rows(engine)))


ARGUMENTS = frozenset(
    {row.field for rows in table().engines.values() for row in rows if row.field} | {"engine.args", "engine.extraArgs"}
)
"""The leaves of the spec that become flags."""
