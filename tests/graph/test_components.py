"""Graph: the components as a program of one's own uses them, on Pulumi's SDK and the monitor that keeps what is
registered.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airunway.cli.argument_types import settings_types, spec_types
from airunway.planning.deployment import PlannedDeployment
from airunway.program.record import Resource, record
from airunway.program.stack_file import StackConfig, read_stack
from airunway.spec.entry import DeploymentEntry
from airunway.text.problems import InputError
from components import ArgumentError, ModelDeployment, ModelServing, Platform
from components.arguments import Arguments, plan_deployments, read_arguments
from components.model_deployment import default_target
from tests.graph.programs import objects, registered
from tests.unit.samples import containers

ROOT = Path(__file__).parents[2]
GPU = {"resources": {"gpu": {"count": 1}}}
HELD = "[hidden]"


def deployed(args: Any, **more: Any) -> list[Resource]:
    return registered(lambda: ModelDeployment("chat", {"model": {"id": "org/model"}} | args, **more))


def problems(program: Callable[[], Any]) -> list[str]:
    with pytest.raises(InputError) as refused:
        registered(program)
    return [str(p) for p in refused.value.problems]


@pytest.mark.parametrize(
    ("args", "kind"),
    [
        ({}, "Workspace"),
        (GPU, "DynamoGraphDeployment"),
        ({"engine": {"type": "sglang"}, **GPU}, "DynamoGraphDeployment"),
        ({"engine": {"type": "llamacpp"}, **GPU}, "Workspace"),
        ({"provider": {"name": "kuberay"}, **GPU}, "RayService"),
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
    assert [o["kind"] for o in objects(resources)] == [kind]
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
        "name: 'Chat_1' given, must match"
    )


def test_an_output_stands_where_its_text_decides_nothing() -> None:
    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="{}")
        options = pulumi.ResourceOptions(provider=provider)
        created = kubernetes.core.v1.ConfigMap("created", metadata={"name": "created", "namespace": "ml"}, opts=options)
        ModelDeployment(
            "chat",
            {
                "model": {"id": "org/model"},
                "image": created.metadata["name"].apply(lambda name: f"registry.example/{name}:1"),
                "env": [
                    {"name": "A", "value": created.metadata["name"]},
                    {"name": "B", "value": pulumi.Output.secret("hunter2")},
                ],
                "pod_template": {"metadata": {"labels": {"team": created.metadata["name"]}}},
                "engine": {"type": "llamacpp"},
            },
            pulumi.ResourceOptions(providers={"kubernetes": provider}),
        )

    resources = registered(program)
    (workspace,) = [r for r in resources if r.type.endswith(":Workspace")]
    template = workspace.inputs["inference"]["template"]
    (container,) = template["spec"]["containers"]
    assert container["image"] == "registry.example/created:1"
    assert container["env"] == [{"name": "A", "value": "created"}, {"name": "B", "value": "[secret]"}]
    assert template["metadata"]["labels"]["team"] == "created"
    assert list(workspace.secrets) == ["inference.template.spec.containers[0].env[1].value"]
    assert [u.rsplit("::", 1)[1] for u in workspace.dependencies] == ["created"]
    assert "hunter2" not in str(resources)


@pytest.mark.parametrize(
    ("args", "path"),
    [
        ({"model": {"id": "x"}}, "model.id"),
        ({"scaling": {"replicas": 1}}, "scaling.replicas"),
        ({"engine": {"type": "vllm"}}, "engine.type"),
        ({"resources": {"memory": "1Gi"}}, "resources.memory"),
        ({"engine": {"args": {"a": "b"}}}, "engine.args.a"),
        ({"engine": {"extra_args": ["-x"]}}, "engine.extraArgs[0]"),
        ({"namespace": "ml"}, "namespace"),
        ({"env": [{"name": "A"}]}, "env[0].name"),
        ({"resources": {}}, "resources"),
        ({"env": []}, "env"),
    ],
)
def test_an_output_that_a_decision_needs_is_refused_by_its_path(args: dict[str, Any], path: str) -> None:
    def program() -> None:
        ModelDeployment("chat", {"model": {"id": "org/model"}} | with_output(args, path))

    assert problems(program) == [
        f"{path}: is a secret, or an Output that is not known while the deployment is planned; give a plain value"
    ]


def test_an_output_that_is_known_already_counts_as_its_value() -> None:
    def program() -> None:
        known = pulumi.Output.from_input
        args: Any = {"engine": {"type": known("sglang")}, "scaling": {"replicas": known(2)}, **GPU}
        ModelDeployment("chat", {"model": {"id": "org/model"}} | args)

    assert objects(registered(program)) == objects(
        deployed({"engine": {"type": "sglang"}, "scaling": {"replicas": 2}, **GPU})
    )


def with_output(args: Any, path: str) -> Any:
    """``args`` with an Output in place of the value at ``path``."""
    if not path:
        return pulumi.Output.from_input(args).apply(lambda value: value)
    if isinstance(args, list):
        return [with_output(args[0], path.partition("]")[2].removeprefix("."))]
    key, value = next(iter(args.items()))
    rest = path[len(key.replace("_a", "A")) :].removeprefix(".")
    return {key: with_output(value, rest)}


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_plan_with_outputs_is_the_plan_with_their_values_in_their_places(data: st.DataObject) -> None:
    """Whatever the texts of what is passed through, nothing else in the objects depends on them."""
    text = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)
    values = data.draw(st.lists(text, min_size=3, max_size=3))
    bases: list[dict[str, Any]] = [
        {},
        GPU,
        {"engine": {"type": "sglang"}, **GPU},
        {"provider": {"name": "kuberay"}, **GPU},
    ]
    base = data.draw(st.sampled_from(bases))

    def entry(value: Callable[[int], Any]) -> dict[str, Any]:
        return {
            "name": "chat",
            "model": {"id": "org/model"},
            "image": value(0),
            "env": [{"name": "A", "value": value(1)}],
            "podTemplate": {"metadata": {"annotations": {"note": value(2)}}},
            **base,
        }

    async def outputs() -> tuple[PlannedDeployment, Arguments]:
        args = read_arguments(entry(lambda i: pulumi.Output.from_input(values[i])), DeploymentEntry)
        return plan_deployments(args, plan)[0], args

    target = default_target()

    def plan(entry: Any) -> list[PlannedDeployment]:
        from airunway.planning.deployment import plan_entry

        return [plan_entry(entry, target)]

    result, args = asyncio.run(outputs())
    texts = {id(leaf.output): values[index] for index, leaf in enumerate(args.leaves)}
    assert resolved(result.rendered.resource, texts) == plan(entry(lambda i: values[i]))[0].rendered.resource


def resolved(value: Any, texts: dict[int, str]) -> Any:
    if isinstance(value, pulumi.Output):
        return texts[id(value)]
    if isinstance(value, dict):
        return {key: resolved(inner, texts) for key, inner in value.items()}
    return [resolved(inner, texts) for inner in value] if isinstance(value, list) else value


def shared(args: Any, *deployments: Any) -> list[Resource]:
    def program() -> None:
        platform = Platform("models", args)
        for name, deployment in deployments:
            ModelDeployment(name, {"model": {"id": "org/model"}} | deployment, platform=platform)

    return registered(program)


def test_a_platform_brings_along_what_its_deployments_need_once() -> None:
    resources = shared(
        {"namespace": "ml", "hugging_face_token": "t"}, ("a", GPU), ("b", GPU), ("c", {"namespace": "other"})
    )
    assert [r.name for r in resources if r.type.endswith(":Release")] == ["dynamo-platform", "kaito-workspace"]
    assert sorted(r.name for r in resources if r.type.endswith(":Namespace")) == [
        "dynamo-system",
        "kaito-workspace",
        "ml",
        "other",
    ]
    assert sorted(r.name for r in resources if r.type.endswith(":Secret")) == [
        "huggingface-token-ml",
        "huggingface-token-other",
    ]
    (graph,) = [r for r in resources if r.type.endswith(":DynamoGraphDeployment") and r.name == "a"]
    waits = {u.rsplit("::", 1)[1] for u in graph.dependencies}
    assert {"dynamo-platform", "ml", "huggingface-token-ml"} <= waits
    assert "kaito-workspace" not in waits


def test_a_platform_that_no_deployment_needs_creates_nothing() -> None:
    assert [r.type for r in shared({})] == ["airunway:index:Platform"]


def test_a_platform_s_settings_are_those_of_a_stack() -> None:
    existing = {"providers": {"dynamo": {"installation": "existing"}}, "namespace": "ml", "create_namespaces": False}
    resources = shared(existing, ("a", GPU))
    assert [o["kind"] for o in objects(resources)] == ["DynamoGraphDeployment"]
    message = problems(lambda: Platform("models", {"namspace": "ml", "providers": {"dynamo": {"instalation": "x"}}}))  # type: ignore[typeddict-unknown-key]
    assert [line.partition(";")[0] for line in message] == [
        "providers.dynamo.instalation: unknown key",
        "namspace: unknown key",
    ]


def test_images_are_built_by_the_platform_and_pulled_with_its_login() -> None:
    registry = {
        "registry": {"existing": {"host": "registry.example/models", "username": "ci"}},
        "registry_password": "hunter2",
    }
    gguf = {"model": {"id": "org/model", "gguf": {"file": "m.gguf", "build": True}}}
    resources = shared(registry | {"namespace": "ml"}, ("a", gguf), ("b", gguf | {"namespace": "other"}))
    assert len(objects(resources, "Job")) == 1
    logins = sorted(r.name for r in resources if r.type.endswith(":Secret"))
    assert [name.partition("-")[0] for name in logins] == ["airunway"] * 3, logins
    assert "hunter2" not in str(resources)
    for name in ("a", "b"):
        (workspace,) = [r for r in resources if r.type.endswith(":Workspace") and r.name == name]
        waits = " ".join(u.rsplit("::", 1)[1] for u in workspace.dependencies)
        assert "org-model" in waits
        assert "pull" in waits


def test_a_login_goes_with_its_password() -> None:
    registry = {"existing": {"host": "registry.example", "username": "ci"}}
    message = problems(lambda: Platform("models", {"registry": registry}))  # type: ignore[typeddict-item]
    assert message == [
        "registry.existing.username: goes with the secret airunway:registryPassword; give both or neither"
    ]


def test_delivery_to_a_controller_takes_a_whole_stack() -> None:
    args = {"model": {"id": "a/b"}, "delivery": "modeldeployment"}
    message = problems(lambda: ModelDeployment("chat", args, platform=Platform("models", {})))  # type: ignore[arg-type]
    assert message == ["delivery: the controller needs a whole stack; use ModelServing"]


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
def test_a_stack_s_settings_as_one_component_make_the_same_objects(stack: str) -> None:
    def program() -> None:
        ModelServing("models", serving_args(stack))  # type: ignore[arg-type]

    config = read_stack(ROOT, stack)
    expected = {(r.type, r.name): r.inputs for r in record(ROOT, config).resources if r.custom}
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


def test_outputs_in_a_component_s_deployments_are_put_where_they_belong() -> None:
    def program() -> None:
        provider = kubernetes.Provider("mine", kubeconfig="{}")
        image = pulumi.Output.from_input("registry.example/vllm:1")
        args: Any = {"deployments": [{"name": "chat", "model": {"id": "a/b"}, "engine": {"image": image}, **GPU}]}
        ModelServing("models", args, pulumi.ResourceOptions(providers={"kubernetes": provider}))

    (graph,) = objects(registered(program), "DynamoGraphDeployment")
    assert containers(graph)["VllmWorker"]["image"] == "registry.example/vllm:1"


@pytest.mark.parametrize(("file", "text"), [("spec_types", spec_types), ("settings_types", settings_types)])
def test_argument_types_are_those_of_the_models(file: str, text: Callable[[], str]) -> None:
    assert (ROOT / "components" / f"{file}.py").read_text() == text(), "`make schema` rewrites them"


def test_no_module_hides_one_of_the_standard_library_from_the_plugin() -> None:
    # The plugin's folder is first on its module path.
    assert {path.stem for path in (ROOT / "components").glob("*.py")} & sys.stdlib_module_names == set()


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


def graphs(resources: list[Resource]) -> list[Resource]:
    return [r for r in resources if r.type.endswith(":DynamoGraphDeployment")]


def test_a_claim_s_name_may_be_another_resource_s_output() -> None:
    def program() -> None:
        claim = kubernetes.core.v1.PersistentVolumeClaim("shared")
        volume = {"name": "weights", "claim_name": claim.metadata.name, "purpose": "modelCache"}
        ModelDeployment("chat", {"model": {"id": "org/model", "storage": {"volumes": [volume]}}, **GPU})  # type: ignore[typeddict-item]

    (graph,) = graphs(registered(program))
    (volume,) = graph.inputs["spec"]["components"][1]["podTemplate"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"]
