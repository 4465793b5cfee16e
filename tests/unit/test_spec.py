"""Unit (pure): the spec's fields and defaults, and what rules see of it."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.console.fields import groups
from airunway.spec.checks import parse_quantity, parse_spec, spec_warnings
from airunway.spec.model import MAX_CPU, MAX_GPUS, MAX_MEMORY, MAX_REPLICAS, ModelDeploymentSpec
from tests.unit.samples import spec
from tests.unit.spec_leaves import changed, default_of, leaves


def test_the_defaults_are_those_of_the_crd() -> None:
    observed = spec().rule_input()
    assert observed["model"]["source"] == "huggingface"
    assert observed["serving"] == {"mode": "aggregated"}
    assert observed["scaling"] == {"replicas": 1}
    assert observed["engine"]["enablePrefixCaching"] is True
    assert observed["engine"]["trustRemoteCode"] is False


def test_rules_see_resources_as_a_map_and_a_gpu_only_where_given() -> None:
    assert spec().rule_input()["resources"] == {}
    assert spec(resources={"gpu": {"count": 0}}).rule_input()["resources"] == {
        "gpu": {"count": 0, "type": "nvidia.com/gpu"}
    }


def test_integers_that_arrive_as_floats_are_integers_again() -> None:
    observed = spec(resources={"gpu": {"count": 2.0}}).rule_input()
    assert type(observed["resources"]["gpu"]["count"]) is int


def test_every_field_of_the_upstream_spec_is_there() -> None:
    upstream = "model provider engine serving scaling resources image env podTemplate secrets nodeSelector tolerations"
    fields = {f.alias or n for n, f in ModelDeploymentSpec.model_fields.items()}
    assert fields == {*upstream.split(), "gateway"}


def test_the_spec_has_a_description_for_every_field() -> None:
    schema = ModelDeploymentSpec.model_json_schema(by_alias=True)
    for name, definition in {"spec": schema, **schema["$defs"]}.items():
        for key, value in definition.get("properties", {}).items():
            assert value.get("description") or "$ref" in value, f"{name}.{key}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("500m", "0.5"),
        ("1Gi", 2**30),
        ("1G", 10**9),
        ("1.5Ki", 1536),
        ("1e3", 1000),
        ("2E", 2 * 10**18),
        (".5", "0.5"),
        ("4Ti", 2**42),
    ],
)
def test_a_quantity_has_the_value_that_kubernetes_gives_it(text: str, value: object) -> None:
    assert parse_quantity(text) == Decimal(str(value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1GB",
        "-1",
        "1 Gi",
        "Gi",
        "1e",
        "0x1",
        "2Gi\n",
        "1e9999999",
        "1e-9999999",
        "1e31",
        "9" * 65,
        "9" * 2_000_000 + "E",
    ],
    ids=lambda text: text[:12],
)
def test_what_is_no_quantity_or_beyond_all_that_can_be_meant_has_no_value(text: str) -> None:
    assert parse_quantity(text) is None


@given(st.integers(0, 10**6), st.sampled_from(["", "k", "Ki", "M", "Mi", "G", "Gi"]))
def test_a_suffix_only_scales(number: int, suffix: str) -> None:
    assert parse_quantity(f"{number}{suffix}") == number * (parse_quantity(f"1{suffix}") or 0)


def test_running_a_model_s_code_is_warned_of() -> None:
    assert "trustRemoteCode" in spec_warnings(spec(engine={"trustRemoteCode": True}))[0]


@pytest.mark.parametrize(
    ("engine", "field"),
    [
        ({"args": {"trust-remote-code": ""}}, "engine.args.trust-remote-code"),
        ({"args": {"trust_remote_code": "true"}}, "engine.args.trust_remote_code"),
        ({"extraArgs": ["--seed=1", "--trust-remote-code"]}, "engine.extraArgs[1]"),
        ({"extraArgs": ["--trust_remote_code=True"]}, "engine.extraArgs[0]"),
        ({"args": {"trust-remote-code": "false"}, "extraArgs": ["--trust"]}, None),
        ({"extraArgs": ["--trust-remote-code=False"]}, None),
    ],
)
def test_running_a_model_s_code_by_a_flag_is_warned_of(engine: dict[str, Any], field: str | None) -> None:
    expected = [f"{field}: the model's own code will run in the cluster"] if field else []
    assert spec_warnings(spec(engine=engine)) == expected


def test_type_errors_and_rules_are_reported_together() -> None:
    _, problems = parse_spec({"model": {}, "engine": {"contextLength": "x"}}, ModelDeploymentSpec)
    assert [p.field for p in problems] == ["engine.contextLength", "model.id"]


HELP = {field.name: field.help for group in groups() for field in group.fields}


@pytest.mark.parametrize(
    "leaf", [leaf for leaf, kind in leaves(ModelDeploymentSpec) if kind is int or leaf.endswith((".cpu", ".memory"))]
)
def test_a_ceiling_is_the_one_that_the_field_s_description_names(leaf: str) -> None:
    def refused(value: int | str) -> str:
        parts = {role: {"gpu": {"count": 1}} for role in ("prefill", "decode")}
        mode = {"serving": {"mode": "disaggregated"}, "scaling": parts} if re.search("prefill|decode", leaf) else {}
        _, problems = parse_spec(changed({"model": {"id": "org/model"}} | mode, leaf, value), ModelDeploymentSpec)
        return "; ".join(p.message for p in problems if p.field == leaf.replace("[]", "[0]"))

    ceiling = re.search(r"must be at most (\S+)$", refused("9E" if leaf.endswith((".cpu", ".memory")) else 10**9))
    named = re.search(r"(\S+) at most\.", HELP.get(leaf, ""))
    assert (named and named[1]) == (ceiling and ceiling[1])
    if ceiling:
        assert refused(int(ceiling[1]) if isinstance(default_of(ModelDeploymentSpec, leaf), int) else ceiling[1]) == ""


def memory_problems(field: str, value: Any) -> list[str]:
    parts = {role: {"gpu": {"count": 1}} for role in ("prefill", "decode")}
    mode = {"serving": {"mode": "disaggregated"}, "scaling": parts} if field.startswith("scaling") else {}
    data = changed({"model": {"id": "org/model"}} | mode, field, value)
    return [str(p) for p in parse_spec(data, ModelDeploymentSpec)[1]]


MEMORY = ["resources.memory", "scaling.prefill.memory", "scaling.decode.memory"]


@pytest.mark.parametrize("field", MEMORY)
@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("24", "which is 24 bytes; write 24Gi"),
        ("1", "which is 1 byte; write 1Gi"),
        ("640", "which is 640 bytes; write 640Gi"),
        ("65536", "which is 65536 bytes; write it with its unit, such as 16Gi"),
        ("32m", "which is 0.032 bytes; write it with its unit"),
        ("32k", "which is 32000 bytes; write it with its unit"),
        ("8Ki", "which is 8192 bytes; write it with its unit"),
        ("1e4", "which is 10000 bytes; write it with its unit"),
    ],
)
def test_memory_in_which_nothing_starts_is_refused_with_its_bytes(field: str, text: str, output: str) -> None:
    (problem,) = memory_problems(field, text)
    assert problem.startswith(f"{field}: '{text}' given, {output}")


@pytest.mark.parametrize("field", MEMORY)
@pytest.mark.parametrize("value", [24, 0.5, 10**9])
def test_memory_that_is_a_number_asks_for_a_unit(field: str, value: Any) -> None:
    assert memory_problems(field, value) == [
        f"{field}: {value} given, must be a Kubernetes quantity with its unit, such as 16Gi"
    ]


@pytest.mark.parametrize("text", ["17179869184", "24G", "24Gi", "1e10", "1Mi"])
def test_memory_of_a_mebibyte_or_more_is_accepted(text: str) -> None:
    assert memory_problems("resources.memory", text) == []


def test_the_ceilings_are_those_of_the_webhook() -> None:
    assert (MAX_GPUS, MAX_REPLICAS, MAX_CPU, MAX_MEMORY) == (64, 32, "512", "4Ti")
