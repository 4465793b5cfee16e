"""Graph (Pulumi's monitor is recorded): what a policy pack makes of the resources that programs register.

The resources have the shape in which Pulumi 3.259 handed them to pulumi-policy 1.21: type, URN, the parent's URN,
inputs, and outputs of components. `tests/cluster/test_policy_pack.py` has the real ones.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from airunway.assessment.policy_definition import Policy
from airunway.planning.assess import assess
from airunway.planning.pod_demand import demand_of
from airunway.planning.policy_input import POLICY_INPUT, policy_variables
from airunway.policy_pack.judgement import JudgedStack, NotYetKnown, Violation
from airunway.policy_pack.registered import Judged, Registered, judged_deployments, stack_name, stray_model
from airunway.program.record import Recorder, _plain_struct, record, run_function, run_program
from airunway.program.stack_file import StackConfig, read_stack
from airunway.program.stack_plan import stack_plan
from airunway.text.placeholders import UNKNOWN
from components import ModelDeployment, ModelServing
from providers import PROVIDERS
from tests.deployments import BUILT, CPU, GPU, RAY
from tests.graph.projects import copy_program, write_stack

VIA = CPU | {"name": "via", "delivery": "modeldeployment"}
PLAIN = GPU | {"name": "plain", "provider": {"name": "vllm"}, "labels": {"team": "a"}}
POOL = {"name": "h100", "nodes": 9, "gpu": {"product": "NVIDIA-H100-80GB-HBM3", "count": 8}, "pricePerHour": 80}


def registered(recorder: Recorder) -> list[Registered]:
    outputs = {request.urn: _plain_struct(request.outputs) for request in recorder.outputs}
    return [
        Registered(urn, request.type, request.parent, _plain_struct(request.object), outputs.get(urn, {}))
        for urn, request in recorder.requests
    ]


def of_function(program: Callable[[], Any]) -> list[Registered]:
    return registered(run_function(program, StackConfig("other", "own", {}, ())))


def judged(resources: list[Registered]) -> dict[str, Judged]:
    deployments, silent = judged_deployments(resources)
    assert not silent
    return {one.variables["deployment"]["name"]: one for one in deployments}


def policy(expression: str, **others: Any) -> Policy:
    return Policy.model_validate({"name": "p", "expression": expression, "message": "not so"} | others)


def verdicts(resources: list[Registered], expression: str, **others: Any) -> list[Any]:
    return list(JudgedStack(judged_deployments(resources)[0]).judge(policy(expression, **others)))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    registry = {"existing": {"host": "registry.example"}}
    deployments = [CPU, GPU, RAY, PLAIN, VIA, BUILT]
    write_stack(copy_program(tmp_path), deployments=deployments, registry=registry, nodePools=[POOL], namespace="ml")
    return tmp_path


def test_policies_see_of_registered_resources_what_they_see_of_the_plan(project: Path) -> None:
    seen = judged(registered(run_program(project, read_stack(project, "own"))))
    plan = stack_plan(project, "own")
    _, planned = policy_variables(plan, "own", assess(plan, stack="own"), demand_of(plan))
    assert len(planned) == 6
    assert any(variables["deployment"]["costPerMonth"] for _, variables in planned)
    for name, variables in planned:
        found = dict(seen[name].variables)
        assert not seen[name].unknown or name == "built"
        if name == "built":  # its digest is known when it is built
            assert UNKNOWN in json.dumps(found.pop("objects"))
            variables = {key: value for key, value in variables.items() if key != "objects"}
        assert json.dumps(found, sort_keys=True) == json.dumps(variables, sort_keys=True), name


def test_a_preview_without_an_engine_registers_what_it_did_before(project: Path) -> None:
    outputs = record(project, read_stack(project, "own")).outputs
    assert not any(POLICY_INPUT in values for values in outputs.values())


def test_no_secret_is_in_what_a_deployment_says(tmp_path: Path) -> None:
    def program() -> None:
        secret = pulumi.Output.secret("s3cret-value")
        args: Any = {"model": {"id": "org/gguf"}, "env": [{"name": "A", "value": secret}]}
        ModelDeployment("chat", args)

    resources = of_function(program)
    (said,) = (r.outputs[POLICY_INPUT] for r in resources if POLICY_INPUT in r.outputs)
    assert "s3cret" not in said
    assert judged(resources)["chat"].variables["deployment"]["gpus"] == 0, "an Output says nothing about GPUs"


def test_a_component_of_any_program_is_judged_with_the_image_that_it_registers() -> None:
    def program() -> None:
        image = pulumi.Output.from_input("registry.example/vllm:latest").apply(lambda text: text)
        args: Any = {"model": {"id": "org/m"}, "resources": {"gpu": {"count": 2}}, "engine": {"image": image}}
        ModelDeployment("chat", args)

    resources = of_function(program)
    variables = judged(resources)["chat"].variables
    assert variables["deployment"]["images"] == ["registry.example/vllm:latest"]
    assert variables["deployment"]["gpus"] == 2
    assert verdicts(resources, "deployment.images.all(i, !i.endsWith(':latest'))") == [
        Violation("urn:pulumi:own::other::airunway:index:ModelDeployment::chat")
    ]


def test_deployments_of_one_component_have_their_cost() -> None:
    def program() -> None:
        args: Any = {"cluster": {"context": "x"}, "deployments": [GPU], "nodePools": [POOL]}
        ModelServing("models", args)

    assert judged(of_function(program))["gpu"].variables["deployment"]["costPerMonth"] == 7300.0


def test_a_secret_in_env_leaves_the_gpus_known_to_a_component_s_own_policies() -> None:
    def program() -> None:
        env: Any = [{"name": "A", "value": pulumi.Output.secret("s3cret")}]
        policies: Any = [policy("deployment.gpus == 1").model_dump(mode="json")]
        deployments: Any = [GPU | {"env": env}]
        ModelServing("models", {"cluster": {"context": "x"}, "deployments": deployments, "policies": policies})

    assert judged(of_function(program))["gpu"].variables["deployment"]["gpus"] == 1


MODEL = "urn:pulumi:own::p::airunway:index:ModelDeployment::"
SAID: dict[str, Any] = {
    "deployment": {"name": "a", "gpus": 2, "costPerMonth": None, "images": ["x:1"]},
    "decision": {"provider": "k"},
}


def component(name: str = "a", **outputs: Any) -> Registered:
    said = SAID | {"deployment": SAID["deployment"] | {"name": name}}
    values = {POLICY_INPUT: json.dumps(said), "resource": {"kind": "Workspace", "name": name}} | outputs
    return Registered(MODEL + name, "airunway:index:ModelDeployment", "urn:pulumi:own::p::x:x:X::s", {}, values)


def kubernetes_object(parent: str, kind: str = "Workspace", api: str = "kaito.sh/v1beta1", **fields: Any) -> Registered:
    inputs = {"apiVersion": api, "kind": kind, "metadata": {"namespace": "ml", "name": "a"}} | fields
    return Registered(f"{parent}$k::a", f"kubernetes:{api}:{kind}", parent, inputs)


def test_the_stack_is_summed_over_deployments_in_order_of_their_names() -> None:
    resources = [component("b"), component("a")]
    assert verdicts(resources, "stack.gpus == 4 && stack.name == 'own'", scope="stack") == []
    assert verdicts(resources, "stack.deployments[0].name == 'a'", scope="stack") == []
    assert verdicts(resources, "stack.gpus <= 3", scope="stack") == [Violation(None)]


def test_what_can_t_be_evaluated_says_why_but_no_data() -> None:
    (one,) = verdicts([component()], "deployment.nothing == 1")
    assert one.urn == MODEL + "a"
    assert one.reason == "it can't be evaluated: no such member in mapping: 'nothing'"
    resources = [component(), kubernetes_object(MODEL + "a", token="s3cret")]
    (one,) = verdicts(resources, "{'a': 1}[objects[0].token] == 1")
    assert one.reason == "it can't be evaluated: no such key"


def test_an_object_not_yet_known_is_no_violation_and_no_pass() -> None:
    resources = [component(), kubernetes_object(MODEL + "a", image=UNKNOWN)]
    assert verdicts(resources, "objects[0].image.contains('@')") == [NotYetKnown("objects[0].image")]
    assert verdicts(resources, "deployment.gpus == 0") == [Violation(MODEL + "a")]
    assert verdicts(resources, "deployment.images == ['x:1']") == [], "planned, while it is not known"


def test_objects_come_with_the_deployment_s_own_first_and_without_pulumi_s_annotations() -> None:
    annotations = {"pulumi.com/skipAwait": "true"}
    service = kubernetes_object(MODEL + "a", "Service", "v1", metadata={"name": "a", "annotations": annotations})
    both = kubernetes_object(MODEL + "a", metadata={"name": "a", "annotations": annotations | {"team": "x"}})
    objects = judged([component(), service, both, kubernetes_object(MODEL + "b")])["a"].variables["objects"]
    assert [obj["kind"] for obj in objects] == ["Workspace", "Service"]
    assert objects[0]["metadata"] == {"name": "a", "annotations": {"team": "x"}}
    assert objects[1]["metadata"] == {"name": "a"}


@pytest.mark.parametrize(
    "said", [None, 3, "", "{", "[]", "null", "{}", '{"deployment": 1, "decision": {}}', "[" * 100_000]
)
def test_a_deployment_that_says_nothing_readable_is_named(said: Any) -> None:
    resource = component()
    resource = replace(resource, outputs={**resource.outputs, POLICY_INPUT: said})
    assert judged_deployments([resource]) == ([], [MODEL + "a"])


def test_a_deployment_of_an_older_airunway_is_named() -> None:
    assert judged_deployments([replace(component(), outputs={"provider": "kaito"})]) == ([], [MODEL + "a"])


SCALAR: Any = "kaito"


@pytest.mark.parametrize(
    ("resource", "is_stray"),
    [
        (kubernetes_object("urn:pulumi:own::p::pulumi:pulumi:Stack::p-own"), True),
        (kubernetes_object(""), True),
        (kubernetes_object("urn:pulumi:own::p::my:own:Component::c"), True),
        (kubernetes_object("", "ModelDeployment", "airunway.ai/v1alpha1"), True),
        (kubernetes_object("", "RayService", "ray.io/v1alpha1"), True),
        (replace(kubernetes_object(""), type="kubernetes:kaito.sh/v1beta1:WorkspacePatch"), True),
        (kubernetes_object(MODEL + "a"), False),
        (kubernetes_object("urn:pulumi:own::p::airunway:index:ModelServing$airunway:index:ModelDeployment::a"), False),
        (kubernetes_object("", "Deployment", "apps/v1"), False),
        (kubernetes_object("", "Workspace", "example.com/v1"), False),
        (kubernetes_object("", "ModelDeployment", "example.com/v1"), False),
        (replace(kubernetes_object(""), type="aws:workspaces/workspace:Workspace"), False),
        (replace(kubernetes_object(""), inputs={}), False),
        (replace(kubernetes_object(""), inputs={"kind": 3, "apiVersion": None, "metadata": SCALAR}), False),
    ],
)
def test_an_object_that_serves_a_model_outside_a_deployment_is_told(resource: Registered, is_stray: bool) -> None:
    message = stray_model(resource, PROVIDERS)
    assert bool(message) == is_stray
    if is_stray:
        assert message.startswith(f"{resource.inputs['kind']} ml/a is of no ModelDeployment component")


def test_an_object_without_a_name_is_told_too() -> None:
    resource = kubernetes_object("", metadata=SCALAR)
    assert stray_model(resource, PROVIDERS).startswith(f"Workspace {UNKNOWN} is of no ModelDeployment")


@pytest.mark.parametrize("urn", ["urn:pulumi:own::p::a:b:c::n", "urn:pulumi:own::p::a:b:c$d:e:f::n::with::colons"])
def test_the_stack_s_name_is_in_every_urn(urn: str) -> None:
    assert stack_name(urn) == "own"
