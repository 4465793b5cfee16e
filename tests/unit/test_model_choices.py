"""Unit (pure): the models that a new deployment may begin with, and what the form is filled in with for each."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.assessment.architecture import Architecture
from airunway.assessment.model_lock import LockedFile, LockedModel, ModelLock
from airunway.console.check import Context, check
from airunway.console.model_choices import (
    copied_choices,
    counted,
    file_path,
    free_name,
    gguf_files,
    is_on_hub,
    locked_choices,
    model_facts,
    next_path,
    premade_choices,
    typed_key,
)
from airunway.planning.deployment import PlanContext
from airunway.planning.entries import Entry, EntryLocation
from airunway.planning.settings import StackSettings
from airunway.provider.aikit import aikit_data
from airunway.spec.checks import parse_spec
from airunway.spec.entry import DeploymentEntry
from airunway.text.names import DNS_LABEL
from providers import PROVIDERS
from tests.unit.samples import builtin

SAFE = LockedModel(
    revision="a" * 40,
    license="apache-2.0",
    weights={"BF16": 751_632_384},
    architecture=Architecture(type="qwen3", context=40960),
)


def gguf(*files: tuple[str, int], **facts: Any) -> LockedModel:
    return LockedModel(revision="a" * 40, files=[LockedFile(path=path, bytes=size) for path, size in files], **facts)


def values(path: str) -> dict[str, str]:
    address = urlsplit(path)
    assert address.path == "form"
    return dict(parse_qsl(address.query, strict_parsing=True))


def test_a_locked_model_says_its_size_licence_and_context() -> None:
    assert list(model_facts(SAFE)) == ["752 M parameters", "1.5 GB of weights", "apache-2.0", "context 40,960"]
    assert list(model_facts(gguf(("a.gguf", 1), ("b.gguf", 2)))) == ["2 GGUF files", "licence unknown"]
    assert list(model_facts(LockedModel(revision="a" * 40))) == ["licence unknown"]


def test_the_form_of_a_locked_model_asks_for_a_gpu_and_a_free_name() -> None:
    lock = ModelLock(
        models={"Qwen/Qwen3-0.6B": SAFE, "Qwen/Qwen3-0.6B@v1": SAFE, "a/gated": SAFE.model_copy(update={"gated": True})}
    )
    choices = locked_choices(lock, {"qwen3-0-6b"})
    assert [(c.id, c.is_gated) for c in choices] == [
        ("a/gated", True),
        ("Qwen/Qwen3-0.6B", False),
        ("Qwen/Qwen3-0.6B@v1", False),
    ]
    first = {"name": "qwen3-0-6b-2", "model.id": "Qwen/Qwen3-0.6B", "resources.gpu.count": "1"}
    assert values(choices[1].path) == first
    assert values(choices[2].path) == first | {"model.revision": "v1"}
    assert locked_choices(None, ()) == []


def test_of_a_model_in_gguf_files_a_file_is_chosen_first() -> None:
    only = gguf(("m.gguf", 1), ("README.md", 1))
    assert next_path("o/m@v 1", only, ()) == "files?model=o%2Fm%40v+1"
    both = gguf(("m.gguf", 1), ("m.safetensors", 1))
    assert values(next_path("o/m", both, ()))["model.id"] == "o/m"
    assert values(file_path("o/m", "f/m.gguf", ())) == {"name": "m", "model.id": "o/m", "model.gguf.file": "f/m.gguf"}
    assert values(file_path("o/m", None, ())) == {"name": "m", "model.id": "o/m", "engine.type": "llamacpp"}


def test_only_files_that_hold_a_whole_model_can_be_chosen_the_smallest_first() -> None:
    files = [
        "big.gguf",
        "q/small.gguf",
        "m-00001-of-00002.gguf",
        "mmproj-F16.gguf",
        "q/mmproj-x.gguf",
        "UP.GGUF",
        ".gguf",
    ]
    sizes = {"big.gguf": 9, "q/small.gguf": 3}
    found = gguf_files(gguf(*((path, sizes.get(path, 1)) for path in files), ("m-00001-of-00001.gguf", 5)))
    assert [file.path for file in found] == ["q/small.gguf", "m-00001-of-00001.gguf", "big.gguf"]


def test_every_pre_made_model_and_every_locked_one_fills_in_a_form_that_can_be_saved() -> None:
    context = Context(PlanContext(PROVIDERS, builtin(), StackSettings()), {})
    choices = [*premade_choices(()), *locked_choices(ModelLock(models={"Qwen/Qwen3-0.6B": SAFE}), ())]
    assert len(choices) == len(aikit_data()["premade"]) + 1
    for choice in choices:
        checked = check(values(choice.path), context)
        assert checked.is_valid, (choice, checked.errors, checked.general)
    whole = check(values(file_path("o/m-GGUF", "m.gguf", ())), context)
    assert whole.is_valid
    assert whole.planned
    assert whole.planned.warnings == []


def test_deployments_are_offered_for_copying_but_for_invalid_ones() -> None:
    data: list[Any] = [{"name": "one", "model": {"id": "o/m"}}, {"name": "No"}, "text", {"model": {"id": "o/m"}}]
    image = {"name": "own", "model": {"source": "custom"}, "image": "x:1", "engine": {"type": "vllm"}}
    entries = []
    for entry in (*data, image):
        spec, problems = parse_spec(entry, DeploymentEntry)
        entries.append(Entry(EntryLocation("x"), entry, spec, tuple(problems)))
    choices = list(copied_choices("prod eu", entries))
    assert [(c.id, c.facts) for c in choices] == [
        ("prod eu/one", ("o/m",)),
        ("prod eu/own", ("the model of its image",)),
    ]
    assert values(choices[0].path) == {"copy": "prod eu/one"}


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ({"model.id": " o/m "}, "o/m"),
        ({"model.id": "o/m", "model.revision": "main"}, "o/m"),
        ({"model.id": "o/m", "model.revision": "v1"}, "o/m@v1"),
        ({"model.id": "llama3.2:1b", "model.source": "aikit"}, None),
        ({"model.id": "x", "model.source": "custom"}, None),
        ({"model.id": "  "}, None),
        ({}, None),
    ],
)
def test_a_form_names_a_model_of_the_lock(form: dict[str, str], key: str | None) -> None:
    assert typed_key(form) == key


def test_a_path_or_an_address_is_not_on_the_hub() -> None:
    assert [k for k in ("o/m", "o/m@v1", "/models/m", "s3://b/m", "gpt2", "o/m/x", "") if is_on_hub(k)] == [
        "o/m",
        "o/m@v1",
    ]


@given(st.text(max_size=80), st.sets(st.sampled_from(["model", "model-2", "m", "m-2", "m-3"])))
def test_a_name_is_always_one_that_kubernetes_takes_and_nothing_has(text: str, taken: set[str]) -> None:
    name = free_name(text, taken)
    assert re.fullmatch(DNS_LABEL, name)
    assert len(name) <= 50
    assert name not in taken


def test_names_that_are_taken_are_numbered() -> None:
    assert free_name("org/m", {"m", "m-2"}) == "m-3"
    assert free_name("模型", {"model"}) == "model-2"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (123_456, "123,456"),
        (999_499, "999,499"),
        (999_999, "1 M"),
        (751_632_384, "752 M"),
        (8_190_735_360, "8.2 B"),
        (999_990_000_000, "1.0 T"),
        (1_000_000_000_000, "1.0 T"),
    ],
)
def test_large_numbers_are_short(number: int, text: str) -> None:
    assert counted(number) == text
