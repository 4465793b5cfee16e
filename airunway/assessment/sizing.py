"""How a deployment could be sized for a load: what aiconfigurator estimates, read from its tables.

Columns are those of ``best_config_topn.csv`` of aiconfigurator 0.12.0, with a load as the target.
"""

import csv
import functools
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from airunway.spec.model import Engine, Mode, StrictModel
from airunway.text.yaml_reading import load_data

ENGINES = (Engine.VLLM, Engine.SGLANG, Engine.TRTLLM)
"""The engines that aiconfigurator knows, by its names for them."""


class SizingError(ValueError):
    """A configuration can't be used; the message says why."""


class SizeFlag(StrictModel):
    """A flag that states a parallel size."""

    size: str = Field(description="pp, dp or ep.")
    flag: str = Field(description="Name without the dashes.")
    value: str | None = Field(None, description="Its value; none: the size.")


class SizingData(StrictModel):
    """What is known of aiconfigurator."""

    version: str = Field(description="Version whose tables are read.")
    seconds: int = Field(description="Seconds that a run may take.")
    output_bytes: int = Field(description="Bytes that a run may print.")
    systems: Mapping[str, list[str]] = Field(description="GPU products by system.")
    flags: Mapping[str, list[SizeFlag]] = Field(description="Flags of parallel sizes by engine.")

    def system_of(self, product: str) -> str | None:
        """The system of a GPU product; None if there is none."""
        return next((system for system, products in self.systems.items() if product in products), None)


@functools.cache
def sizing_data() -> SizingData:
    """The data from ``sizing.yaml``."""
    return SizingData.model_validate(load_data(Path(__file__).with_suffix(".yaml")))


@dataclass(frozen=True)
class Workload:
    """What is to be served: requests per second or at once, their tokens, and milliseconds at most."""

    isl: int
    osl: int
    ttft: float
    tpot: float
    request_rate: float | None = None
    concurrency: int | None = None

    def __str__(self) -> str:
        rate = self.request_rate
        load = f"{self.concurrency} requests at once" if rate is None else f"{rate:g} requests/s"
        return f"{load}, {self.isl} tokens in, {self.osl} out, TTFT <= {self.ttft:g} ms, TPOT <= {self.tpot:g} ms"


@dataclass(frozen=True)
class SizedWorkers:
    """Equal workers of a role, which is empty for those that do everything; parallel sizes of each."""

    role: str
    replicas: int
    tp: int
    pp: int
    dp: int
    ep: int
    moe_tp: int

    @property
    def gpus(self) -> int:
        """GPUs of one worker."""
        return self.tp * self.pp * self.dp

    def flags(self, engine: Engine) -> dict[str, str]:
        """What ``engine.args`` says of its parallel sizes. Raises ``SizingError``."""
        sizes = {"pp": self.pp, "dp": self.dp, "ep": self.ep}
        rows = [row for row in sizing_data().flags[engine] if sizes[row.size] > 1]
        if self.moe_tp > 1 and any(row.size == "ep" and row.value is not None for row in rows):
            raise SizingError(
                "its experts are divided by tensor and by expert parallelism, which the engine has no flag for"
            )
        return {row.flag: str(sizes[row.size]) if row.value is None else row.value for row in rows}


@dataclass(frozen=True)
class Configuration:
    """A configuration with its estimate: requests and tokens that all workers serve in a second, and milliseconds."""

    mode: Mode
    workers: tuple[SizedWorkers, ...]
    request_rate: float
    token_rate: float
    ttft: float
    tpot: float
    engine_version: str

    @property
    def gpus(self) -> int:
        """GPUs of all workers."""
        return sum(workers.replicas * workers.gpus for workers in self.workers)

    def flags(self, engine: Engine) -> dict[str, str]:
        """What ``engine.args`` says of the parallel sizes, which all workers share. Raises ``SizingError``."""
        first, *others = [workers.flags(engine) for workers in self.workers]
        if any(flags != first for flags in others):
            raise SizingError("prefill and decode have other parallel sizes than TP, and engine.args are of both")
        return first


_ROLES = {Mode.AGGREGATED: {"": ""}, Mode.DISAGGREGATED: {"prefill": "(p)", "decode": "(d)"}}
"""What stands before the columns of a role."""


def read_configuration(text: str, mode: Mode) -> Configuration:
    """The first configuration of a table of the mode. Raises ``SizingError``."""
    try:
        row = next(csv.DictReader(io.StringIO(text)), None)
    except csv.Error as error:
        raise SizingError(f"its table can't be read: {error}") from error
    if row is None:
        raise SizingError("its table has no row")
    copies = _count(row, "replicas_needed")
    configuration = Configuration(
        mode,
        tuple(_workers(row, role, prefix, copies) for role, prefix in _ROLES[mode].items()),
        _number(row, "seq/s") * copies,
        _number(row, "tokens/s") * copies,
        _number(row, "ttft"),
        _number(row, "tpot"),
        _cell(row, f"{_ROLES[mode].get('decode', '')}version"),
    )
    total = _count(row, "total_gpus_needed")
    if configuration.gpus != total:
        raise SizingError(f"its workers have {configuration.gpus} GPUs, and its table says {total}")
    return configuration


def _workers(row: Mapping[str, str | None], role: str, prefix: str, copies: int) -> SizedWorkers:
    if row.get(f"{prefix}cp", "1") != "1":
        raise SizingError("it has context parallelism, which no provider renders")
    sizes = {name: _count(row, prefix + name) for name in ("tp", "pp", "dp")}
    replicas = _count(row, f"{prefix}workers") if role else 1
    return SizedWorkers(
        role, replicas * copies, **sizes, ep=_count(row, f"{prefix}moe_ep"), moe_tp=_count(row, f"{prefix}moe_tp")
    )


def _cell(row: Mapping[str, str | None], column: str) -> str:
    value = row.get(column)
    if not value:
        raise SizingError(f"its table has no {column}")
    return value


def _count(row: Mapping[str, str | None], column: str) -> int:
    value = _cell(row, column)
    if not (value.isascii() and value.isdigit() and len(value) < 7 and int(value) > 0):
        raise SizingError(f"its table has {column} {value[:20]!r}, must be a whole number above 0")
    return int(value)


def _number(row: Mapping[str, str | None], column: str) -> float:
    value = _cell(row, column)
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise SizingError(f"its table has {column} {value[:20]!r}, must be a number above 0")
    return number
