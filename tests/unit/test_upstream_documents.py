"""Unit (pure): InferenceProviderConfigs as KubeAIRunway's releases write them, in a stack that lists them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.planning.catalog import read_provider_configs
from airunway.planning.files import Files
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.text.helm_values import expand_paths
from airunway.text.problems import InputError
from providers import PROVIDERS

CAPABILITIES = {"engines": [{"name": "vllm", "servingModes": ["aggregated"], "gpuSupport": True}]}


def document(annotations: Any = None, name: str = "dynamo", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "airunway.ai/v1alpha1",
        "kind": "InferenceProviderConfig",
        "metadata": {"name": name, "annotations": annotations or {}},
        "spec": {
            "capabilities": CAPABILITIES,
            "selectionRules": [{"condition": "spec.engine.type == 'vllm'", "priority": 50}],
        }
        | spec,
    }


def stack(doc: dict[str, Any], **settings: Any) -> Plan:
    entry = {"name": "a", "model": {"id": "a/b"}, "engine": {"type": "vllm"}, "resources": {"gpu": {"count": 1}}}
    base = {"cluster": {"context": "x"}, "providerFiles": ["d.yaml"], "deployments": [entry]}
    return plan_stack(parse_settings(base | settings), Files.from_texts({"d.yaml": json.dumps(doc)}), PROVIDERS)


def config(doc: dict[str, Any], **settings: Any) -> InferenceProviderConfig:
    return next(p.config for p in stack(doc, **settings).providers if p.config.name == "dynamo")


BUILTIN = PROVIDERS.documents["dynamo"]["spec"]


def test_a_document_without_an_installation_keeps_the_built_in_one() -> None:
    spec = config(document()).spec
    assert [c.name for c in spec.installation.helm_charts] == ["dynamo-platform"]
    assert spec.installation.default_namespace == BUILTIN["installation"]["defaultNamespace"]
    assert spec.documentation == BUILTIN["documentation"]


@pytest.mark.parametrize(
    "installation", [{}, {"description": "Ours."}, {"steps": [{"title": "a", "description": "b"}]}]
)
def test_an_installation_without_charts_keeps_the_built_in_ones(installation: Any) -> None:
    result = config(document(installation=installation)).spec.installation
    assert [(c.name, c.chart) for c in result.helm_charts] == [
        (c["name"], c["chart"]) for c in BUILTIN["installation"]["helmCharts"]
    ]
    assert result.description == installation.get("description", BUILTIN["installation"]["description"])
    assert config(document(installation={"helmCharts": []})).spec.installation.helm_charts == []


def test_a_stack_changes_the_built_in_chart_of_such_a_document() -> None:
    change = {"dynamo": {"spec": {"installation": {"helmCharts": [{"name": "dynamo-platform", "version": "9.9.9"}]}}}}
    (chart,) = config(document(), providers=change).spec.installation.helm_charts
    assert (chart.version, chart.namespace) == ("9.9.9", "dynamo-system")


ANNOTATED = {
    "airunway.ai/installation": json.dumps(
        {
            "helmCharts": [
                {
                    "name": "dynamo-platform",
                    "chart": "oci://registry.example/dynamo-platform",
                    "version": "1.2.3",
                    "namespace": "dynamo-system",
                    "fetchUrl": "https://example.com/x.tgz",
                    "preCrdUrls": ["https://example.com/crd.yaml"],
                    "skipCrds": True,
                    "values": {"global.grove.install": True, "dynamo-operator": {"a.b": 1}},
                }
            ]
        }
    )
}


def test_an_annotated_chart_is_read_with_its_values_as_paths() -> None:
    (chart,) = config(document(ANNOTATED)).spec.installation.helm_charts
    assert chart.values == {"global": {"grove": {"install": True}}, "dynamo-operator": {"a.b": 1}}
    assert chart.skip_crds
    change = {"dynamo": {"spec": {"installation": {"helmCharts": [{"name": "dynamo-platform", "version": "1.2.4"}]}}}}
    (changed,) = config(document(ANNOTATED), providers=change).spec.installation.helm_charts
    assert (changed.version, changed.values) == ("1.2.4", chart.values)


def test_keys_of_upstream_s_are_left_out_by_name() -> None:
    engines = [
        CAPABILITIES["engines"][0] | {"apiFormats": ["openai-chat"], "requiresCRD": False, "gateway": {"x": 1}},
        {"name": "sglang", "gpuSupport": True, "apiFormats": ["openai-chat"]},
    ]
    warnings = stack(document(ANNOTATED, capabilities={"engines": engines, "gateway": {}})).warnings
    assert [w.split(": ")[:2] for w in warnings] == [
        ["d.yaml", "spec.capabilities.gateway"],
        *(["d.yaml", f"spec.capabilities.engines[].{key}"] for key in ("apiFormats", "requiresCRD", "gateway")),
        *(["d.yaml", f"spec.installation.helmCharts[].{key}"] for key in ("fetchUrl", "preCrdUrls")),
    ]
    assert stack(document()).warnings == ()


def test_a_typing_error_stays_one_and_is_the_only_problem() -> None:
    engines = [CAPABILITIES["engines"][0] | {"gpuSuport": True}]
    with pytest.raises(InputError) as error:
        stack(document(capabilities={"engines": engines}))
    assert [p.field for p in error.value.problems] == ["d.yaml: spec.capabilities.engines[0].gpuSuport"]


@pytest.mark.parametrize(
    ("values", "expanded"),
    [
        ({"a.b.c": 1}, {"a": {"b": {"c": 1}}}),
        ({"global": {"x": 1}, "global.grove.install": True}, {"global": {"x": 1, "grove": {"install": True}}}),
        ({"global.grove.install": True, "global": {"x": 1}}, {"global": {"grove": {"install": True}, "x": 1}}),
        ({"labels.example\\.com/team": "a"}, {"labels": {"example.com/team": "a"}}),
        ({"tolerations[1].key": "spot"}, {"tolerations": [None, {"key": "spot"}]}),
        ({"args[0]": "-v", "args[1]": "2"}, {"args": ["-v", "2"]}),
        ({"a": {"b.c": 1}}, {"a": {"b.c": 1}}),
    ],
)
def test_a_top_level_key_is_a_path_as_for_helm_set(values: Any, expanded: Any) -> None:
    assert expand_paths(values) == expanded


@pytest.mark.parametrize("key", ["a..b", ".a", "a.", "a[", "a[x]", "a[-1]", "a[0]\n", "[0]", ""])
def test_what_is_no_path_is_refused_with_its_place(key: str) -> None:
    chart = {"name": "dynamo-platform", "chart": "oci://r/dynamo-platform", "namespace": "d", "values": {key: 1}}
    settings = parse_settings({"providerFiles": ["d.yaml"]})
    files = Files.from_texts({"d.yaml": json.dumps(document(installation={"helmCharts": [chart]}))})
    _, problems = read_provider_configs(settings, files, PROVIDERS)
    assert [p.field for p in problems] == ["d.yaml: spec.installation.helmCharts[0].values"]
    assert "is no path of a Helm value" in problems[0].message


@pytest.mark.parametrize("values", [{"a": 1, "a.b": 2}, {"a.b": 1, "a[0]": 2}])
def test_a_path_through_another_value_is_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="which another key sets"):
        expand_paths(values)


PLAIN = st.dictionaries(st.text("abc-", min_size=1), st.integers() | st.dictionaries(st.text(), st.integers()))


@given(PLAIN)
def test_values_without_paths_stay_as_they_are(values: Any) -> None:
    assert expand_paths(values) == values
