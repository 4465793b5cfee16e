"""Tier 1 (pure): InferenceProviderConfig documents of both shapes, the built-in ones, and how a stack changes them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.merge import merge_patch
from providers.plan import parse_settings, plan_stack, provider_configs
from providers.problems import InputError
from providers.provider_config import builtin_documents, load_config
from providers.renderers import RENDERERS
from providers.spec import Engine

FLAT = {
    "apiVersion": "kubeairunway.ai/v1alpha1",
    "kind": "InferenceProviderConfig",
    "metadata": {"name": "old", "annotations": {"airunway.ai/installation": json.dumps({"defaultNamespace": "old-system"})}},
    "spec": {"capabilities": {"engines": ["vllm", "llamacpp"], "servingModes": ["aggregated"], "cpuSupport": True, "gpuSupport": False}},
    "status": {"ready": True},
}


def test_the_older_flat_capabilities_are_read() -> None:
    config = load_config(FLAT, "old.yaml")
    capability = config.capability(Engine.LLAMACPP)
    assert capability is not None
    assert (capability.cpu_support, capability.gpu_support) == (True, False)
    assert config.spec.installation.default_namespace == "old-system"


def test_there_is_a_renderer_for_every_built_in_provider_and_the_other_way_round() -> None:
    assert {m.NAME for m in RENDERERS} == set(builtin_documents())


@pytest.mark.parametrize(("name", "version"), [("kaito", "0.10.0"), ("dynamo", "1.1.1"), ("kuberay", "1.7.0")])
def test_the_built_in_versions_are_those_of_the_design(name: str, version: str) -> None:
    (chart,) = load_config(builtin_documents()[name], name).spec.installation.helm_charts
    assert chart.version == version


def test_a_step_by_hand_says_the_chart_and_version_that_the_program_installs() -> None:
    for name, document in builtin_documents().items():
        installation = load_config(document, name).spec.installation
        for chart in installation.helm_charts:
            command = installation.steps[-1].command or ""
            assert f"{chart.chart} --version {chart.version} " in command
            assert f"--namespace {chart.namespace} " in command


def configs_with(**settings: Any) -> Any:
    configs, problems = provider_configs(parse_settings(settings), {})
    assert not problems
    return {c.name: c for c in configs}


def test_a_stack_changes_one_field_of_a_chart_and_keeps_the_others() -> None:
    change = {"installation": {"helmCharts": [{"name": "kaito-workspace", "version": "0.11.0", "values": {"image": {"tag": "x"}}}]}}
    (chart,) = configs_with(providers={"kaito": {"spec": change}})["kaito"].spec.installation.helm_charts
    assert (chart.version, chart.chart) == ("0.11.0", "kaito/workspace")
    assert chart.values["image"] == {"tag": "x"}
    assert chart.values["featureGates"] == {"disableNodeAutoProvisioning": True}


def test_a_stack_disables_a_provider() -> None:
    assert set(configs_with(providers={"kuberay": {"enabled": False}})) == {"kaito", "dynamo"}


def test_a_stack_adds_a_provider_from_a_file() -> None:
    settings = parse_settings({"providerFiles": ["old.yaml"]})
    configs, problems = provider_configs(settings, {"old.yaml": json.dumps(FLAT)})
    assert not problems
    assert "old" in [c.name for c in configs]


def test_a_chosen_provider_without_a_renderer_is_refused() -> None:
    document = FLAT | {"spec": FLAT["spec"] | {"selectionRules": [{"condition": "true", "priority": 999}]}}  # type: ignore[operator]
    settings = parse_settings(
        {"cluster": {"context": "x"}, "providerFiles": ["old.yaml"], "deployments": [{"name": "a", "model": {"id": "a/b"}}]}
    )
    with pytest.raises(InputError, match="old was chosen, but there is no renderer for it; there is one for kaito, dynamo, kuberay"):
        plan_stack(settings, {"old.yaml": json.dumps(document)})


def test_a_bad_rule_in_a_file_is_refused_with_file_and_rule() -> None:
    bad = FLAT | {"spec": FLAT["spec"] | {"selectionRules": [{"condition": "spec.x ==", "priority": 1}]}}  # type: ignore[operator]
    _, problems = provider_configs(parse_settings({"providerFiles": ["old.yaml"]}), {"old.yaml": json.dumps(bad)})
    (problem,) = problems
    assert str(problem).startswith("old.yaml: spec.selectionRules[0].condition: syntax error (line 1, column 8 of `spec.x ==`)")


JSON = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=8,
)
MAPS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@given(MAPS)
def test_an_empty_patch_changes_nothing(base: Any) -> None:
    assert merge_patch(base, {}) == base


@given(MAPS, MAPS)
def test_a_patch_applied_twice_is_applied_once(base: Any, change: Any) -> None:
    once = merge_patch(base, change)
    assert merge_patch(once, change) == once


@given(MAPS, st.sampled_from("abc"))
def test_null_deletes(base: Any, key: str) -> None:
    assert key not in merge_patch(base, {key: None})


@given(MAPS, MAPS)
def test_a_patch_leaves_its_base_alone(base: Any, change: Any) -> None:
    before = json.dumps(base)
    merge_patch(base, change)
    assert json.dumps(base) == before
