"""Unit (pure): what the id of a model says of the engine that can run it."""

from typing import Any

import pytest

from airunway.text.problems import InputError
from tests.unit.samples import DISAGGREGATED, GPU, plan

REPOSITORIES = [
    "NoelJacob/Meta-Llama-3-8B-Instruct-Q4_K_M-GGUF",
    "google/gemma-3-1b-it-qat-q8_0-gguf",
    "unsloth/Qwen3.5-9B-GGUF",
    "org/gguf",
]


@pytest.mark.parametrize("model", REPOSITORIES)
@pytest.mark.parametrize("compute", [{}, GPU])
def test_a_gguf_repository_is_run_by_llama_cpp(model: str, compute: Any) -> None:
    selection = plan({"model": {"id": model}, **compute}).request.selection
    assert (selection.engine, selection.provider) == ("llamacpp", "kaito")


@pytest.mark.parametrize("model", ["gguf/model", "org/ggufmodel", "org/model", "unsloth/Qwen3-8B-GGUF:Q4_K_M"])
def test_another_repository_is_not(model: str) -> None:
    assert plan({"model": {"id": model}, **GPU}).request.selection.engine == "vllm"


def test_an_image_of_one_s_own_is_left_to_the_rules() -> None:
    fields = {"model": {"id": REPOSITORIES[0]}, "engine": {"image": "registry.example/vllm-gguf:1"}, **GPU}
    planned = plan(fields)
    assert planned.request.selection.engine == "vllm"
    assert planned.warnings == []


@pytest.mark.parametrize(
    "fields", [GPU | {"provider": {"name": "vllm"}}, GPU | {"provider": {"name": "dynamo"}}, DISAGGREGATED]
)
def test_where_llama_cpp_does_not_fit_the_error_says_that_only_it_runs_gguf(fields: Any) -> None:
    with pytest.raises(InputError, match=r"a GGUF model runs with llamacpp only, unless engine\.type says otherwise"):
        plan({"model": {"id": REPOSITORIES[1]}, **fields})


def warnings(model: str, **fields: Any) -> list[str]:
    return [w for w in plan({"model": {"id": model}, **fields}).warnings if w.startswith("model.")]


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
def test_another_engine_with_a_gguf_repository_is_warned_of(engine: str) -> None:
    (warning,) = warnings("unsloth/Qwen3-8B-GGUF", engine={"type": engine}, **GPU)
    assert warning.startswith(f"model.id: unsloth/Qwen3-8B-GGUF looks like a GGUF repository, and {engine} can't load")
    assert warnings("unsloth/Qwen3-8B", engine={"type": engine}, **GPU) == []


def test_llama_cpp_with_a_repository_that_need_not_hold_gguf_files_is_warned_of() -> None:
    for fields in ({}, {"engine": {"type": "llamacpp"}, **GPU}, {"resources": {"gpu": {"count": 0}}}):
        (warning,) = warnings("Qwen/Qwen3-0.6B", **fields)
        assert warning.startswith(
            "model.id: llama.cpp runs only *.gguf files, and nothing says that Qwen/Qwen3-0.6B has"
        )
        assert "set resources.gpu.count" in warning


def test_a_gguf_repository_without_a_file_is_warned_of() -> None:
    (warning,) = warnings("unsloth/gemma-3-1b-it-GGUF", resources={"cpu": "4"})
    assert warning.startswith(
        "model.gguf.file: not set, so every *.gguf file of unsloth/gemma-3-1b-it-GGUF is downloaded"
    )
    named = {"model": {"id": "unsloth/gemma-3-1b-it-GGUF", "gguf": {"file": "gemma-3-1b-it-Q4_K_M.gguf"}}}
    assert plan(named).warnings == []
    assert plan({"model": {"source": "aikit", "id": "gemma2:2b"}}).warnings == []
