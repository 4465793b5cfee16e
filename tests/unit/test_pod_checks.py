"""Unit (pure): what goes into pods as it is would be accepted by an API server, or is refused at its field."""

from typing import Any

import pytest

from airunway.spec.checks import parse_spec
from airunway.spec.model import ModelDeploymentSpec


def problems(**fields: Any) -> list[str]:
    return [str(problem) for problem in parse_spec({"model": {"id": "org/m"}} | fields, ModelDeploymentSpec)[1]]


@pytest.mark.parametrize("name", ["MY KEY", "2ND", "A=B", " A", "GRÖSSE", "A/B"])
def test_a_name_that_is_no_variable_s_is_refused(name: str) -> None:
    (problem,) = problems(env=[{"name": "OK", "value": "1"}, {"name": name, "value": "1"}])
    assert problem.startswith(f"env[1].name: {name!r} given; letters, digits and - _ . are valid")


@pytest.mark.parametrize("name", ["A", "_a", "a.b-c", ".x", "X9"])
def test_a_variable_s_name_is_accepted(name: str) -> None:
    assert problems(env=[{"name": name}]) == []


KEY = {"name": "keys", "key": "token"}


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ({}, "env[0].valueFrom: nothing given, must be one of configMapKeyRef, fieldRef, "),
        ({"secretRef": KEY}, "env[0].valueFrom.secretRef: unknown key; did you mean 'secretKeyRef'? valid: "),
        ({"configmapkeyref": KEY}, "env[0].valueFrom.configmapkeyref: unknown key; did you mean 'configMapKeyRef'?"),
        ({"secretKeyRef": KEY, "fieldRef": {"fieldPath": "a"}}, "env[0].valueFrom: secretKeyRef and fieldRef given, "),
        ({"secretKeyRef": {"name": "x"}}, "env[0].valueFrom.secretKeyRef.key: required, but not given"),
        ({"configMapKeyRef": {"key": "x"}}, "env[0].valueFrom.configMapKeyRef.name: required, but not given"),
        ({"secretKeyRef": "keys"}, "env[0].valueFrom.secretKeyRef: 'keys' given, must be a map with the keys name"),
        ({"secretKeyRef": None}, "env[0].valueFrom.secretKeyRef: null given, must be a map"),
        ({"secretKeyRef": KEY | {"optionl": True}}, "env[0].valueFrom.secretKeyRef.optionl: unknown key; did you mean"),
        ({"secretKeyRef": KEY | {"optional": "no"}}, "env[0].valueFrom.secretKeyRef.optional: 'no' given, must be"),
        ({"secretKeyRef": {"name": "", "key": "x"}}, "env[0].valueFrom.secretKeyRef.name: '' given, must be a string"),
        ({"secretKeyRef": {"name": 7, "key": "x"}}, "env[0].valueFrom.secretKeyRef.name: 7 given, must be a string"),
        ({"fieldRef": {}}, "env[0].valueFrom.fieldRef.fieldPath: required, but not given"),
        ({"resourceFieldRef": {"divisor": "1"}}, "env[0].valueFrom.resourceFieldRef.resource: required"),
    ],
)  # fmt: skip
def test_a_source_that_the_api_server_refuses_is_refused(source: Any, output: str) -> None:
    (problem,) = problems(env=[{"name": "A", "valueFrom": source}])
    assert problem.startswith(output)


@pytest.mark.parametrize(
    "source",
    [
        {"secretKeyRef": KEY},
        {"configMapKeyRef": KEY | {"optional": True}},
        {"fieldRef": {"fieldPath": "status.podIP", "apiVersion": "v1"}},
        {"resourceFieldRef": {"resource": "limits.cpu", "containerName": "x", "divisor": "1"}},
        {"fileKeyRef": {"volumeName": "v", "path": "a.env", "key": "K"}},
    ],
)
def test_each_source_of_kubernetes_is_accepted(source: Any) -> None:
    assert problems(env=[{"name": "A", "valueFrom": source}]) == []


@pytest.mark.parametrize(
    ("toleration", "output"),
    [
        ({"operator": "equal", "key": "a"}, "tolerations[0].operator: 'equal' given, did you mean 'Equal'? valid: "),
        ({"operator": "Gt", "key": "a"}, "tolerations[0].operator: 'Gt' given, valid: Equal, Exists"),
        ({"key": "a", "effect": "NoExecut"}, "tolerations[0].effect: 'NoExecut' given, did you mean 'NoExecute'?"),
        ({"key": "a", "effect": "prefernoschedule"}, "tolerations[0].effect: 'prefernoschedule' given, did you mean"),
        ({"key": "a", "operator": "Exists", "value": "b"}, "tolerations[0].value: 'b' given, but operator Exists"),
        ({}, "tolerations[0].key: required, unless operator is Exists"),
        ({"value": "gpu"}, "tolerations[0].key: required, unless operator is Exists"),
        ({"key": "a b"}, "tolerations[0].key: 'a b' given, must be the key of a taint"),
        ({"key": "a", "value": "b c"}, "tolerations[0].value: 'b c' given; letters"),
        ({"key": "a", "tolerationSeconds": 9}, "tolerations[0].tolerationSeconds: 9 given, but only for the effect"),
        (
            {"key": "a", "effect": "NoSchedule", "tolerationSeconds": 9},
            "tolerations[0].tolerationSeconds: 9 given, but only for the effect NoExecute, not NoSchedule",
        ),
    ],
)  # fmt: skip
def test_a_toleration_that_the_api_server_refuses_is_refused(toleration: Any, output: str) -> None:
    (problem,) = problems(tolerations=[toleration])
    assert problem.startswith(output)


@pytest.mark.parametrize(
    "toleration",
    [
        {"operator": "Exists"},
        {"key": "nvidia.com/gpu"},
        {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"},
        {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
        {"operator": "Exists", "value": ""},
    ],
)
def test_a_toleration_of_kubernetes_is_accepted(toleration: Any) -> None:
    assert problems(tolerations=[toleration]) == []


ROLES = {"serving": {"mode": "disaggregated"}}


def gpu(kind: str, field: str) -> dict[str, Any]:
    if field == "resources":
        return {"resources": {"gpu": {"count": 1, "type": kind}}}
    parts = {role: {"gpu": {"count": 1}} for role in ("prefill", "decode")}
    return ROLES | {"scaling": parts | {field.removeprefix("scaling."): {"gpu": {"count": 1, "type": kind}}}}


FIELDS = ["resources", "scaling.prefill", "scaling.decode"]
WRONG = [
    *("H200", "NVIDIA-L40S", "nvidia", "nvidia.com/", "/gpu", "nvidia.com/gpu/2", "h100 ", "memory"),
    *("kubernetes.io/gpu", "node.kubernetes.io/gpu", "Nvidia.com/gpu", "nvidia.com/-gpu", "nvidia..com/gpu"),
]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("kind", WRONG)
def test_a_product_is_no_type_of_gpu(kind: str, field: str) -> None:
    (problem,) = problems(**gpu(kind, field))
    assert problem.startswith(f"{field}.gpu.type: {kind!r} given, must be an extended resource (DOMAIN/NAME)")
    assert "nodeSelector, such as {nvidia.com/gpu.product: " in problem


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "kind",
    [
        *("nvidia.com/gpu", "nvidia.com/mig-2g.20gb", "amd.com/gpu", "gpu.intel.com/i915", "habana.ai/gaudi"),
        *("google.com/tpu", "aws.amazon.com/neuroncore"),
    ],
)
def test_an_extended_resource_is_a_type_of_gpu(kind: str, field: str) -> None:
    assert problems(**gpu(kind, field)) == []


def test_a_wrong_type_in_one_element_hides_nothing_in_the_others() -> None:
    result = problems(
        env=[{"name": "A", "value": 1}, {"name": "B C"}], tolerations=[{"operator": "exists"}, {"value": "x"}]
    )
    assert [p.split(":")[0] for p in result] == [
        "env[0].value",
        "tolerations[0].operator",
        "env[1].name",
        "tolerations[1].key",
    ]


def test_elements_after_one_that_can_t_be_read_are_not_told_at_a_wrong_index() -> None:
    assert [p.split(":")[0] for p in problems(env=["x", {"name": "B C"}])] == ["env[0]"]
