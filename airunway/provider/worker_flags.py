"""The flags of a program, as its own parser defines them in one release, and checks of the user's flags."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from airunway.provider.engine_flags import Flag
from airunway.provider.image_references import is_release
from airunway.provider.user_flags import UserFlag, is_flag
from airunway.spec.model import Engine, StrictModel
from airunway.text.problems import Problem, suggest_name
from airunway.text.yaml_reading import load_data


class WorkerFlags(StrictModel):
    """The long flags of one program, without the dashes."""

    program: str = Field(description="Its name in messages.")
    release: str = Field("", description="The release whose parser defines the flags.")
    switches: list[str] = Field(description="Flags without a value.")
    values: list[str] = Field(description="Flags with a value.")
    optional: list[str] = Field([], description="Flags with or without a value.")
    lists: list[str] = Field([], description="Flags with any number of values.")
    repeated: list[str] = Field([], description="Flags that may be given several times.")
    unlisted_switches: list[str] = Field([], description="Switches that the parser accepts but does not list.")
    unlisted_values: list[str] = Field([], description="Flags with a value that it accepts but does not list.")
    dotted: Literal["none", "json", "prefix"] = Field("none", description="Which flags have options as dotted names.")
    prefix: str = Field("", description="First part of every dotted name; each has a value.")
    refused: Mapping[str, str] = Field({}, description="Flags that a deployment must not set, with the reason.")
    instead: Mapping[str, str] = Field({}, description="Flags of other programs, with what to set instead.")

    @property
    def _title(self) -> str:
        return f"{self.program} {self.release}"

    def is_switch(self, name: str) -> bool:
        """Whether a flag takes no value."""
        return name in self.switches or name in self.unlisted_switches

    def without_switch_value(self, flag: Flag) -> Flag:
        """A switch with the value "true" or "false" as the bare flag or its negation; any other flag as it is."""
        text = str(flag.value).lower()
        if not self.is_switch(flag.name) or text not in ("true", "false"):
            return flag
        if text == "true":
            return Flag(flag.name)
        opposites = [f"no-{flag.name}"] + [
            opposite + flag.name.removeprefix(prefix)
            for prefix, opposite in (("no-", ""), ("enable-", "disable-"), ("disable-", "enable-"))
            if flag.name.startswith(prefix)
        ]
        return next((Flag(name) for name in opposites if self.is_switch(name)), flag)

    def problems(self, user_flags: Sequence[UserFlag], image: str) -> Iterator[Problem]:
        """Problems with the user's flags; unknown flags and values are checked if ``image`` is of this release."""
        for user_flag in user_flags:
            problem = self._refusal(user_flag) or (
                self._mismatch(user_flag) if is_release(image, self.release) else None
            )
            if problem:
                yield Problem(user_flag.field, problem)

    def _refusal(self, user_flag: UserFlag) -> str | None:
        name, _, options = user_flag.flag.name.partition(".")
        name = name.removesuffix("+")
        if name in self.refused:
            return self.refused[name]
        value = user_flag.flag.value
        if user_flag.arguments and self.is_switch(name) and str(value).lower() in ("true", "false"):
            return f"{value!r} given; --{name} is a switch and takes no value"
        if not options:
            return None
        if self.dotted == "prefix":
            if name != self.prefix or not all(options.split(".")):
                return f"--{user_flag.flag.name} is no option; dotted flags begin with --{self.prefix}. and name one"
            if value is None or user_flag.bound or is_flag(value):
                return f"--{user_flag.flag.name} takes its value as an argument of its own"
        return f"{self.program} has no dotted flags" if self.dotted == "none" else None

    def _mismatch(self, user_flag: UserFlag) -> str | None:
        name, dot, _ = user_flag.flag.name.partition(".")
        name, value = name.removesuffix("+"), user_flag.flag.value
        if dot and self.dotted == "prefix":
            return _stray(user_flag, 1)
        if self.is_switch(name) and value is not None:
            hint = "; leave it out" if value.lower() == "false" else ""
            return f"{value!r} given; --{name} of {self._title} is a switch and takes no value{hint}"
        if self.is_switch(name) or name in self.lists or name in self.optional:
            return None
        if name in self.values or name in self.unlisted_values:
            return f"--{name} of {self._title} takes a value" if value is None else _stray(user_flag, 1)
        default = suggest_flag(name, {*self.switches, *self.values, *self.lists})
        hint = self.instead.get(name, self.instead.get(name.removeprefix("no-"), default))
        return f"{self._title} has no flag --{name} for engine.args or engine.extraArgs; {hint}"


def suggest_flag(name: str, valid: Collection[str]) -> str:
    """A hint at the valid flag that is most like ``name``."""
    suggestion, separator, _ = suggest_name(name, valid).partition("? ")
    return f"{suggestion}?" if separator else "its documentation lists them"


def _stray(user_flag: UserFlag, values: int) -> str | None:
    stray = user_flag.arguments[values:]
    return f"no flag takes the argument {stray[0]!r}, which follows it" if stray else None


def load_worker_flags(path: Path) -> Mapping[Engine, WorkerFlags]:
    """The flags of each engine's worker in a file with a ``release`` and ``workers``."""
    data = load_data(path)
    return {
        Engine(engine): WorkerFlags.model_validate({"release": data["release"], **worker})
        for engine, worker in data["workers"].items()
    }
