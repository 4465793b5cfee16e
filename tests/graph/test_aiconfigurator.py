"""Graph (the real aiconfigurator, where AIRUNWAY_AICONFIGURATOR names it; `make test-sizing` installs it): what the
recorded tables and the stand-in of the other tests say of it is so.
"""

import json
import os
from pathlib import Path

import pytest

from airunway.assessment.sizing import Workload
from airunway.program.aiconfigurator import VARIABLE, Aiconfigurator, SizingTask, find_aiconfigurator
from airunway.spec.model import Engine, Mode
from airunway.text.problems import InputError
from tests.unit.sized import RECORDED, recorded

pytestmark = pytest.mark.skipif(
    VARIABLE not in os.environ, reason=f"{VARIABLE} names no aiconfigurator; make test-sizing installs it"
)


@pytest.fixture(scope="module")
def tool() -> Aiconfigurator:
    return find_aiconfigurator(os.environ)


def task(name: str, ttft: float = 1000, folder: Path | None = None, model: str | None = None) -> SizingTask:
    asked = RECORDED[name]
    load = Workload(4000, 500, ttft, 30, asked.rate, asked.concurrency)
    return SizingTask(model or asked.model, asked.system, asked.engine, load, folder)


@pytest.mark.parametrize("name", RECORDED)
def test_the_recorded_tables_are_what_it_writes(name: str, tool: Aiconfigurator) -> None:
    found, refused = tool.configurations(task(name))
    assert found == {mode: recorded(name, mode) for mode in Mode}
    assert refused == {}


def test_the_folder_of_a_config_stands_for_a_model(tool: Aiconfigurator, tmp_path: Path) -> None:
    name = "llama-8b-trtllm-h100"
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "torch_dtype": "bfloat16",
        "num_hidden_layers": 32,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "vocab_size": 128256,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "max_position_embeddings": 131072,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    found, _ = tool.configurations(task(name, folder=tmp_path, model="nobody/nothing"))
    assert found == {mode: recorded(name, mode) for mode in Mode}


def test_a_model_that_it_does_not_know_is_told_and_not_fetched(tool: Aiconfigurator, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"model.id: .* does not know nobody/nothing, and fetches nothing; run hf download"
    ):
        tool.configurations(task("llama-8b-trtllm-h100", model="nobody/nothing"))
    with pytest.raises(InputError, match=r"Directory .* does not contain a config.json file"):
        tool.configurations(task("llama-8b-trtllm-h100", folder=tmp_path))


def test_a_time_that_nothing_meets_is_told(tool: Aiconfigurator) -> None:
    with pytest.raises(InputError, match=r"Experiment agg failed: .*no parallel configuration met TTFT/TPOT"):
        tool.configurations(task("llama-8b-trtllm-h100", ttft=1))


def test_a_system_without_data_is_told(tool: Aiconfigurator) -> None:
    load = Workload(4000, 500, 1000, 30, 5)
    with pytest.raises(InputError, match="Backend vllm is not supported for system l4"):
        tool.configurations(SizingTask("Qwen/Qwen3-8B", "l4", Engine.VLLM, load))
