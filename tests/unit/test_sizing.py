"""Unit (tables that aiconfigurator 0.12.0 wrote, see sized.py): reading configurations, and entries that have them."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.assessment.sized_entry import sized_entry
from airunway.assessment.sizing import (
    ENGINES,
    Configuration,
    SizedWorkers,
    SizingError,
    Workload,
    read_configuration,
    sizing_data,
)
from airunway.provider.parallelism import divide
from airunway.provider.user_flags import user_flags
from airunway.provider.workers import workers_by_role
from airunway.spec.checks import parse_spec
from airunway.spec.entry import DeploymentEntry
from airunway.spec.model import Engine, Mode
from tests.unit.sized import RECORDED, recorded, table

ROOT = Path(__file__).parents[2]
AGGREGATED, DISAGGREGATED = Mode.AGGREGATED, Mode.DISAGGREGATED


def workers(replicas: int, tp: int, role: str = "", pp: int = 1, dp: int = 1, ep: int = 1) -> SizedWorkers:
    return SizedWorkers(role, replicas, tp, pp, dp, ep, moe_tp=tp * dp // ep)


def configuration(*parts: SizedWorkers) -> Configuration:
    mode = DISAGGREGATED if len(parts) > 1 else AGGREGATED
    return Configuration(mode, parts, 1.0, 1.0, 1.0, 1.0, "0.24.0")


def entry(**sections: Any) -> dict[str, Any]:
    return {"name": "chat", "model": {"id": "org/model"}, **sections}


def spec_of(data: dict[str, Any]) -> DeploymentEntry:
    spec, problems = parse_spec(data, DeploymentEntry)
    assert spec is not None, problems
    return spec


def test_a_table_of_aggregated_workers_is_read_with_all_its_replicas() -> None:
    found = recorded("llama-70b-vllm-h100", AGGREGATED)
    assert found.workers == (SizedWorkers("", 2, tp=8, pp=1, dp=1, ep=1, moe_tp=1),)
    assert (found.gpus, found.engine_version) == (16, "0.24.0")
    assert (found.ttft, found.tpot) == (400.871, 29.599)
    assert found.request_rate == pytest.approx(6.328)
    assert found.token_rate == pytest.approx(3157.662)


def test_a_table_of_disaggregated_workers_is_read_by_role() -> None:
    found = recorded("llama-70b-vllm-h100", DISAGGREGATED)
    assert [(w.role, w.replicas, w.gpus) for w in found.workers] == [("prefill", 4, 2), ("decode", 2, 4)]


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("mode", Mode)
def test_what_was_recorded_meets_its_targets(name: str, mode: Mode) -> None:
    found, asked = recorded(name, mode), RECORDED[name]
    assert found.ttft <= 1000
    assert found.tpot <= 30
    assert found.request_rate >= (asked.rate or 0)


def changed(name: str, mode: Mode, column: str, value: str) -> str:
    head, row = table(name, mode).splitlines()[:2]
    cells = row.split(",")
    cells[head.split(",").index(column)] = value
    return f"{head}\n{','.join(cells)}\n"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("tp", "", "has no tp"),
        ("tp", "0", "must be a whole number above 0"),
        ("tp", "-8", "must be a whole number above 0"),
        ("tp", "8.0", "must be a whole number above 0"),
        ("tp", "٨", "must be a whole number above 0"),
        ("tp", "9" * 400, "must be a whole number above 0"),
        ("tp", "4", "its workers have 8 GPUs, and its table says 16"),
        ("ttft", "nan", "must be a number above 0"),
        ("seq/s", "inf", "must be a number above 0"),
        ("tpot", "fast", "must be a number above 0"),
        ("cp", "2", "context parallelism"),
        ("version", "", "has no version"),
    ],
)
def test_a_table_that_does_not_add_up_is_refused(column: str, value: str, message: str) -> None:
    with pytest.raises(SizingError, match=message):
        read_configuration(changed("llama-70b-vllm-h100", AGGREGATED, column, value), AGGREGATED)


@pytest.mark.parametrize("text", ["", "\n", "tp,pp\n", "tp\n\0\n", "<html>", "tp,pp,dp\n1"])
def test_what_is_no_table_is_refused(text: str) -> None:
    for mode in Mode:
        with pytest.raises(SizingError):
            read_configuration(text, mode)


@given(st.text(), st.sampled_from(Mode))
def test_any_text_that_is_no_table_is_refused(text: str, mode: Mode) -> None:
    with pytest.raises(SizingError, match="table"):
        read_configuration(text, mode)


def test_a_table_of_the_other_mode_is_refused() -> None:
    for mode, other in ((AGGREGATED, DISAGGREGATED), (DISAGGREGATED, AGGREGATED)):
        with pytest.raises(SizingError, match="has no"):
            read_configuration(table("llama-70b-vllm-h100", mode), other)


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("mode", Mode)
def test_an_entry_has_the_gpus_and_tensor_parallel_sizes_of_its_configuration(name: str, mode: Mode) -> None:
    found, engine = recorded(name, mode), RECORDED[name].engine
    if (name, mode) == ("qwen3-30b-vllm-h100", DISAGGREGATED):  # decode by experts, prefill not
        with pytest.raises(SizingError, match="prefill and decode have other parallel sizes"):
            sized_entry(entry(), found, engine)
        return
    assert_sized(sized_entry(entry(), found, engine), found, engine)


def assert_sized(data: dict[str, Any], found: Configuration, engine: Engine) -> None:
    spec = spec_of(data)
    assert spec.serving.mode is found.mode
    parts = workers_by_role(spec)
    assert {(role, w.replicas, w.gpu.count) for role, w in parts.items()} == {
        (w.role, w.replicas, w.gpus) for w in found.workers
    }
    flags = [flag.flag for flag in user_flags(engine, spec)]
    for part in found.workers:
        division = divide(engine, part.gpus, flags)
        assert division.problems(parts[part.role].devices()) == []
        # SGLang and TensorRT-LLM count data parallelism of attention within tensor parallelism.
        assert division.tensor == part.tp * (1 if engine is Engine.VLLM else part.dp)


def test_data_parallel_attention_of_sglang_is_within_its_tensor_parallelism() -> None:
    found = recorded("qwen3-235b-sglang-h200", AGGREGATED)
    args = sized_entry(entry(), found, Engine.SGLANG)["engine"]["args"]
    # The command's own manifest of this run has --tensor-parallel-size 8 --data-parallel-size 4 --enable-dp-attention.
    assert args == {"data-parallel-size": "4", "enable-dp-attention": ""}
    assert found.workers[0].gpus == 8


def test_experts_are_divided_as_the_engine_has_it() -> None:
    part = workers(1, 1, dp=4, ep=4)
    assert part.flags(Engine.VLLM) == {"data-parallel-size": "4", "enable-expert-parallel": ""}
    assert part.flags(Engine.SGLANG) == {
        "data-parallel-size": "4",
        "enable-dp-attention": "",
        "expert-parallel-size": "4",
    }
    assert part.flags(Engine.TRTLLM) == {"trtllm.enable_attention_dp": "true", "expert-parallel-size": "4"}


def test_experts_that_are_divided_in_two_ways_are_refused_for_vllm() -> None:
    part = workers(1, 4, ep=2)
    with pytest.raises(SizingError, match="no flag for"):
        part.flags(Engine.VLLM)
    assert part.flags(Engine.SGLANG) == {"expert-parallel-size": "2"}


def test_the_rest_of_an_entry_stays() -> None:
    before = entry(
        engine={"type": "vllm", "args": {"tp": "2", "seed": "1"}, "contextLength": 8192},
        resources={"gpu": {"count": 2, "type": "amd.com/gpu"}, "memory": "64Gi"},
        nodeSelector={"a": "b"},
    )
    kept = copy.deepcopy(before)
    after = sized_entry(before, configuration(workers(3, 4)), Engine.VLLM)
    assert before == kept
    assert after == {
        **before,
        "engine": {"type": "vllm", "args": {"seed": "1"}, "contextLength": 8192},
        "resources": {"gpu": {"count": 4, "type": "amd.com/gpu"}, "memory": "64Gi"},
        "scaling": {"replicas": 3},
    }


def test_another_mode_takes_gpu_type_and_memory_along() -> None:
    gpu = {"type": "amd.com/gpu"}
    one = entry(resources={"gpu": {"count": 1, **gpu}, "memory": "64Gi"}, scaling={"replicas": 2})
    two = sized_entry(one, configuration(workers(2, 1, "prefill"), workers(1, 4, "decode")), Engine.VLLM)
    assert two["resources"] == {"memory": "64Gi"}
    assert two["scaling"] == {
        "prefill": {"replicas": 2, "gpu": {**gpu, "count": 1}},
        "decode": {"replicas": 1, "gpu": {**gpu, "count": 4}},
    }
    own = {role: {**part, "memory": "8Gi"} for role, part in two["scaling"].items()}
    back = sized_entry({**two, "scaling": own, "resources": None}, configuration(workers(1, 1)), Engine.VLLM)
    assert back == entry(resources={"gpu": {**gpu, "count": 1}, "memory": "8Gi"})


def test_a_flag_keeps_its_spelling() -> None:
    before = entry(engine={"args": {"pp": "4"}})
    after = sized_entry(before, configuration(workers(1, 2, pp=2)), Engine.VLLM)
    assert after["engine"]["args"] == {"pp": "2"}


@pytest.mark.parametrize("arguments", [["--tensor-parallel-size", "2"], ["-tp=2"], ["--enable-expert-parallel"]])
def test_parallel_sizes_in_extra_args_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SizingError, match=r"engine.extraArgs\[0\] has .*; write it in engine.args"):
        sized_entry(entry(engine={"extraArgs": arguments}), configuration(workers(1, 2)), Engine.VLLM)


sizes = st.sampled_from([1, 2, 4])


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    pp, dp = draw(sizes), draw(sizes)
    counts = st.integers(1, 20)
    if draw(st.booleans()):
        return configuration(workers(draw(counts), draw(sizes), pp=pp, dp=dp))
    return configuration(*(workers(draw(counts), draw(sizes), role, pp=pp, dp=dp) for role in ("prefill", "decode")))


@given(configurations(), configurations(), st.sampled_from(ENGINES))
def test_any_configuration_can_follow_any_other(first: Configuration, second: Configuration, engine: Engine) -> None:
    start = entry(engine={"type": str(engine)})
    once = sized_entry(start, first, engine)
    assert_sized(once, first, engine)
    assert sized_entry(once, first, engine) == once
    assert_sized(sized_entry(once, second, engine), second, engine)


def test_every_flag_is_of_a_size_and_every_product_of_one_system() -> None:
    data = sizing_data()
    assert set(data.flags) == set(ENGINES)
    assert {row.size for rows in data.flags.values() for row in rows} == {"pp", "dp", "ep"}
    products = [product for products in data.systems.values() for product in products]
    assert len(products) == len(set(products))
    assert data.system_of("NVIDIA-H100-80GB-HBM3") == "h100_sxm"
    assert data.system_of("NVIDIA-L4") is None


def test_a_load_is_told_in_a_line() -> None:
    load = Workload(4000, 500, 1000.0, 30.0, 2.5)
    assert str(load) == "2.5 requests/s, 4000 tokens in, 500 out, TTFT <= 1000 ms, TPOT <= 30 ms"
    assert str(Workload(1, 2, 0.5, 0.25, None, 8)).startswith("8 requests at once, 1 tokens in, 2 out, TTFT <= 0.5 ms")


def test_the_extra_installs_the_version_whose_tables_are_read() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pinned = next(requirement for requirement in extras["size"] if requirement.startswith("aiconfigurator"))
    assert pinned.partition(";")[0] == f"aiconfigurator=={sizing_data().version}"
    assert "size" not in extras["all"][0]
