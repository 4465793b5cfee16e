"""Graph (command line, in process, against an API server that answers oddly): lists, objects and discovery of
another shape are told with their place, and the rest is read.
"""

import json
from typing import Any

import pytest

from airunway.planning.deployment import plan_entry
from airunway.program.stack_plan import stack_target
from tests.command import run
from tests.deployments import CPU, GPU
from tests.graph.api_server import Answer, ApiServer
from tests.graph.live_commands import WORKSPACES, Commands, item


@pytest.mark.parametrize(
    ("items", "output"),
    [
        ({}, "items: input should be a valid list"),
        ("text", "items: input should be a valid list"),
        ([None], "items[0]: input should be"),
        (["text"], "items[0]: input should be"),
        ([{}], "items[0].metadata: field required"),
        ([{"metadata": None}], "items[0].metadata: input should be"),
        ([{"metadata": []}], "items[0].metadata: input should be"),
        ([item(), item(name=None)], "items[1].metadata.name: input should be a valid string"),
        ([item(namespace=None)], "items[0].metadata.namespace: field required"),
        ([item(namespace=["a"])], "items[0].metadata.namespace: input should be a valid string"),
        ([item(ownerReferences={})], "items[0].metadata.ownerReferences: input should be a valid list"),
        ([item(ownerReferences=[{"name": "a"}])], "items[0].metadata.ownerReferences[0].kind: field required"),
        ([item(labels=["a"])], "items[0].metadata.labels: input should be"),
        ([item(generation="1")], "items[0].metadata.generation: input should be a valid integer"),
        ([item() | {"spec": [1]}], "items[0].spec: input should be"),
        ([item() | {"status": "fine"}], "items[0].status: input should be"),
    ],
    ids=lambda value: repr(value)[:60],
)
@pytest.mark.parametrize("arguments", [["status"], ["import"]], ids=lambda a: str(a[0]))
def test_a_list_of_another_shape_is_told_with_its_place(
    items: Any, output: str, arguments: list[str], server: ApiServer, command: Commands
) -> None:
    server.rules[WORKSPACES] = Answer({"kind": "WorkspaceList", "metadata": {}, "items": items})
    message = command.refused(*arguments)
    assert output in message
    assert "is not a Kubernetes API server: its response is not a valid " in message


def test_an_object_whose_status_has_another_shape_is_told_with_its_path_and_the_others_are_read(
    server: ApiServer, command: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = item(name="cpu") | {"status": {"state": ["Ready"]}}
    worker = {"name": "VllmWorker", "type": "worker", "replicas": 1}
    graph = item(name="gpu") | {"spec": {"components": [worker]}, "status": {"state": "successful"}}
    server.rules[WORKSPACES] = Answer({"metadata": {}, "items": [odd]})
    server.rules["/apis/nvidia.com/v1beta1/dynamographdeployments"] = Answer({"metadata": {}, "items": [graph]})
    assert run(monkeypatch, "status", "--stack", "own", "--cwd", str(command.project), "--format", "json") == 3
    (survey,) = json.loads(capsys.readouterr().out)
    assert [(d["name"], d["phase"], d["message"]) for d in survey["deployments"]] == [
        ("cpu", "Pending", "its status can't be read: status.state: input should be a valid string"),
        ("gpu", "Running", ""),
    ]


@pytest.mark.parametrize(
    "answer", [{"items": []}, {"metadata": None, "items": None}, {"kind": 3, "metadata": {}, "items": []}], ids=str
)
def test_a_list_that_lacks_what_is_not_needed_is_read(answer: Any, server: ApiServer, command: Commands) -> None:
    server.rules[WORKSPACES] = Answer(answer)
    assert command("status")[0] == 3


@pytest.mark.parametrize(
    "resources", [None, [None], [{"name": "workspaces"}], [{"name": 1, "kind": "Workspace"}]], ids=str
)
def test_odd_discovery_is_told(resources: Any, server: ApiServer, command: Commands) -> None:
    server.rules["/apis/kaito.sh/v1beta1"] = Answer({"resources": resources})
    assert "its response is not a valid APIResourceList: resources" in command.refused("status")


def test_an_object_that_is_nested_too_deeply_is_refused_alone(server: ApiServer, command: Commands) -> None:
    deep: Any = {}
    for _ in range(900):
        deep = {"a": deep}
    server.rules[WORKSPACES] = Answer({"metadata": {}, "items": [item() | {"resource": deep}]})
    assert command("import")[0] == 0
    assert command("status")[0] == 3


def test_objects_whose_names_are_taken_are_not_proposed(
    server: ApiServer, command: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = stack_target(command.project, "own")

    def live(entry: dict[str, Any]) -> dict[str, Any]:
        return plan_entry(entry, target).rendered.resource

    server.rules[WORKSPACES] = Answer(
        {"metadata": {}, "items": [live(CPU | {"name": name}) for name in ("gpu", "twin")]}
    )
    server.rules["/apis/nvidia.com/v1beta1/dynamographdeployments"] = Answer(
        {"metadata": {}, "items": [live(GPU | {"name": "twin"})]}
    )
    assert run(monkeypatch, "import", "--stack", "own", "--cwd", str(command.project)) == 0
    out = capsys.readouterr().out
    for kind, name, location in (
        ("Workspace", "gpu", "deployments[1]"),
        ("DynamoGraphDeployment", "twin", "Workspace default/twin"),
    ):
        why = f"name: '{name}' is the name of {location} too; a name is used once per stack"
        assert f"# {kind} default/{name} has no matching stack entry:\n#   {why}\n" in out
    assert "# Workspace, id default/twin\n- name: twin\n" in out


SERVICE = "/api/v1/namespaces/default/services/cpu"


@pytest.mark.parametrize(
    ("service", "pods", "output"),
    [
        ({"metadata": {"name": "cpu", "namespace": "default"}}, [], "not a valid Service: spec: field required"),
        (
            {"metadata": {"name": "cpu", "namespace": "default"}, "spec": {"selector": ["a"]}},
            [],
            "not a valid Service: spec.selector: input should be",
        ),
        (
            item(name="cpu") | {"spec": {"selector": {"a": "b"}}},
            [item()],
            "not a valid Pod: items[0].spec.containers: field required",
        ),
        (
            item(name="cpu") | {"spec": {"selector": {"a": "b"}, "ports": [{}]}},
            [],
            "not a valid Service: spec.ports[0].port: field required",
        ),
        (item(name="cpu"), [], "selects no pods"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_an_odd_service_or_pod_is_told(
    service: Any, pods: list[Any], output: str, server: ApiServer, command: Commands
) -> None:
    server.rules[SERVICE] = Answer(service)
    server.rules["/api/v1/namespaces/default/pods"] = Answer({"metadata": {}, "items": pods})
    assert output in command.refused("endpoint", "cpu", "--port-forward")


def test_a_name_that_the_api_gives_a_kind_is_the_one_that_is_asked_for(server: ApiServer, command: Commands) -> None:
    server.rules["/apis/kaito.sh/v1beta1"] = Answer(
        {"resources": [{"name": "oddspaces", "kind": "Workspace", "namespaced": True}]}
    )
    live = item(name="cpu") | {"status": {"state": "Ready", "conditions": []}}
    server.rules["/apis/kaito.sh/v1beta1/oddspaces"] = Answer({"metadata": {}, "items": [live]})
    command("status")
    assert "/apis/kaito.sh/v1beta1/oddspaces" in server.asked
    assert WORKSPACES not in server.asked


def test_where_the_names_may_not_be_read_those_of_the_table_are_asked_for(server: ApiServer, command: Commands) -> None:
    server.rules["/apis/kaito.sh/v1beta1"] = Answer({"kind": "Status", "message": "no"}, 403)
    assert command("status")[0] == 3
    assert WORKSPACES in server.asked
