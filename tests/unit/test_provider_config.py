"""Unit (pure): InferenceProviderConfig documents of both shapes, the built-in ones, and how a stack changes them."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.planning.catalog import read_provider_configs
from airunway.planning.files import Files
from airunway.planning.plan import parse_settings, plan_stack
from airunway.selection.provider_config import HelmChart, chart_name, load_config
from airunway.spec.model import Engine
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError
from providers import PROVIDERS

FLAT = {
    "apiVersion": "kubeairunway.ai/v1alpha1",
    "kind": "InferenceProviderConfig",
    "metadata": {
        "name": "old",
        "annotations": {"airunway.ai/installation": json.dumps({"defaultNamespace": "old-system"})},
    },
    "spec": {
        "capabilities": {
            "engines": ["vllm", "llamacpp"],
            "servingModes": ["aggregated"],
            "cpuSupport": True,
            "gpuSupport": False,
        }
    },
    "status": {"ready": True},
}


def test_the_older_flat_capabilities_are_read() -> None:
    config = load_config(FLAT, "old.yaml")
    capability = config.capability(Engine.LLAMACPP)
    assert capability is not None
    assert (capability.cpu_support, capability.gpu_support) == (True, False)
    assert config.spec.installation.default_namespace == "old-system"


def test_there_is_a_renderer_for_every_built_in_provider_and_the_other_way_round() -> None:
    assert {m.NAME for m in PROVIDERS} == set(PROVIDERS.documents)


@pytest.mark.parametrize(("name", "version"), [("kaito", "0.12.0"), ("dynamo", "1.6.1"), ("kuberay", "1.7.0")])
def test_the_built_in_versions_are_those_of_the_design(name: str, version: str) -> None:
    (chart,) = load_config(PROVIDERS.documents[name], name).spec.installation.helm_charts
    assert chart.version == version


def test_a_step_by_hand_says_the_chart_and_version_that_the_program_installs() -> None:
    for name, document in PROVIDERS.documents.items():
        installation = load_config(document, name).spec.installation
        for chart in installation.helm_charts:
            command = installation.steps[-1].command or ""
            assert f"{chart.chart} --version {chart.version} " in command
            assert f"--namespace {chart.namespace} " in command


def configs_with(**settings: Any) -> Any:
    configs, problems = read_provider_configs(parse_settings(settings), Files(), PROVIDERS)
    assert not problems
    return {c.name: c for c in configs}


def test_a_stack_changes_one_field_of_a_chart_and_keeps_the_others() -> None:
    change = {
        "installation": {
            "helmCharts": [{"name": "kaito-workspace", "version": "0.13.0", "values": {"image": {"tag": "x"}}}]
        }
    }
    (chart,) = configs_with(providers={"kaito": {"spec": change}})["kaito"].spec.installation.helm_charts
    assert (chart.version, chart.chart) == ("0.13.0", "kaito/workspace")
    assert chart.values["image"] == {"tag": "x"}
    assert chart.values["featureGates"] == {"disableNodeAutoProvisioning": True}


def test_a_stack_disables_a_provider() -> None:
    assert set(configs_with(providers={"kuberay": {"enabled": False}})) == {"kaito", "dynamo", "vllm"}


def test_a_stack_adds_a_provider_from_a_file() -> None:
    settings = parse_settings({"providerFiles": ["old.yaml"]})
    configs, problems = read_provider_configs(settings, Files.from_texts({"old.yaml": json.dumps(FLAT)}), PROVIDERS)
    assert not problems
    assert "old" in [c.name for c in configs]


def test_a_provider_that_two_files_describe_is_refused_with_both() -> None:
    files = Files.from_texts({"a.yaml": json.dumps(FLAT), "b.yaml": json.dumps(FLAT)})
    _, problems = read_provider_configs(parse_settings({"providerFiles": ["a.yaml", "b.yaml"]}), files, PROVIDERS)
    assert list(map(str, problems)) == ["b.yaml: metadata.name: 'old' is in a.yaml too; give it once"]


def test_a_chosen_provider_without_a_renderer_is_refused() -> None:
    document = FLAT | {"spec": FLAT["spec"] | {"selectionRules": [{"condition": "true", "priority": 999}]}}  # type: ignore[operator]
    settings = parse_settings(
        {
            "cluster": {"context": "x"},
            "providerFiles": ["old.yaml"],
            "deployments": [{"name": "a", "model": {"id": "a/b"}}],
        }
    )
    with pytest.raises(
        InputError, match="old was chosen, but there is no renderer for it; there is one for kaito, dynamo, kuberay"
    ):
        plan_stack(settings, Files.from_texts({"old.yaml": json.dumps(document)}), PROVIDERS)


def test_a_built_in_document_claims_just_what_its_renderer_knows() -> None:
    claims = {
        name: load_config(document, name).spec.capabilities.engines for name, document in PROVIDERS.documents.items()
    }
    assert {m.NAME: {e: tuple(modes) for e, modes in m.SUPPORTED.items()} for m in PROVIDERS} == {
        n: {e.name: tuple(e.serving_modes) for e in es} for n, es in claims.items()
    }


@pytest.mark.parametrize(
    ("engine", "mode", "output"),
    [
        ("sglang", "aggregated", "engine.type: kaito was chosen, whose renderer knows vllm, llamacpp, not sglang"),
        (
            "vllm",
            "disaggregated",
            "serving.mode: kaito was chosen, whose renderer knows vllm aggregated, not disaggregated",
        ),
    ],
)
def test_what_a_document_claims_beyond_the_renderer_is_refused_not_rendered_as_something_else(
    engine: str, mode: str, output: str
) -> None:
    claim = {"name": engine, "servingModes": ["aggregated", "disaggregated"], "gpuSupport": True}
    pools = {role: {"replicas": 1, "gpu": {"count": 1}} for role in ("prefill", "decode")}
    size: dict[str, Any] = {"scaling": pools} if mode == "disaggregated" else {"resources": {"gpu": {"count": 1}}}
    entry = {
        "name": "a",
        "model": {"id": "a/b"},
        "provider": {"name": "kaito"},
        "engine": {"type": engine},
        "serving": {"mode": mode},
        **size,
    }
    settings = {
        "cluster": {"context": "x"},
        "providers": {"kaito": {"spec": {"capabilities": {"engines": [claim]}}}},
        "deployments": [entry],
    }
    with pytest.raises(InputError, match=output):
        plan_stack(parse_settings(settings), Files(), PROVIDERS)


def test_a_document_of_a_built_in_provider_has_the_built_in_images_and_quantities_where_it_names_none() -> None:
    capabilities = {"engines": [{"name": "vllm", "gpuSupport": True}, {"name": "sglang", "gpuSupport": True}]}
    spec = {
        "capabilities": capabilities,
        "selectionRules": [{"condition": "true", "priority": 1}],
        "images": {"sglang": "mine:1"},
    }
    document = FLAT | {"metadata": {"name": "dynamo"}, "spec": spec}
    entries = [
        {"name": e, "model": {"id": "a/b"}, "engine": {"type": e}, "resources": {"gpu": {"count": 1}}}
        for e in ("vllm", "sglang")
    ]
    settings = parse_settings({"cluster": {"context": "x"}, "providerFiles": ["d.yaml"], "deployments": entries})
    rendered = [
        json.dumps(d.rendered.resource)
        for d in plan_stack(settings, Files.from_texts({"d.yaml": json.dumps(document)}), PROVIDERS).deployments
    ]
    assert PROVIDERS.documents["dynamo"]["spec"]["images"]["vllm"] in rendered[0]
    assert "mine:1" in rendered[1]


@pytest.mark.parametrize(
    ("change", "output"),
    [
        ({"metadata": None}, "d.yaml: metadata.name: required"),
        ({"metadata": {"name": 3}}, "d.yaml: metadata.name: required"),
        (
            {"metadata": {"name": "old", "annotations": {"airunway.ai/installation": "{a"}}},
            "d.yaml: .*installation is not JSON",
        ),
        ({"metadata": {"name": "old", "annotations": 1}}, "d.yaml: metadata.annotations: "),
        ({"spec": None}, "d.yaml: spec"),
        ({"spec": {"capabilities": {"engines": ["vllm"]}, "images": ["x"]}}, "d.yaml: spec.images"),
        *(
            (
                {"metadata": {"name": "kaito"}, "spec": {"capabilities": {"engines": []}, field: value}},
                f"d.yaml: spec.{field}",
            )
            for field in ("installation", "images", "defaults", "selectionRules", "capabilities")
            for value in (True, 3, "text", [1])
        ),
    ],
)
def test_a_document_of_another_shape_is_refused_with_its_place(change: dict[str, Any], output: str) -> None:
    _, problems = read_provider_configs(
        parse_settings({"providerFiles": ["d.yaml"]}),
        Files.from_texts({"d.yaml": json.dumps(FLAT | change)}),
        PROVIDERS,
    )
    assert re.match(output, str(problems[0])), problems


def test_a_list_is_merged_by_name_only_where_names_are_text() -> None:
    patch = [{"name": {"a": 1}, "x": 1}]
    assert merge_patch([{"name": {"a": 1}}], patch, lists_by_name=True) == patch


def test_a_bad_rule_in_a_file_is_refused_with_file_and_rule() -> None:
    bad = FLAT | {"spec": FLAT["spec"] | {"selectionRules": [{"condition": "spec.x ==", "priority": 1}]}}  # type: ignore[operator]
    _, problems = read_provider_configs(
        parse_settings({"providerFiles": ["old.yaml"]}), Files.from_texts({"old.yaml": json.dumps(bad)}), PROVIDERS
    )
    (problem,) = problems
    assert str(problem).startswith(
        "old.yaml: spec.selectionRules[0].condition: syntax error (line 1, column 8 of `spec.x ==`)"
    )


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


@pytest.mark.parametrize(
    ("reference", "name", "repository"),
    [
        ("kaito/workspace", "workspace", "kaito"),
        ("workspace", "workspace", None),
        ("oci://registry.internal/charts/workspace", "workspace", None),
        ("https://mirror.internal/workspace-1.0.0.tgz", None, None),
        ("charts/workspace-1.0.0.tgz", None, None),
        ("./charts/workspace", None, None),
        ("../workspace", None, None),
        ("/charts/workspace", None, None),
    ],
)
def test_a_chart_s_reference_says_its_name_and_repository_or_leaves_them_to_helm(
    reference: str, name: str | None, repository: str | None
) -> None:
    assert chart_name(reference) == name
    assert HelmChart(name="x", chart=reference, namespace="x").repository == repository
