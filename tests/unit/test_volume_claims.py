"""Unit (pure): what can be changed about the volumes of registry and builder once they are there."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.planning.settings import StackSettings
from airunway.planning.volume_claims import registry_claim_problems


def settings(registry: dict[str, Any], builder: dict[str, Any]) -> StackSettings:
    managed = {"nodeCidrs": ["10.0.0.0/16"]} | registry
    return StackSettings.model_validate({"registry": {"managed": managed}, "builder": builder})


def live(name: str, storage: str, storage_class: str | None = "standard") -> Callable[[str], Mapping[str, Any] | None]:
    spec = {"resources": {"requests": {"storage": storage}}} | (
        {"storageClassName": storage_class} if storage_class else {}
    )
    return lambda asked: {"spec": spec} if asked == name else None


def paths(
    registry: dict[str, Any], builder: dict[str, Any], there: Callable[[str], Mapping[str, Any] | None]
) -> list[str]:
    return [problem.field for problem in registry_claim_problems(settings(registry, builder), there)]


@pytest.mark.parametrize(
    ("name", "setting"), [("airunway-registry", "registry.managed"), ("airunway-builder", "builder")]
)
@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"storage": "60Gi"}, None),
        ({"storage": "50Gi"}, None),
        ({"storage": "51200Mi"}, None),
        ({"storage": "40Gi"}, "storage"),
        ({"storage": "50G"}, "storage"),
        ({"storage": "50Gi", "storageClass": "standard"}, None),
        ({"storage": "50Gi", "storageClass": "fast"}, "storageClass"),
    ],
    ids=lambda value: str(value),
)
def test_a_volume_grows_and_does_nothing_else(
    name: str, setting: str, change: dict[str, Any], refused: str | None
) -> None:
    given_here = (change, {}) if setting.startswith("registry") else ({}, change)
    assert paths(*given_here, live(name, "50Gi")) == ([f"{setting}.{refused}"] if refused else [])


def test_a_volume_that_is_not_there_may_be_anything() -> None:
    assert paths({"storage": "1Gi", "storageClass": "any"}, {"storage": "1Gi"}, lambda name: None) == []


def test_a_volume_without_a_class_gets_none_later() -> None:
    assert paths({"storage": "50Gi", "storageClass": "fast"}, {}, live("airunway-registry", "50Gi", None)) == [
        "registry.managed.storageClass"
    ]


def test_the_refusal_says_what_it_has_and_how_to_make_it_anew() -> None:
    (problem,) = registry_claim_problems(settings({"storage": "1Gi"}, {}), live("airunway-registry", "50Gi"))
    for text in (
        "'1Gi' given",
        "has 50Gi",
        "kubectl delete -n airunway-system deployment/airunway-registry pvc/airunway-registry",
    ):
        assert text in problem.message
    assert "pulumi refresh" in problem.message


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.sampled_from(["Mi", "Gi", "M", "G"]),
    st.sampled_from(["Mi", "Gi", "M", "G"]),
)
def test_only_what_is_smaller_is_refused(now: int, expected: int, unit: str, other: str) -> None:
    scale = {"Mi": 2**20, "Gi": 2**30, "M": 10**6, "G": 10**9}
    smaller = expected * scale[other] < now * scale[unit]
    assert paths({"storage": f"{expected}{other}"}, {}, live("airunway-registry", f"{now}{unit}")) == (
        ["registry.managed.storage"] if smaller else []
    )
