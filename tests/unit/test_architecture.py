"""Unit (pure; figures recorded from vLLM 0.33.0's own ModelConfig): what a model's configuration says of its cache."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airunway.assessment.architecture import Architecture, read_architecture
from airunway.assessment.memory_use import CacheNeed
from tests.graph.model_hub import QWEN_CONFIG as QWEN

MODELS = yaml.safe_load(Path(__file__).with_name("architectures.yaml").read_text())
KNOWN = [model for model in MODELS if "elements" in model["vllm"]]


def config(model: dict[str, Any]) -> dict[str, Any]:
    fields = dict(model["config"])
    if "layer_types" in fields:
        fields["layer_types"] = [f"{kind}_attention" for kind in fields["layer_types"].split()]
    return {"model_type": "outer", "text_config": fields} if model.get("nested") else fields


def read(fields: dict[str, Any]) -> Architecture:
    found = read_architecture(fields)
    assert found is not None
    return found


def need(known: Architecture, tensor: int = 1, element: int = 2) -> CacheNeed:
    return CacheNeed(known, element, tensor, 0)


def test_there_are_enough_models_to_compare_with() -> None:
    assert len(KNOWN) >= 30


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["model"])
def test_heads_and_contexts_are_those_that_vllm_reads(model: dict[str, Any]) -> None:
    found, theirs = read(config(model)), model["vllm"]
    assert found.attention_heads == theirs["heads"]
    assert found.context == theirs["context"]


@pytest.mark.parametrize("model", KNOWN, ids=lambda model: model["model"])
def test_the_cache_of_a_token_is_what_vllm_keeps(model: dict[str, Any]) -> None:
    found, theirs = read(config(model)), model["vllm"]
    assert (found.full_layers, found.sliding_layers) == (theirs["full"], theirs["sliding"])
    layers = theirs["full"] + theirs["sliding"]
    assert need(found).bytes_for(1) == 2 * theirs["elements"] * layers


@pytest.mark.parametrize("model", [m for m in MODELS if m not in KNOWN], ids=lambda model: model["model"])
def test_the_cache_of_other_types_is_unknown(model: dict[str, Any]) -> None:
    assert read(config(model)).full_layers is None


@pytest.mark.parametrize(
    ("layers", "key_value_heads", "head_dim", "bytes_of_token"),
    [(32, 8, 128, 131_072), (40, 10, 128, 204_800), (34, 8, 128, 139_264), (36, 8, 128, 147_456), (24, 8, 64, 49_152)],
)
def test_a_token_takes_what_kaito_s_estimator_counts(
    layers: int, key_value_heads: int, head_dim: int, bytes_of_token: int
) -> None:
    """Figures of KAITO 0.12.0's preset generator: 2 × layers × key-value heads × head dimension × 2 bytes."""
    fields = QWEN | {"num_hidden_layers": layers, "num_key_value_heads": key_value_heads, "head_dim": head_dim}
    assert need(read(fields)).bytes_for(1) == bytes_of_token


def test_a_window_ends_the_cache_of_its_layers() -> None:
    types = ["sliding_attention", "full_attention"] * 12
    fields = QWEN | {"model_type": "gpt_oss", "num_hidden_layers": 24, "sliding_window": 128, "layer_types": types}
    cache = need(read(fields))
    token = 2 * 8 * 128 * 2
    assert cache.bytes_for(100) == 24 * 100 * token
    assert cache.bytes_for(10_000) == 12 * 10_000 * token + 12 * 128 * token


def test_gpus_divide_key_value_heads_down_to_one_each() -> None:
    known = read(QWEN)
    one = need(known).bytes_for(1000)
    assert [need(known, tensor).bytes_for(1000) for tensor in (2, 4, 8, 16, 32)] == [one, one, one, 2 * one, 4 * one]


def test_every_gpu_keeps_the_compressed_vectors() -> None:
    known = read({"model_type": "deepseek_v3", "num_hidden_layers": 61, "kv_lora_rank": 512, "qk_rope_head_dim": 64})
    assert need(known).bytes_for(1) == 70_272, "as KAITO's generator has it for DeepSeek V3"
    assert need(known, 8).bytes_for(1) == 8 * 70_272


@pytest.mark.parametrize(
    ("changes", "full", "sliding"),
    [
        ({"sliding_window": 4096}, 0, 28),
        ({"sliding_window": 4096, "use_sliding_window": False}, 28, 0),
        ({"sliding_window": 4096, "use_sliding_window": True}, None, 0),
        ({"sliding_window": 40960}, 28, 0),
        ({"model_type": "brand_new"}, None, 0),
        ({"num_hidden_layers": None}, None, 0),
        ({"num_attention_heads": None}, None, 0),
        ({"model_type": "gpt_oss"}, None, 0),
        ({"model_type": "gpt_oss", "layer_types": ["full_attention"]}, None, 0),
        ({"model_type": "gpt_oss", "layer_types": ["chunked_attention"] * 28}, None, 0),
        ({"model_type": "gpt_oss", "layer_types": ["sliding_attention"] * 28}, None, 0),
        ({"model_type": "nemotron_h", "hybrid_override_pattern": "M*-"}, None, 0),
        ({"model_type": "nemotron_h", "hybrid_override_pattern": "M*-*" * 7}, 14, 0),
        ({"model_type": "deepseek_v3"}, None, 0),
    ],
)
def test_layers_are_counted_or_unknown(changes: dict[str, Any], full: int | None, sliding: int) -> None:
    found = read(QWEN | changes)
    assert (found.full_layers, found.sliding_layers) == (full, sliding)


@pytest.mark.parametrize(
    ("scaling", "context"),
    [
        ({}, 40960),
        ({"rope_type": "default"}, 40960),
        ({"rope_type": "llama3", "factor": 8.0}, 40960),
        ({"type": "longrope"}, 40960),
        ({"type": "yarn", "factor": 40, "original_max_position_embeddings": 1024}, 40960),
        ({"type": "yarn", "factor": 4, "original_max_position_embeddings": 32768}, None),
        ({"type": "linear", "factor": 2}, None),
        ("odd", None),
    ],
)
def test_scaling_that_may_change_the_context_makes_it_unknown(scaling: Any, context: int | None) -> None:
    assert read(QWEN | {"rope_scaling": scaling}).context == context


@pytest.mark.parametrize(
    ("quantization", "element"),
    [
        ({}, False),
        ({"quant_method": "fp8"}, False),
        ({"kv_cache_scheme": None}, False),
        ({"kv_cache_scheme": {"num_bits": 8}}, True),
    ],
)
def test_weights_may_come_with_a_smaller_cache(quantization: Any, element: bool) -> None:
    assert read(QWEN | {"quantization_config": quantization}).is_cache_quantized is element


@given(
    st.dictionaries(
        st.sampled_from([*QWEN, "text_config", "layer_types", "sliding_window", "rope_scaling", "quantization_config"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda v: st.lists(v) | st.dictionaries(st.text(), v),
            max_leaves=5,
        ),
    )
)
def test_whatever_a_configuration_says_is_read_or_left_out(odd: dict[str, Any]) -> None:
    for fields in (odd, QWEN | odd, {"text_config": QWEN | odd}):
        found = read_architecture(fields)
        assert found is None or Architecture.model_validate(found.model_dump(by_alias=True)) == found


@given(st.integers(0, 2**41), st.sampled_from([1, 2, 4, 8, 16]))
def test_the_longest_context_is_the_longest_that_fits(size: int, tensor: int) -> None:
    cache = need(read(QWEN), tensor)
    tokens = cache.tokens_in(size)
    assert cache.bytes_for(tokens) <= size
    assert tokens == 40960 or cache.bytes_for(tokens + 1000) > size
