"""What aiconfigurator 0.12.0 wrote, in the folders of ``sizing/``: best_config_topn.csv of its agg and disagg folders.

Each is of ``aiconfigurator cli default --model-path MODEL --system SYSTEM --backend ENGINE LOAD --isl 4000 --osl 500
--ttft 1000 --tpot 30 --strict-sla --top-n 1 --save-dir out``, with the values of ``RECORDED``.
"""

from dataclasses import dataclass
from pathlib import Path

from airunway.assessment.sizing import Configuration, read_configuration
from airunway.spec.model import Engine, Mode

FOLDER = Path(__file__).with_name("sizing")
TABLES = {Mode.AGGREGATED: "agg.csv", Mode.DISAGGREGATED: "disagg.csv"}


@dataclass(frozen=True)
class Recorded:
    """A run; ``rate`` are requests per second, ``concurrency`` requests at once."""

    model: str
    system: str
    engine: Engine
    rate: float | None = None
    concurrency: int | None = None


RECORDED = {
    "llama-70b-vllm-h100": Recorded("meta-llama/Meta-Llama-3.1-70B", "h100_sxm", Engine.VLLM, rate=5),
    "llama-8b-trtllm-h100": Recorded("meta-llama/Meta-Llama-3.1-8B", "h100_sxm", Engine.TRTLLM, rate=20),
    "qwen3-8b-vllm-h100": Recorded("Qwen/Qwen3-8B", "h100_sxm", Engine.VLLM, concurrency=200),
    "qwen3-30b-vllm-h100": Recorded("Qwen/Qwen3-30B-A3B", "h100_sxm", Engine.VLLM, rate=50),
    "qwen3-235b-sglang-h200": Recorded("Qwen/Qwen3-235B-A22B", "h200_sxm", Engine.SGLANG, concurrency=500),
}


def table(name: str, mode: Mode) -> str:
    """The recorded table of a mode."""
    return (FOLDER / name / TABLES[mode]).read_text()


def recorded(name: str, mode: Mode) -> Configuration:
    """The recorded configuration of a mode."""
    return read_configuration(table(name, mode), mode)
