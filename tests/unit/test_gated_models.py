"""Unit (pure): a gated model without a token is warned of, by the lock where it knows it and by its id elsewhere."""

from dataclasses import replace
from typing import Any

import pytest

from airunway.assessment.model_lock import ModelLock
from airunway.planning.deployment import plan_entry
from airunway.planning.settings import StackSettings
from tests.unit.samples import GPU, TARGET

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
REVISION = "ab" * 20


def gated(model_id: str = LLAMA, target: Any = TARGET, **fields: Any) -> list[str]:
    entry = {"name": "demo", "model": {"id": model_id}, "provider": {"name": "vllm"}} | GPU | fields
    return [warning for warning in plan_entry(entry, target).warnings if "gated" in warning]


def locked(model_id: str, *, is_gated: bool) -> Any:
    models = {model_id: {"revision": REVISION, "gated": is_gated}}
    return replace(TARGET, lock=ModelLock.model_validate({"models": models}))


def test_a_gated_model_without_a_token_says_what_to_do() -> None:
    assert gated() == [
        f"model.id: {LLAMA} is gated, and there is no token to download it with; accept its terms on Hugging Face, then"
        " run: pulumi config set --secret airunway:huggingFaceToken"
    ]


@pytest.mark.parametrize("model_id", ["google/gemma-2b", "google/gemma-3-4b-it", "google/gemma-7b-it", "meta-llama/x"])
def test_a_model_is_known_by_its_id_where_no_lock_has_it(model_id: str) -> None:
    assert len(gated(model_id)) == 1
    assert len(gated(model_id, locked("org/other", is_gated=False))) == 1


@pytest.mark.parametrize(
    "model_id", ["Qwen/Qwen3-8B", "google/gemma-4-31B-it", "org/meta-llama", "/models/meta-llama/x"]
)
def test_other_models_need_no_token(model_id: str) -> None:
    assert gated(model_id) == []


def test_the_lock_knows_better_than_the_id() -> None:
    assert gated(LLAMA, locked(LLAMA, is_gated=False)) == []
    assert len(gated("org/model", locked("org/model", is_gated=True))) == 1


SECRET = {"valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}}


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({}, replace(TARGET, has_token=True)),
        ({}, replace(TARGET, settings=StackSettings.model_validate({"huggingFaceSecret": "hf"}))),
        ({"secrets": {"huggingFaceToken": "hf"}}, TARGET),
        ({"env": [{"name": "HUGGING_FACE_HUB_TOKEN"} | SECRET]}, TARGET),
        ({"engine": {"type": "vllm", "image": "registry.example/vllm-with-llama:1"}}, TARGET),
    ],
    ids=["stack's token", "stack's Secret", "deployment's Secret", "environment", "image of one's own"],
)
def test_with_a_token_there_is_nothing_to_say(fields: dict[str, Any], target: Any) -> None:
    assert gated(target=target, **fields) == []
