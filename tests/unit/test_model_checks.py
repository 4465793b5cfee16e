"""Unit (pure): a model's id, revision and GGUF file are what a container can fetch, or refused with what to write."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.spec.checks import parse_spec
from airunway.spec.model import ModelDeploymentSpec


def problems(model: dict[str, Any], **fields: Any) -> list[str]:
    return [str(problem) for problem in parse_spec({"model": model} | fields, ModelDeploymentSpec)[1]]


@pytest.mark.parametrize(
    ("given", "write"),
    [
        ("hf://bartowski/SmolLM2-GGUF", "bartowski/SmolLM2-GGUF"),
        ("huggingface://Qwen/Qwen3-4B", "Qwen/Qwen3-4B"),
        ("https://huggingface.co/google/gemma-3-4b-it", "google/gemma-3-4b-it"),
        ("https://hf.co/google/gemma-3-4b-it/tree/main", "google/gemma-3-4b-it"),
        ("http://www.huggingface.co/org/m/resolve/main/x.gguf", "org/m"),
        ("huggingface.co/org/m", "org/m"),
        ("hf.co/org/m-GGUF:Q5_K_M", "org/m-GGUF"),
    ],
)
def test_an_address_of_a_repository_is_refused_with_its_id(given: str, write: str) -> None:
    (problem,) = problems({"id": given})
    assert problem == f"model.id: '{given}' given, must be an id without scheme and host; write {write}"


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("org/m:", "must be OWNER/NAME"),
        ("org/m@v1.2", "write org/m, and model.revision: v1.2"),
        ("org/m/extra", "must be OWNER/NAME"),
        ("org//m", "must be OWNER/NAME"),
        ("org/", "must be OWNER/NAME"),
        ("oci://ghcr.io/org/m", "an image belongs into image"),
    ],
)
def test_what_is_no_id_is_refused(given: str, hint: str) -> None:
    (problem,) = problems({"id": given}, resources={"gpu": {"count": 1}})
    assert problem.startswith(f"model.id: '{given}' given, ")
    assert hint in problem


@pytest.mark.parametrize(
    "given", ["gpt2", "a/b", "Org.x/Model_1.5-b", "/models/mine/here", "s3://bucket/m", "gs://b/m/x", "org/m-GGUF:Q8_0"]
)
def test_ids_paths_and_object_stores_are_accepted(given: str) -> None:
    assert problems({"id": given}) == []


def test_the_id_of_an_image_s_own_model_is_not_looked_at() -> None:
    assert problems({"id": "a/b/c", "source": "custom"}, image="registry.example/m:1") == []


@pytest.mark.parametrize(
    ("file", "output"),
    [
        ("Q2/big-00002-of-00003.gguf", "which is one of 3 parts, and only one file is fetched"),
        ("big-00001-of-00012.gguf", "which is one of 12 parts"),
        ("Q?_K.gguf", "must be the name of one file"),
        ("*.gguf", "must be the name of one file"),
        ("m-[48].gguf", "must be the name of one file"),
        ("tiny.Q8_0.GGUF", "ends in .gguf in lower case"),
        ("tiny.Gguf", "ends in .gguf in lower case"),
        (".gguf", "ends in .gguf in lower case"),
        ("https://huggingface.co/a/b/resolve/main/x.gguf", "must be a path inside the repository of model.id"),
        ("/x.gguf", "must be a path inside the repository"),
        ("a/../x.gguf", "must be a path inside the repository"),
        ("./x.gguf", "must be a path inside the repository"),
        ("a//x.gguf", "must be a path inside the repository"),
        ("a\\x.gguf", "must be a path inside the repository"),
        ("x.safetensors", "must be a file name that ends in .gguf"),
    ],
)
@pytest.mark.parametrize("build", [False, True])
def test_what_is_not_one_whole_file_of_the_repository_is_refused(file: str, output: str, build: bool) -> None:
    (problem,) = problems({"id": "a/b", "gguf": {"file": file, "build": build}})
    assert problem.startswith("model.gguf.file: ")
    assert output in problem


@pytest.mark.parametrize("file", ["x.gguf", "a b.gguf", "Q4/x.gguf", "x-00001-of-00001.gguf", "x-2-of-us.gguf"])
def test_one_whole_file_is_accepted(file: str) -> None:
    assert problems({"id": "a/b", "gguf": {"file": file}}) == []


@given(st.integers(1, 99999), st.integers(1, 99999))
def test_a_file_is_whole_where_it_is_the_only_part(part: int, of: int) -> None:
    result = problems({"id": "a/b", "gguf": {"file": f"m-{part:05}-of-{of:05}.gguf"}})
    assert bool(result) == (of > 1)


@pytest.mark.parametrize("source", ["custom", "aikit"])
def test_a_revision_is_of_a_repository(source: str) -> None:
    result = problems({"id": "llama3.2:1b", "source": source, "revision": "v1"}, image="registry.example/m:1")
    assert result == [f"model.revision: only for source huggingface; with source {source} the image holds the model"]


@pytest.mark.parametrize("revision", ["", " v1", "v1 ", "a\nb"])
def test_what_is_no_revision_is_refused(revision: str) -> None:
    assert [p.split(":")[0] for p in problems({"id": "a/b", "revision": revision})] == ["model.revision"]
