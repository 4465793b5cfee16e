"""Unit (pure): references of built images: valid, shared by equal inputs and by no others."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.planning.image_build import ImageInputs, PlannedImage, plan_image
from airunway.planning.plan import parse_settings
from tests.unit.image_stacks import BUILT, planned_image, stack
from tests.unit.samples import spec


def test_two_deployments_of_one_file_share_an_image() -> None:
    assert len(stack(BUILT, BUILT | {"name": "b", "engine": {"contextLength": 4096}}).images) == 1


@pytest.mark.parametrize(
    "other",
    [
        {
            "deployment": BUILT
            | {"model": {"id": "Qwen/Other-GGUF", "gguf": {"file": "Qwen3-0.6B-Q8_0.gguf", "build": True}}}
        },
        {
            "deployment": BUILT
            | {"model": {"id": "Qwen/Qwen3-0.6B-GGUF", "gguf": {"file": "Qwen3-0.6B-Q4_0.gguf", "build": True}}}
        },
        {"deployment": BUILT | {"resources": {"gpu": {"count": 1}}}},
        {"builder": {"platform": "linux/arm64"}},
        {"builder": {"frontend": "mirror.internal/aikit:v0.21.0"}},
        {"builder": {"context": "https://mirror.internal/aikitfile.yaml"}},
    ],
)
def test_a_change_of_any_input_is_another_job_and_another_reference(other: dict[str, Any]) -> None:
    deployment = other.pop("deployment", BUILT)
    (changed,) = stack(deployment, **other).images
    assert changed.name != planned_image().name
    assert changed.pull != planned_image().pull


def test_a_change_of_what_is_not_in_the_image_keeps_it() -> None:
    assert planned_image(builder={"timeout": "2h", "storage": "1Ti"}).name == planned_image().name


REPOSITORY = re.compile(r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$")
TAG = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")
NAME = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=200)
INPUTS = st.builds(
    ImageInputs,
    model=NAME,
    file=NAME.map(lambda t: t + ".gguf"),
    frontend=NAME,
    context=NAME,
    platform=NAME,
    runtime=st.none() | NAME,
)


@given(INPUTS)
def test_any_input_makes_a_valid_oci_reference_and_job_name(inputs: ImageInputs) -> None:
    """Grammar: distribution-spec v1.1, "Pulling manifests"."""
    assert REPOSITORY.match(inputs.repository)
    assert TAG.match(inputs.tag)
    built = PlannedImage(inputs, "p", "q", False, parse_settings({}))
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", built.name)


@given(INPUTS, INPUTS)
def test_two_different_inputs_never_share_a_reference(one: ImageInputs, two: ImageInputs) -> None:
    assert (one == two) == ((one.repository, one.tag) == (two.repository, two.tag))


@pytest.mark.parametrize(
    ("file", "tag"),
    [
        ("Qwen3-0.6B-Q8_0.gguf", "Q8_0"),
        ("llama-2-7b-chat.Q4_K_M.gguf", "Q4_K_M"),
        ("model.IQ2_XXS.gguf", "IQ2_XXS"),
        ("model-f16.gguf", "F16"),
        ("model-BF16.gguf", "BF16"),
        ("qwen.gguf", "custom"),
        ("Q4_0/model-q4_0.gguf", "Q4_0"),
    ],
)
def test_the_tag_begins_with_the_quantisation(file: str, tag: str) -> None:
    built = plan_image(spec(model={"id": "a/b", "gguf": {"file": file, "build": True}}), parse_settings({}))
    assert built is not None
    assert built.inputs.tag.rsplit("-", 1)[0] == tag
