"""Unit (pure): whether a locked model can be served by its workers' GPUs, by public figures of models."""

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


SHAPES = {
    LLAMA: {"context": 131_072, "attentionHeads": 64, "keyValueHeads": 8, "headDim": 128, "fullLayers": 80},
    QWEN: {"context": 40_960, "attentionHeads": 16, "keyValueHeads": 8, "headDim": 128, "fullLayers": 28},
}


def shaped(model_id: str = LLAMA, **changes: Any) -> dict[str, Any]:
    """A lock of the model with what its configuration says."""
    shape = {"type": "llama"} | SHAPES[model_id] | changes
    return {model_id: {"revision": COMMIT, "weights": MODELS[model_id], "architecture": shape}}


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


def test_a_context_whose_cache_does_not_fit_is_found_with_one_that_does() -> None:
    """vLLM refuses Llama 3.3 70B with its 131,072 tokens on two H100."""
    (finding,) = told(deployment(LLAMA, 2), lock=shaped())
    assert finding == (
        "mandatory: a: its weights (131.4 GiB) and the cache of one request of 131,072 tokens (40.0 GiB) do not fit the"
        " 147.2 GiB that the engine uses of the 2 × NVIDIA-H100-80GB-HBM3 of each worker (VllmWorker); about 15,000"
        " tokens do: set engine.contextLength"
    )
    assert told(deployment(LLAMA, 2, engine={"contextLength": 15_000}), lock=shaped()) == []
    assert told(deployment(LLAMA, 4), lock=shaped()) == []


def test_what_does_not_fit_by_an_estimate_is_advice() -> None:
    (finding,) = told(deployment(LLAMA, 2, engine={"contextLength": 40_000}), lock=shaped())
    assert finding.startswith("advisory: a: its weights (131.4 GiB) and the cache of one request of 40,000 tokens")
    assert "and about 11.2 GiB for the engine itself do not fit" in finding


def test_weights_that_leave_nothing_for_a_cache_are_advice() -> None:
    pool = H100 | {"gpu": {"product": "ACME-1", "count": 8}}
    (finding,) = told(
        deployment(LLAMA, 2, engine={"args": {"max-model-len": "auto"}}),
        pool,
        lock=shaped(),
        gpuTypes={"ACME-1": "74Gi"},
    )
    assert finding == (
        "advisory: a: its weights (131.4 GiB) and about 11.2 GiB for the engine itself do not fit the 136.2 GiB that"
        " the engine uses of the 2 × ACME-1 of each worker (VllmWorker); ask for more GPUs"
    )


@pytest.mark.parametrize(
    ("engine", "fits"),
    [
        ({"args": {"max-model-len": "auto"}}, True),
        ({"args": {"max-model-len": "-1"}}, True),
        ({"args": {"max-model-len": "10000"}}, True),
        ({"args": {"max-model-len": "32k"}}, True),
        ({"args": {"max-model-len": "60000"}}, False),
        ({"args": {"max_model_len": "60000"}}, False),
        ({"args": {"max-model-len": "60000", "kv-cache-dtype": "fp8"}}, True),
        ({"args": {"max-model-len": "60000", "kv-cache-dtype": "turboquant_4bit_nc"}}, True),
        ({"args": {"max-model-len": "40000", "gpu-memory-utilization": "0.98"}}, True),
        ({"args": {"max-model-len": "60000", "kv-cache-memory-bytes": "60G"}}, True),
        ({"args": {"max-model-len": "60000", "decode-context-parallel-size": "2"}}, True),
        ({"args": {"data-parallel-size": "2"}}, True),
        ({"extraArgs": ["--max-model-len=60000"]}, False),
    ],
)
def test_arguments_decide_the_cache(engine: dict[str, Any], fits: bool) -> None:
    mandatory = [text for text in told(deployment(LLAMA, 2, engine=engine), lock=shaped()) if "mandatory" in text]
    assert (not mandatory) is fits


def test_a_cache_of_eight_bits_takes_half() -> None:
    assert told(deployment(LLAMA, 2, engine={"contextLength": 60_000}), lock=shaped())[0].startswith("mandatory")
    quantized = shaped(isCacheQuantized=True)
    assert "advisory" in told(deployment(LLAMA, 2, engine={"contextLength": 60_000}), lock=quantized)[0]


def test_an_engine_that_takes_what_fits_is_only_told_where_nothing_does() -> None:
    def preset(gpus: int) -> list[str]:
        entry = deployment(LLAMA, gpus, provider={"name": "kaito"}, secrets={"huggingFaceToken": "token"})
        return told(entry, H100 | {"gpu": {"product": "NVIDIA-L4", "count": gpus}}, lock=shaped())

    assert preset(8) == []
    assert preset(4) == [
        "mandatory: a: its weights (131.4 GiB) do not fit the 4 × NVIDIA-L4 (96.0 GiB) of each worker; at least 6 are"
        " needed"
    ]


@pytest.mark.parametrize("engine_type", ["sglang", "trtllm"])
def test_of_other_engines_only_the_weights_are_counted(engine_type: str) -> None:
    engine = {"type": engine_type}
    assert told(deployment(LLAMA, 2, engine=engine), lock=shaped()) == []
    assert len(told(deployment(LLAMA, 1, engine=engine), lock=shaped())) == 1


def test_without_the_configuration_only_the_weights_are_counted() -> None:
    assert told(deployment(LLAMA, 2)) == []
    unknown = {"type": "brand_new"}
    lock = {LLAMA: {"revision": COMMIT, "weights": MODELS[LLAMA], "architecture": unknown}}
    assert told(deployment(LLAMA, 2), lock=lock) == []


def test_heads_that_gpus_do_not_divide_are_found_with_and_without_node_pools() -> None:
    entry = deployment(QWEN, 3)
    message = "its 16 attention heads can't be divided among 3 GPUs of a worker; 1, 2 divide them"
    assert told(entry, lock=shaped(QWEN)) == [f"mandatory: a: {message}"]
    assert told(entry, lock=shaped(QWEN), nodePools=[]) == [f"mandatory: a: {message}"]
    assert told(deployment(QWEN, 6, engine={"args": {"pipeline-parallel-size": "3"}}), lock=shaped(QWEN)) == []


def test_a_context_beyond_the_model_s_is_found_unless_the_engine_is_told_to_take_it() -> None:
    entry = deployment(QWEN, 1, engine={"contextLength": 65_536})
    message = "a context of 65,536 tokens is asked for, but the model's longest is 40,960"
    assert told(entry, lock=shaped(QWEN)) == [f"mandatory: a: {message}"]
    assert told(entry, lock=shaped(QWEN), fit="advisory") == [f"advisory: a: {message}"]
    assert told(entry, lock=shaped(QWEN), fit="off") == []
    allowed = entry | {"env": [{"name": "VLLM_ALLOW_LONG_MAX_MODEL_LEN", "value": "1"}]}
    assert told(allowed, lock=shaped(QWEN)) == []


def test_what_a_worker_s_gpus_are_taken_by_is_known() -> None:
    (known,) = assessed(deployment(LLAMA, 4), lock=shaped()).deployments
    (use,) = known.memory
    assert (use.gpus, use.product, use.context, use.longest) == (4, "NVIDIA-H100-80GB-HBM3", 131_072, 131_072)
    assert use.memory == 320 * 2**30
    assert use.cache == 40 * 2**30
    assert use.free == use.usable - use.weights - use.cache - use.overhead > 0


def gguf(memory: str | None, file: str = "m-Q8_0.gguf", **more: Any) -> dict[str, Any]:
    resources = {"cpu": "4"} | ({"memory": memory} if memory else {})
    model = {"id": "org/m-GGUF", "gguf": {"file": file}}
    return {"name": "a", "model": model, "resources": resources, "provider": {"name": "kaito"}} | more


@pytest.mark.parametrize(
    ("memory", "file", "is_told"),
    [
        ("4Gi", "m-Q8_0.gguf", True),
        ("8Gi", "m-Q8_0.gguf", False),
        (None, "m-Q8_0.gguf", False),
        ("4Gi", "small.gguf", False),
        ("4Gi", "unknown.gguf", False),
    ],
)
def test_a_gguf_file_larger_than_the_memory_is_advice(memory: str | None, file: str, is_told: bool) -> None:
    sizes = {"m-Q8_0.gguf": 6, "small.gguf": 1}
    files = [{"path": path, "bytes": size * 2**30} for path, size in sizes.items()]
    found = told(gguf(memory, file), lock={"org/m-GGUF": {"revision": COMMIT, "files": files}}, nodePools=[])
    advice = "advisory: a: its file (6.0 GiB) does not fit resources.memory 4Gi, so it would be read again and again"
    assert found == ([advice] if is_told else [])
