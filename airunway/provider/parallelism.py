"""How the GPUs of a worker are divided among tensor, pipeline and data parallelism."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from airunway.provider.engine_flags import Flag, flag_table
from airunway.spec.model import Engine
from airunway.text.problems import Problem
from airunway.text.yaml_reading import plain_value

_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")


@dataclass(frozen=True)
class Devices:
    """The GPUs of one worker: ``count`` on each of its ``nodes``; ``field`` is the spec field that sets the count."""

    count: int
    field: str = "resources.gpu.count"
    nodes: int = 1

    @property
    def total(self) -> int:
        """The GPUs on all nodes."""
        return self.count * self.nodes

    def __str__(self) -> str:
        return str(self.count) if self.nodes == 1 else f"{self.count} on each of {self.nodes} nodes"


@dataclass(frozen=True)
class Division:
    """The parallel sizes that are set, by flag, and the tensor-parallel size that they leave of ``gpus``."""

    engine: Engine
    gpus: int
    sizes: Mapping[str, int]
    across_workers: bool = False

    @property
    def tensor(self) -> int:
        """The derived tensor-parallel size: the GPUs divided by the other sizes."""
        return self.gpus // self._other_sizes

    @property
    def _other_sizes(self) -> int:
        return prod(size for name, size in self.sizes.items() if name != self.tensor_flag)

    @property
    def tensor_flag(self) -> str:
        """The flag of the tensor-parallel size."""
        return flag_table().parallel[self.engine].tensor

    @property
    def _needed(self) -> int:
        return self._other_sizes * self.sizes.get(self.tensor_flag, max(self.tensor, 1))

    def problems(self, devices: Devices) -> list[Problem]:
        """A problem if the sizes need more GPUs than there are, or if no tensor-parallel size makes up for them."""
        if self.across_workers or not self.gpus:
            return []
        product = " × ".join(f"--{name} {size}" for name, size in self.sizes.items())
        if self._needed > self.gpus:
            message = f"{devices} given; {product} of engine.args or engine.extraArgs take {self._needed}"
            return [Problem(devices.field, message)]
        if self.tensor_flag not in self.sizes and self.gpus % self._other_sizes:
            message = f"{devices} given, which {product} does not divide; set engine.args.{self.tensor_flag} too"
            return [Problem(devices.field, message)]
        return []

    def warnings(self, devices: Devices) -> list[str]:
        """A warning if the sizes leave GPUs idle."""
        if self.across_workers or self._needed >= self.gpus:
            return []
        title = flag_table().parallel[self.engine].title
        return [f"{devices.field}: {devices} given, of which {title} uses {self._needed} by its parallel sizes"]


def divide(engine: Engine, gpus: int, flags: Iterable[Flag]) -> Division:
    """The division of ``gpus`` by the sizes among ``flags``; the last value of a flag wins, as in a parser."""
    parallel = flag_table().parallel[engine]
    values = {flag_table().spelling(engine, flag.name): str(flag.value) for flag in flags}
    if not values.keys().isdisjoint(parallel.across_workers):
        return Division(engine, gpus, {}, across_workers=True)
    sizes = {
        name: _size(values[name])
        for name in (parallel.tensor, *parallel.others)
        if name in values and parallel.inside_tensor.get(name) not in values
    }
    return Division(engine, gpus, {name: size for name, size in sizes.items() if size is not None})


def _size(text: str) -> int | None:
    number = None if has_leading_zero(text) else plain_value(text)
    return number if type(number) is int and number > 0 else None


def has_leading_zero(text: str) -> bool:
    """Whether a whole number begins with 0: octal for YAML, decimal for a command line."""
    return bool(_LEADING_ZERO.fullmatch(text))
