"""Graph (SDK and recorder): ModelDeployment and ModelServing as a program of one's own, or an example, uses them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from airunway.program.plan_collector import collect_plans
from airunway.program.record import record
from airunway.program.stack_file import StackConfig, read_stack
from components import ArgumentError, ModelDeployment, ModelServing
from tests.graph.programs import deployed, graphs, objects, problems, registered
from tests.graph.projects import ROOT, copy_program
from tests.unit.samples import GPU


@pytest.mark.parametrize(
    ("args", "kind"),
    [
        ({}, "Workspace"),
        (GPU, "DynamoGraphDeployment"),
        ({"engine": {"type": "sglang"}, **GPU}, "DynamoGraphDeployment"),
        ({"engine": {"type": "llamacpp"}, **GPU}, "Workspace"),
        ({"provider": {"name": "kuberay"}, **GPU}, "NetworkPolicy RayService"),
        (
            {
                "serving": {"mode": "disaggregated"},
                "scaling": {"prefill": GPU["resources"], "decode": GPU["resources"]},
            },
            "DynamoGraphDeployment",
        ),
    ],
)
def test_a_deployment_decides_by_itself_and_creates_what_the_provider_needs_of_it(
    args: dict[str, Any], kind: str
) -> None:
    resources = deployed(args)
    assert [o["kind"] for o in objects(resources)] == kind.split()
    (component,) = [r for r in resources if not r.custom]
    assert component.type == "airunway:index:ModelDeployment"
    assert {r.parent for r in resources if r.custom} == {component.urn}


def test_names_of_fields_are_those_of_python_or_of_stack_files() -> None:
    python = {"engine": {"context_length": 4096, "extra_args": ["-x"]}, "node_selector": {"a_b": "c"}, **GPU}
    file = {"engine": {"contextLength": 4096, "extraArgs": ["-x"]}, "nodeSelector": {"a_b": "c"}, **GPU}
    assert objects(deployed(python)) == objects(deployed(file))
    assert "'a_b': 'c'" in str(objects(deployed(python)))


def test_what_is_wrong_is_told_at_once_with_the_component_s_name() -> None:
    with pytest.raises(ArgumentError) as refused:
        asyncio.run(_wrong())
    assert str(refused.value).splitlines() == [
        "chat: engine.typ: unknown key; did you mean 'type'? valid: "
        "args, contextLength, enablePrefixCaching, enforceEager, extraArgs, image, trustRemoteCode, type",
        "chat: scaling.replicas: 'two' given, must be an integer",
    ]


async def _wrong() -> None:
    ModelDeployment("chat", {"model": {"id": "a/b"}, "engine": {"typ": "vllm"}, "scaling": {"replicas": "two"}})  # type: ignore[typeddict-item,typeddict-unknown-key]


def test_a_component_s_name_has_to_be_a_deployment_s() -> None:
    assert problems(lambda: ModelDeployment("Chat_1", {"model": {"id": "a/b"}}))[0].startswith(
        "name: 'Chat_1' given, must be a name"
    )


def serving_args(stack: str) -> dict[str, Any]:
    """A shipped stack's settings as the arguments of ``ModelServing``."""
    config = read_stack(ROOT, stack)
    values = {key.removeprefix("airunway:"): text for key, text in config.values.items() if key.startswith("airunway:")}
    secrets = {"huggingFaceToken": "hugging_face_token", "registryPassword": "registry_password"}
    args: dict[str, Any] = {}
    for key, text in values.items():
        if key in secrets and text:
            args[secrets[key]] = pulumi.Output.secret("the secret")
        elif text and key not in secrets and key not in ("protect", "manifests", "providerFiles", "deploymentFiles"):
            try:
                args[key] = json.loads(text)
            except ValueError:
                args[key] = text
    return args


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_stack_s_settings_as_one_component_make_the_same_objects(stack: str, tmp_path: Path) -> None:
    def program() -> None:
        ModelServing("models", serving_args(stack))  # type: ignore[arg-type]

    config = read_stack(ROOT, stack)
    # A component is told its settings alone, so it has no lock.
    (copy_program(tmp_path) / "stacks" / f"Pulumi.{stack}.yaml").write_bytes(
        (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_bytes()
    )
    expected = {(r.type, r.name): r.inputs for r in record(tmp_path, config).resources if r.custom}
    with collect_plans():  # as the preview does that it is compared with
        created = {(r.type, r.name): r.inputs for r in registered(program, stack) if r.custom}
    if stack == "dev":
        expected = {key: inputs for key, inputs in expected.items() if key in created}
        assert len(expected) >= 25
    assert {key: created[key] for key in expected} == expected


def test_a_component_with_a_provider_of_the_program_s_own_makes_none() -> None:
    def program() -> None:
        provider = kubernetes.Provider("mine", kubeconfig="{}")
        args: Any = {"deployments": [{"name": "chat", "model": {"id": "a/b"}}]}
        ModelServing("models", args, pulumi.ResourceOptions(providers={"kubernetes": provider}))

    resources = registered(program)
    assert [r.name for r in resources if r.type.startswith("pulumi:providers:")] == ["mine"]
    assert {r.provider.split("::")[-2] for r in resources if r.custom and "kind" in r.inputs} == {"mine"}


def test_without_a_provider_the_cluster_has_to_be_named() -> None:
    args: Any = {"deployments": [{"name": "chat", "model": {"id": "a/b"}, "scaling": {"replicas": 99}}]}
    assert [line.partition(": ")[0] for line in problems(lambda: ModelServing("models", args))] == [
        "cluster",
        "deployments[0].scaling.replicas",
    ]


@pytest.mark.parametrize("example", ["python-deployment", "python-serving"])
def test_an_example_runs(example: str) -> None:
    from airunway.program.record import run_program

    values = {f"{example}:context": "kind", f"{example}:huggingFaceToken": "t"}
    config = StackConfig(example, "dev", values, (f"{example}:huggingFaceToken",))
    resources = run_program(ROOT / "examples" / example, config).registered
    assert {o["kind"] for o in objects(list(resources))} >= {
        "Workspace",
        "DynamoGraphDeployment",
        "Namespace",
        "Secret",
    }


VOLUMES = [
    {"name": "weights", "size": "9Gi", "purpose": "modelCache"},
    {"name": "x", "claim_name": "y", "mount_path": "/z"},
]


def test_a_claim_comes_first_and_stays_when_its_deployment_goes() -> None:
    resources = deployed({"model": {"id": "org/model", "storage": {"volumes": VOLUMES}}, **GPU})
    (claim,), (graph,) = [r for r in resources if r.name == "chat-weights"], graphs(resources)
    assert claim.type == "kubernetes:core/v1:PersistentVolumeClaim"
    assert claim.retained
    assert not claim.protect
    assert claim.inputs["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    assert claim.urn in graph.dependencies
    assert not graph.retained


def test_an_engine_s_preview_does_not_know_the_digest_of_an_image_that_is_not_built() -> None:
    """A preview without an engine has the tag, so that two of them can be compared."""

    def images() -> set[str]:
        resources = registered(lambda: ModelServing("models", serving_args("dev")))  # type: ignore[arg-type]
        templates = [
            o["inference"]["template"]["spec"] for o in objects(resources, "Workspace") if "template" in o["inference"]
        ]
        return {str(container["image"]) for template in templates for container in template["containers"]}

    assert "[unknown]" in images()
    with collect_plans():
        shown = images()
    assert "[unknown]" not in shown
    assert any(image.startswith("localhost:30500/aikit-") and "@" not in image for image in shown)
