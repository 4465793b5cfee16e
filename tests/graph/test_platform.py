"""Graph (SDK and recorder): the component Platform: operators, namespaces, the token, image builds and logins that
its deployments need, once.
"""

from typing import Any

from airunway.program.record import Resource
from components import ModelDeployment, Platform
from tests.graph.programs import objects, problems, registered
from tests.unit.samples import GPU


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


def test_a_platform_deploys_with_the_program_s_provider_and_checks_no_cluster_s_uid() -> None:
    wrong: Any = {"cluster": {"context": "kind", "uid": "ae3d"}}
    assert [line.partition(": ")[0] for line in problems(lambda: Platform("models", wrong))] == ["cluster.uid"]


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
