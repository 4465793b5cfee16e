"""Graph (SDK and recorder): Outputs as arguments of a component: they stand where their text decides nothing, and
are refused by their path elsewhere.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airunway.planning.deployment import PlannedDeployment
from airunway.spec.entry import DeploymentEntry
from components import ModelDeployment, ModelServing
from components.arguments import Arguments, plan_deployments, read_arguments
from components.model_deployment import default_target
from tests.graph.programs import deployed, graphs, objects, problems, registered
from tests.unit.samples import GPU, containers


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


def test_outputs_in_a_component_s_deployments_are_put_where_they_belong() -> None:
    def program() -> None:
        provider = kubernetes.Provider("mine", kubeconfig="{}")
        image = pulumi.Output.from_input("registry.example/vllm:1")
        args: Any = {"deployments": [{"name": "chat", "model": {"id": "a/b"}, "engine": {"image": image}, **GPU}]}
        ModelServing("models", args, pulumi.ResourceOptions(providers={"kubernetes": provider}))

    (graph,) = objects(registered(program), "DynamoGraphDeployment")
    assert containers(graph)["VllmWorker"]["image"] == "registry.example/vllm:1"


def test_a_claim_s_name_may_be_another_resource_s_output() -> None:
    def program() -> None:
        claim = kubernetes.core.v1.PersistentVolumeClaim("shared")
        volume = {"name": "weights", "claim_name": claim.metadata.name, "purpose": "modelCache"}
        ModelDeployment("chat", {"model": {"id": "org/model", "storage": {"volumes": [volume]}}, **GPU})  # type: ignore[typeddict-item]

    (graph,) = graphs(registered(program))
    (volume,) = graph.inputs["spec"]["components"][1]["podTemplate"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"]
