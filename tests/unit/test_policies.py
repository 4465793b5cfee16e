"""Unit (pure): policies are checked where they are written, evaluated on what a plan makes, and count as violated where
they can't be.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airunway.assessment.assessment import Assessment
from airunway.assessment.finding import Severity
from airunway.assessment.model_lock import LOCK_FILE
from airunway.assessment.policy_check import policy_findings, violation
from airunway.assessment.policy_definition import Policy
from airunway.planning.assess import assess
from airunway.planning.files import Files
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.planning.pod_demand import demand_of
from airunway.planning.policies import policies_in
from airunway.planning.policy_input import policy_variables
from airunway.selection.rule_evaluation import CelValue, cel_value
from airunway.text.problems import InputError
from providers import PROVIDERS

ROOT = Path(__file__).parents[2]
LATEST = "deployment.images.all(i, !i.endsWith(':latest'))"


def policy(expression: str, **others: Any) -> Policy:
    return Policy.model_validate({"name": "p", "expression": expression, "message": "not so"} | others)


def plan(deployments: list[dict[str, Any]], policies: list[Any]) -> Plan:
    settings = {"cluster": {"context": "x"}, "deployments": deployments, "policies": policies}
    return plan_stack(parse_settings(settings), Files(), PROVIDERS)


def findings(expression: str, *deployments: dict[str, Any], **others: Any) -> list[str]:
    definition = policy(expression, **others).model_dump(mode="json")
    return [str(finding) for finding in assess(plan(list(deployments), policies=[definition]), stack="own").findings]


CHAT: dict[str, Any] = {"name": "chat", "namespace": "ml", "model": {"id": "org/m"}, "resources": {"gpu": {"count": 4}}}
CPU = {"name": "cpu", "model": {"id": "org/gguf-GGUF"}, "labels": {"team": "a"}}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("deployment.name == 'chat'", True),
        ("deployment.namespace == 'ml'", True),
        ("deployment.model.id.startsWith('org/')", True),
        ("deployment.gpus <= 3", False),
        ("deployment.gpus == 4", True),
        ("deployment.costPerMonth == null", True),
        ("has(deployment.labels.team)", False),
        ("deployment.images.all(i, i.contains('@sha256:'))", False),
        (LATEST, True),
        ("decision.provider == 'dynamo' && !decision.explicit", True),
        ("decision.engine in ['sglang']", False),
        ("objects.all(o, o.kind == 'DynamoGraphDeployment')", True),
        ("objects[0].spec.components.size() > 5", False),
        ("stack.name == 'own' && stack.gpus <= 8", True),
        ("stack.deployments.filter(d, d.gpus > 0).size() == 0", False),
    ],
)
def test_a_policy_sees_deployment_decision_objects_and_stack(expression: str, holds: bool) -> None:
    assert findings(expression, CHAT) == ([] if holds else ["chat: not so [policy p]"])


def test_each_deployment_is_judged_and_a_stack_only_once() -> None:
    assert findings("deployment.gpus == 0", CHAT, CHAT | {"name": "other"}, CPU) == [
        "chat: not so [policy p]",
        "other: not so [policy p]",
    ]
    assert findings("stack.gpus <= 7", CHAT, CHAT | {"name": "other"}, scope="stack") == ["not so [policy p]"]
    assert findings("stack.gpus <= 8", CHAT, CHAT | {"name": "other"}, scope="stack") == []
    assert findings("stack.deployments.all(d, d.name != 'cpu')", CPU, scope="stack") == ["not so [policy p]"]


@pytest.mark.parametrize(("severity", "mandatory"), [("mandatory", 1), ("advisory", 0)])
def test_the_severity_says_whether_an_update_is_stopped(severity: str, mandatory: int) -> None:
    definition = policy("false", severity=severity).model_dump(mode="json")
    assessment = assess(plan([CHAT], policies=[definition]))
    assert [finding.severity for finding in assessment.findings] == [Severity(severity)]
    assert len(assessment.mandatory) == mandatory


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("deployment.missing == 1", "no such member"),
        ("deployment.name.size() / 0 == 1", "zero"),
        ("deployment.name", "(it is str, not a bool)"),
        ("deployment.replicas", "no such member"),
    ],
)
def test_what_can_t_be_evaluated_is_a_violation_that_says_why(expression: str, reason: str) -> None:
    (finding,) = findings(expression, CHAT)
    assert finding.startswith("chat: not so [policy p] (it ")
    assert reason in finding


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"expression": "deployment.gpus ="}, "syntax error"),
        ({"expression": ""}, "at least 1 character"),
        ({"expression": "spec.gpu == 1"}, "spec"),
        ({"expression": "1 + 1"}, "must be a bool, not int"),
        ({"expression": "deployment.gpus == 1", "scope": "stack"}, "deployment"),
        ({"scope": "cluster"}, "cluster"),
        ({"severity": "fatal"}, "fatal"),
        ({"message": ""}, "at least 1 character"),
        ({"name": ""}, "at least 1 character"),
        ({"rule": "x"}, "not permitted"),
        ({"expression": "a" * 100_000}, "must be at most"),
    ],
)
def test_a_policy_that_means_nothing_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Policy.model_validate({"name": "p", "expression": "true", "message": "m"} | fields)
    assert message in str(refused.value)


def test_a_policy_of_a_file_is_refused_with_file_place_and_column() -> None:
    with pytest.raises(InputError, match=r"p\.yaml\[1\]: expression: syntax error \(line 1, column \d+ of `a &`\)"):
        policies_in("- {name: a, expression: 'true', message: m}\n- {name: b, expression: 'a &', message: m}", "p.yaml")


def test_two_policies_of_one_name_are_refused() -> None:
    definition = policy("true").model_dump(mode="json")
    with pytest.raises(InputError, match=r"policies\[1\]\.name: 'p' is the name of policies\[0\] too"):
        plan([CHAT], policies=[definition, definition])


def test_what_policies_see_is_converted_once_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[str] = []

    def counted(name: str, data: Any) -> CelValue:
        converted.append(name)
        return cel_value(name, data)

    monkeypatch.setattr("airunway.assessment.policy_check.cel_value", counted)
    definitions = [policy("stack.gpus > 0", name=name).model_dump(mode="json") for name in "abc"]
    assert not assess(plan([CHAT | {"name": name} for name in ("x", "y")], policies=definitions)).findings
    assert sorted(converted) == sorted(["stack", *["deployment", "decision", "objects"] * 2])


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "gpus", "a"]), inner),
    max_leaves=6,
)


@given(
    values, values, st.sampled_from(["deployment.gpus <= 4", "deployment.name == 'a'", "stack.a.size() > 0", "true"])
)
def test_whatever_the_data_a_policy_holds_or_is_violated(deployment: Any, stack: Any, expression: str) -> None:
    variables = {"deployment": deployment, "decision": {}, "objects": []}
    found = list(policy_findings([policy(expression)], stack, [("a", variables)]))
    assert [f.message for f in found] == list(
        filter(None, [violation(policy(expression), variables | {"stack": stack})])
    )
    assert len(found) <= 1
    assert expression != "true" or not found


EXAMPLES = {p.name: p for p in policies_in((ROOT / "examples" / "policies.yaml").read_text(), "policies.yaml")}
ML = CHAT | {"name": "ml-chat"}


@pytest.mark.parametrize(
    ("name", "deployment", "violated"),
    [
        ("no-floating-tags", ML, False),
        ("no-floating-tags", ML | {"engine": {"image": "vllm/x:latest"}}, True),
        ("no-floating-tags", ML | {"engine": {"image": "registry:5000/vllm"}}, True),
        ("no-floating-tags", ML | {"engine": {"image": "registry:5000/vllm:1@sha256:" + "0" * 64}}, False),
        ("images-by-digest", ML, True),
        ("images-by-digest", ML | {"engine": {"image": "registry:5000/vllm:1@sha256:" + "0" * 64}}, False),
        ("no-code-of-models", ML, False),
        ("no-code-of-models", ML | {"engine": {"trustRemoteCode": True}}, True),
        ("no-code-of-models", ML | {"engine": {"extraArgs": ["--trust-remote-code"]}}, True),
        ("no-code-of-models", ML | {"engine": {"extraArgs": ["--trust_remote_code"]}}, True),
        ("no-code-of-models", ML | {"engine": {"args": {"trust-remote-code": ""}}}, True),
        ("no-code-of-models", ML | {"engine": {"args": {"trust_remote_code": "true"}}}, True),
        ("no-code-of-models", ML | {"engine": {"args": {"trust-remote-code": "false"}}}, False),
        ("names-by-namespace", ML, False),
        ("names-by-namespace", CHAT, True),
        ("gpu-budget", ML | {"scaling": {"replicas": 4}}, False),
        ("gpu-budget", ML | {"scaling": {"replicas": 5}}, True),
        ("cost-budget", ML, False),
    ],
)
def test_the_example_policies_say_what_they_mean(name: str, deployment: dict[str, Any], violated: bool) -> None:
    definition = EXAMPLES[name].model_dump(mode="json")
    found = assess(plan([deployment], policies=[definition]), stack="own").findings
    assert [f.message for f in found] == ([f"{EXAMPLES[name].message} [policy {name}]"] if violated else [])


@pytest.mark.parametrize(
    ("name", "locked", "violated"),
    [
        ("locked-models-only", None, True),
        ("locked-models-only", {"revision": "ab" * 20}, False),
        ("licences", None, False),
        ("licences", {"revision": "ab" * 20, "license": "mit"}, False),
        ("licences", {"revision": "ab" * 20, "license": "other"}, True),
        ("licences", {"revision": "ab" * 20}, True),
    ],
)
def test_the_example_policies_look_at_the_lock(name: str, locked: dict[str, Any] | None, violated: bool) -> None:
    definition = EXAMPLES[name].model_dump(mode="json")
    models = {CHAT["model"]["id"]: locked} if locked else {}
    files = Files(texts={LOCK_FILE: json.dumps({"models": models})})
    settings = {"cluster": {"context": "x"}, "deployments": [ML], "policies": [definition]}
    found = assess(plan_stack(parse_settings(settings), files, PROVIDERS), stack="own").findings
    assert [f.message for f in found] == ([f"{EXAMPLES[name].message} [policy {name}]"] if violated else [])


def test_a_model_that_is_not_from_hugging_face_needs_no_lock() -> None:
    definition = EXAMPLES["locked-models-only"].model_dump(mode="json")
    premade = {"name": "premade", "model": {"source": "aikit", "id": "llama3.2:1b"}}
    assert assess(plan([premade], policies=[definition]), stack="own").findings == ()


def test_every_example_policy_is_tried() -> None:
    assert len(EXAMPLES) == 8


def graph(**spec: Any) -> dict[str, Any]:
    return {"provider": {"name": "dynamo", "overrides": {"spec": spec}}}


VIA = {"delivery": "modeldeployment", "provider": {"name": "kaito"}, "engine": {"type": "vllm"}}


@pytest.mark.parametrize(
    "fields", [graph(components=None), VIA | {"scaling": {"replicas": 32}}], ids=["override", "via"]
)
def test_gpus_that_can_t_be_counted_are_unknown_and_keep_to_no_budget(fields: dict[str, Any]) -> None:
    definition = EXAMPLES["gpu-budget"].model_dump(mode="json")
    made = plan([CHAT | fields, CPU], policies=[definition])
    (finding,) = assess(made, stack="own").findings
    assert finding.message.startswith(f"{EXAMPLES['gpu-budget'].message} [policy gpu-budget] (it can't be evaluated: ")
    assert policy_variables(made, "own", Assessment(), demand_of(made))[0]["gpus"] is None


def test_gpus_that_can_t_be_counted_are_told_beside_node_pools() -> None:
    pools = [{"name": "a", "nodes": 1, "gpu": {"product": "NVIDIA-L4", "count": 8}}]
    settings = {"cluster": {"context": "x"}, "deployments": [CHAT | graph(components=None)], "nodePools": pools}
    (finding,) = assess(plan_stack(parse_settings(settings), Files(), PROVIDERS)).findings
    assert str(finding) == "chat: which pods it makes can't be known, so its GPUs are not counted"
    assert finding.severity is Severity.ADVISORY
