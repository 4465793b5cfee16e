"""Unit (pure): YAML inside a live object, against what k8s.io/apimachinery 0.37.2 (util/yaml), by which KubeRay reads
it, made of it.
"""

from typing import Any

import pytest

from airunway.provider.embedded_yaml import read_embedded
from airunway.provider.live_object import UnreadableError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: on", {"a": True}),
        ("a: y", {"a": True}),
        ("a: No", {"a": False}),
        ("a: 1e3", {"a": 1000}),
        ("a: 0x10", {"a": 16}),
        ("a: 010", {"a": 8}),
        ("a: 1_000", {"a": 1000}),
        ("a: 1.0", {"a": 1}),
        ("a: .5", {"a": 0.5}),
        ("a: 2026-01-01", {"a": "2026-01-01"}),
        ("a: ~", {"a": None}),
        ("1: b", {"1": "b"}),
        ("true: x", {"true": "x"}),
    ],
)
def test_yaml_means_what_it_means_to_the_operator(text: str, value: Any) -> None:
    assert read_embedded(text, "spec.x") == value


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: &b [*b]", "? [a]\n: b", "a: .inf", "a: 1\na: 2", "a: !!timestamp x", "a: 1\n---\nb: 2"],
    ids=repr,
)
def test_what_is_no_plain_data_is_told_with_its_path(text: str) -> None:
    with pytest.raises(UnreadableError, match=r"^spec\.x"):
        read_embedded(text, "spec.x")
