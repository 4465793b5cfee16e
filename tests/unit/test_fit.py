"""Unit (pure): whether the weights of a locked model can be in its workers' GPUs, by public figures of models."""

from typing import Any

import pytest
import yaml

from airunway.assessment.assessment import Assessment
from airunway.assessment.fit import gpu_memory, is_predictable, weight_bytes
from airunway.assessment.model_lock import LOCK_FILE, LockedModel
from airunway.planning.assess import assess
from airunway.planning.files import Files
from airunway.planning.plan import parse_settings, plan_stack
from airunway.text.problems import InputError
from providers import PROVIDERS

COMMIT = "ab" * 20
# Weights by type, as the hub shows them for these repositories.
MODELS = {
    "meta-llama/Llama-3.3-70B-Instruct": {"BF16": 70_553_706_496},
    "Qwen/Qwen3-0.6B": {"BF16": 751_632_384},
    "deepseek-ai/DeepSeek-R1": {"BF16": 3_918_786_560, "F8_E4M3": 680_571_043_840, "F32": 41_555_600},
    "openai/gpt-oss-120b": {"BF16": 2_167_371_072, "U8": 118_244_966_400},
}
LLAMA, QWEN, DEEPSEEK, GPT = MODELS
H100 = {"name": "h100", "nodes": 4, "gpu": {"product": "NVIDIA-H100-80GB-HBM3", "count": 8}, "pricePerHour": 80}
L4 = {"name": "l4", "nodes": 4, "gpu": {"product": "NVIDIA-L4", "count": 1}}


def deployment(model_id: str, gpus: int, **more: Any) -> dict[str, Any]:
    return {
        "name": "a",
        "model": {"id": model_id},
        "resources": {"gpu": {"count": gpus}},
        "provider": {"name": "dynamo"},
    } | more


def assessed(entry: dict[str, Any], *pools: Any, lock: Any = None, **settings: Any) -> Assessment:
    models = {name: {"revision": COMMIT, "weights": weights} for name, weights in MODELS.items()}
    files = Files(texts={LOCK_FILE: yaml.safe_dump({"models": models if lock is None else lock})})
    raw = {"cluster": {"context": "x"}, "deployments": [entry], "nodePools": list(pools or (H100,))} | settings
    return assess(plan_stack(parse_settings(raw), files, PROVIDERS))


def told(entry: dict[str, Any], *pools: Any, **more: Any) -> list[str]:
    return [f"{finding.severity}: {finding}" for finding in assessed(entry, *pools, **more).findings]


def test_a_70b_model_does_not_fit_one_gpu_and_fits_two() -> None:
    assert told(deployment(LLAMA, 1)) == [
        "mandatory: a: its weights (131.4 GiB) do not fit the 1 × NVIDIA-H100-80GB-HBM3 (80.0 GiB) of each worker"
        " (VllmWorker); at least 2 are needed"
    ]
    assert told(deployment(LLAMA, 2)) == []


@pytest.mark.parametrize(
    ("model_id", "too_few", "enough"), [(DEEPSEEK, 8, 16), (GPT, 1, 2), (LLAMA, 1, 2), (QWEN, 0, 1)]
)
def test_models_fit_from_a_number_of_gpus_on(model_id: str, too_few: int, enough: int) -> None:
    """DeepSeek R1 is known not to fit eight H100 with 80 GB."""
    pool = H100 | {"gpu": {"product": "NVIDIA-H100-80GB-HBM3", "count": 16}}
    assert told(deployment(model_id, enough), pool) == []
    if too_few:
        assert len(told(deployment(model_id, too_few))) == 1


def test_replicas_add_no_memory_to_a_worker() -> None:
    assert len(told(deployment(LLAMA, 1, scaling={"replicas": 4}))) == 1


def test_each_role_is_told() -> None:
    pair = deployment(LLAMA, 1) | {
        "resources": {},
        "serving": {"mode": "disaggregated"},
        "scaling": {"prefill": {"gpu": {"count": 1}}, "decode": {"gpu": {"count": 2}}},
    }
    (only,) = told(pair)
    assert "of each worker (" in only
    assert "prefill" in only.lower()


def test_every_product_that_workers_are_on_is_looked_at() -> None:
    findings = told(deployment(LLAMA, 1), L4)
    assert ["NVIDIA-L4 (24.0 GiB)" in finding for finding in findings] == [True]


@pytest.mark.parametrize("provider", ["dynamo", "kuberay", "vllm"])
def test_it_holds_for_every_provider(provider: str) -> None:
    entry = deployment(LLAMA, 1, provider={"name": provider})
    assert len(told(entry)) == 1


def test_a_stack_decides_what_follows() -> None:
    assert told(deployment(LLAMA, 1), fit="advisory")[0].startswith("advisory: a: its weights")
    assert told(deployment(LLAMA, 1), fit="off") == []
    with pytest.raises(InputError, match="advisory, mandatory, off"):
        told(deployment(LLAMA, 1), fit="maybe")


def test_a_gpu_type_of_the_stack_s_own_is_known() -> None:
    own = {"name": "own", "nodes": 1, "gpu": {"product": "ACME-1", "count": 8}}
    assert told(deployment(LLAMA, 1), own) == []
    assert len(told(deployment(LLAMA, 1), own, gpuTypes={"ACME-1": "64Gi"})) == 1
    assert told(deployment(LLAMA, 1), own, gpuTypes={"ACME-1": "256Gi"}) == []
    with pytest.raises(InputError, match=r"gpuTypes\.ACME-1"):
        told(deployment(LLAMA, 1), own, gpuTypes={"ACME-1": "much"})


@pytest.mark.parametrize(
    "engine",
    [
        {"args": {"quantization": "fp8"}},
        {"args": {"cpu-offload-gb": "60"}},
        {"args": {"cpu_offload_gb": "60"}},
        {"args": {"load-format": "bitsandbytes"}},
        {"args": {"dtype": "half"}},
        {"extraArgs": ["--quantization=fp8"]},
        {"extraArgs": ["--hf-overrides", "{}"]},
    ],
)
def test_weights_that_the_engine_changes_are_unknown(engine: dict[str, Any]) -> None:
    assert told(deployment(LLAMA, 1, engine=engine)) == []


def test_other_arguments_change_no_weights() -> None:
    engine = {"args": {"kv-cache-dtype": "fp8", "max-num-seqs": "8", "gpu-memory-utilization": "0.95"}}
    assert is_predictable(engine["args"])
    assert len(told(deployment(LLAMA, 1, engine=engine))) == 1


@pytest.mark.parametrize(
    "locked",
    [
        {},
        {LLAMA: {"revision": COMMIT}},
        {LLAMA: {"revision": COMMIT, "weights": {}}},
        {LLAMA: {"revision": COMMIT, "weights": {"BF16": 70_553_706_496, "F4_NEW": 1}}},
        {f"{LLAMA}@v2": {"revision": COMMIT, "weights": {"BF16": 70_553_706_496}}},
    ],
)
def test_what_is_not_known_is_not_guessed(locked: dict[str, Any]) -> None:
    assert told(deployment(LLAMA, 1), lock=locked) == []


def test_a_slice_of_a_gpu_is_not_taken_for_a_whole_one() -> None:
    resource = "nvidia.com/mig-1g.10gb"
    pool = {"name": "mig", "nodes": 1, "gpu": {"product": "NVIDIA-H100-80GB-HBM3", "count": 7, "resource": resource}}
    entry = deployment(LLAMA, 1) | {"resources": {"gpu": {"count": 1, "type": resource}}}
    assert told(entry, pool) == []


def test_floats_of_32_bits_are_loaded_as_16() -> None:
    locked = LockedModel(revision=COMMIT, weights={"F32": 1_000, "I64": 10})
    assert weight_bytes(locked) == 2_080


def test_every_known_type_has_memory() -> None:
    known = gpu_memory({})
    assert len(known) > 15
    assert all(16 * 2**30 <= amount <= 256 * 2**30 for amount in known.values())
