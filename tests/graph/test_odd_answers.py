"""Graph (command line, in process, against an API server that answers oddly): one clear line, in time, whatever is
answered.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.planning.deployment import plan_entry
from airunway.program.stack_plan import stack_target
from tests.command import run
from tests.graph.api_server import Answer, ApiServer
from tests.graph.projects import write_project

CPU = {"name": "cpu", "model": {"id": "org/gguf"}}
GPU = {"name": "gpu", "model": {"id": "org/model"}, "resources": {"gpu": {"count": 1}}}
WORKSPACES = "/apis/kaito.sh/v1beta1/workspaces"
WORKSPACE = "/apis/kaito.sh/v1beta1/namespaces/default/workspaces/cpu"
COMMANDS = [
    ["status"],
    ["wait", "--timeout", "1s"],
    ["import"],
    ["endpoint", "cpu", "--port-forward"],
    ["chat", "cpu", "hello"],
]


@pytest.fixture
def server(running: ApiServer) -> ApiServer:
    running.forget()
    return running


@pytest.fixture
def project(tmp_path: Path, server: ApiServer) -> Path:
    config = {
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "contexts": [{"name": "odd", "context": {"cluster": "c"}}],
    }
    return write_project(tmp_path, [CPU, GPU], cluster={"context": "odd", "kubeconfig": json.dumps(config)})


class Commands:
    """Runs a command on the project, and gives its status and what it said on standard error."""

    def __init__(self, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.project, self.monkeypatch, self.capsys = project, monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str]:
        status = run(self.monkeypatch, *arguments, "--stack", "own", "--cwd", str(self.project))
        return status, self.capsys.readouterr().err

    def refused(self, *arguments: str) -> str:
        """The one line of an error."""
        status, output = self(*arguments)
        assert status == 1, output
        assert "Traceback" not in output
        assert "bug" not in output
        errors = [line for line in output.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, output
        return errors[0]


@pytest.fixture
def command(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(project, monkeypatch, capsys)


def test_an_empty_cluster_is_read(command: Commands) -> None:
    status, output = command("status")
    assert status == 3, output


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda a: str(a[0]))
@pytest.mark.parametrize("slowly", [0, 0.05], ids=["silent", "dripping"])
def test_a_server_that_does_not_end_its_answer_is_given_up_in_time(
    slowly: float, arguments: list[str], server: ApiServer, command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airunway.live.api_server.session.DEADLINE", 0.5)
    monkeypatch.setattr("airunway.live.api_server.connection.DEADLINE", 0.5)
    server.rules["/version"] = Answer(b"{" + b" " * 1000, slowly=slowly or 1)
    started = time.monotonic()
    output = command.refused(*arguments)
    assert "no response within 0 seconds" in output or "did not answer within the timeout of 1 seconds" in output
    assert time.monotonic() - started < 5


def test_wait_ends_in_time_where_the_server_stalls(server: ApiServer, command: Commands) -> None:
    server.rules[WORKSPACES] = Answer(b"{" + b" " * 1000, slowly=1)
    started = time.monotonic()
    assert "the API server did not answer within the timeout of 1 seconds" in command.refused("wait", "--timeout", "1s")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_busy_server_is_asked_again_when_it_says_so(status: int, server: ApiServer, command: Commands) -> None:
    left = [3]

    def busy(_: dict[str, str]) -> Answer | None:
        left[0] -= 1
        return Answer({"kind": "Status", "message": "busy"}, status, {"Retry-After": "0"}) if left[0] >= 0 else None

    server.rules[WORKSPACES] = server.rules["/version"] = busy
    assert command("status")[0] == 3
    assert left[0] < 0


@pytest.mark.parametrize(
    ("headers", "times"),
    [({}, 1), ({"Retry-After": "0"}, 11), ({"Retry-After": "3600"}, 1), ({"Retry-After": "soon"}, 1)],
    ids=str,
)
def test_a_server_that_stays_busy_is_told_with_its_code(
    headers: dict[str, str], times: int, server: ApiServer, command: Commands
) -> None:
    server.rules["/version"] = Answer({"kind": "Status", "message": "too many requests"}, 429, headers)
    assert "the API server refused: 429 Too Many Requests: too many requests" in command.refused("status")
    assert server.asked.count("/version") == times


@pytest.mark.parametrize("status", [400, 401, 403, 500, 503])
@pytest.mark.parametrize("path", ["/version", "/apis/kaito.sh/v1beta1", WORKSPACES])
def test_a_refusal_in_html_keeps_its_code(path: str, status: int, server: ApiServer, command: Commands) -> None:
    server.rules[path] = Answer(b"<html>\n<h1>No\x1b[31m</h1></html>" + b"x" * 5000, status, kind="text/html")
    if path == WORKSPACES and status == 403:
        server.rules["/apis/kaito.sh/v1beta1/namespaces/default/workspaces"] = server.rules[path]
    if status == 403 and path != WORKSPACES:
        assert command("status")[0] == 3  # neither has to be allowed
        return
    output = command.refused("status")
    assert f"{status} " in output
    assert "<html> <h1>No" in output
    assert "\x1b" not in output
    assert len(output) < 500


def test_what_a_server_says_is_no_command_to_terminal_or_runner(server: ApiServer, command: Commands) -> None:
    server.rules["/version"] = Answer(
        {"kind": "Status", "message": "no\n::error::forged\r\n \x1b[2J##[error]too\u2028::x::"}, 500
    )
    status, output = command("status")
    assert status == 1
    assert output.splitlines()[0].endswith("500 Internal Server Error: no | ::error::forged | [2J## [error]too | ::x::")
    assert not any(line.lstrip().startswith("::") for line in output.splitlines())
    assert "\x1b" not in output


def redirect(server: ApiServer) -> dict[str, Any]:
    return {"/version": Answer({}, 302, {"Location": f"{server.url}/other"}), "/other": Answer({"gitVersion": "v1"})}


def test_a_redirect_is_not_followed(server: ApiServer, command: Commands) -> None:
    server.rules |= redirect(server)
    assert "302 Found" in command.refused("status")
    assert "/other" not in server.asked


@pytest.mark.parametrize(
    ("body", "output"),
    [
        (b"", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b'{"a": NaN}', "is not JSON"),
        (b'{"a": 1e999}', "is not JSON"),
        (b"1" * 5000, "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        ([], "a list, must be a map"),
        ("text", "a str, must be a map"),
        (None, "a NoneType, must be a map"),
        ({}, "its /version is not that of Kubernetes"),
        ({"gitVersion": 1}, "its /version is not that of Kubernetes"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_api_server_is_told(body: Any, output: str, server: ApiServer, command: Commands) -> None:
    server.rules["*"] = Answer(body)
    message = command.refused("status")
    assert "is not a Kubernetes API server" in message
    assert output in message


def test_a_server_that_has_nothing_anywhere_is_not_an_empty_cluster(server: ApiServer, command: Commands) -> None:
    server.rules["*"] = Answer(b"404 page not found", 404, kind="text/plain")
    assert "its /version is not that of Kubernetes" in command.refused("status")


def item(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "namespace": "default"} | metadata, "spec": {}}


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


@pytest.mark.parametrize("columns", [60, 120, 200])
def test_what_an_object_says_is_no_command_to_the_runner(
    columns: int,
    server: ApiServer,
    command: Commands,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = "no\n::error::forged\r\n##[error]too " + "x " * 20 + "::add-mask::a"
    condition = {"type": "InferenceReady", "status": "False", "message": message}
    live = item(name="cpu") | {"status": {"state": "NotReady", "conditions": [condition]}}
    server.rules[WORKSPACES] = Answer({"metadata": {}, "items": [live]})
    assert run(monkeypatch, "status", "--stack", "own", "--cwd", str(command.project), columns=columns) == 3
    out = capsys.readouterr().out
    assert "forged" in out
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in out.splitlines())


def test_what_an_adopted_object_says_is_no_command_to_the_runner(
    server: ApiServer, command: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    container = {
        "name": "model",
        "image": "x",
        "args": ["a\n::error::forged\n##[error]b"],
        "env": [{"name": "A", "value": "\n::notice::c"}],
    }
    template = {"spec": {"containers": [container]}}
    workspace = item(name="other") | {
        "resource": {"labelSelector": {"matchLabels": {}}},
        "inference": {"template": template},
    }
    server.rules[WORKSPACES] = Answer({"metadata": {}, "items": [workspace]})
    assert run(monkeypatch, "import", "--stack", "own", "--cwd", str(command.project)) == 0
    out = capsys.readouterr().out
    assert "extraArgs" in out
    (entry,) = yaml.safe_load(out)
    assert entry["engine"]["extraArgs"] == container["args"]
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in out.splitlines())


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


@pytest.mark.parametrize(
    "token", [lambda n: "same", lambda n: f"token-{n % 3}", str], ids=["repeated", "in circles", "endless"]
)
def test_pages_that_do_not_end_are_told(
    token: Any, server: ApiServer, command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airunway.live.api_server.connection._MAX_PAGES", 50)
    count = [0]

    def page(_: dict[str, str]) -> Answer:
        count[0] += 1
        return Answer({"metadata": {"continue": token(count[0])}, "items": []})

    server.rules[WORKSPACES] = page
    output = command.refused("status")
    assert "repeats a continue token" in output or "does not end within 50 pages" in output
    assert count[0] <= 51


def test_pages_that_expire_are_read_again_all_at_once(server: ApiServer, command: Commands) -> None:
    asked: list[dict[str, str]] = []

    def page(query: dict[str, str]) -> Answer:
        asked.append(query)
        if "continue" in query:
            return Answer({"kind": "Status", "reason": "Expired", "message": "too old"}, 410)
        return Answer({"metadata": {"continue": "next"} if "limit" in query else {}, "items": [item(name="cpu")]})

    server.rules[WORKSPACES] = page
    assert command("status")[0] == 3
    assert asked == [{"limit": "500"}, {"limit": "500", "continue": "next"}, {}]
    server.rules[WORKSPACES] = Answer({"kind": "Status", "message": "gone for good"}, 410)
    assert "410 Gone: gone for good" in command.refused("status")


def test_a_connection_that_breaks_once_is_made_again(
    server: ApiServer, command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airunway.live.api_server.session._RECONNECT_SECONDS", 0)
    whole = Answer({"metadata": {}, "items": []})
    answers = [Answer({"metadata": {}, "items": []}, cut=True), whole, whole]
    server.rules[WORKSPACES] = lambda _: answers.pop(0)
    assert command("status")[0] == 3
    server.rules[WORKSPACES] = Answer({"metadata": {}, "items": []}, cut=True)
    assert "can't be reached" in command.refused("status")


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


@pytest.mark.parametrize("address", ["https://a b", "https://a\\b", "https://xn--/", "https://[v1.x]"])
def test_an_address_that_is_none_is_told(address: str, project: Path, command: Commands) -> None:
    stack = project / "stacks" / "Pulumi.own.yaml"
    document = json.loads(stack.read_text())
    config = json.loads(document["config"]["airunway:cluster"]["kubeconfig"])
    config["clusters"][0]["cluster"]["server"] = address
    document["config"]["airunway:cluster"]["kubeconfig"] = json.dumps(config)
    stack.write_text(json.dumps(document))
    output = command.refused("status")
    assert "is not a URL" in output or "can't be reached" in output or "a URL such as" in output


def test_what_answers_in_another_protocol_is_told(
    command: Commands, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airunway.live.api_server.session._RECONNECT_SECONDS", 0)
    server.rules["/version"] = Answer(b"x", headers={"Content-Length": "nonsense"})
    assert "can't be reached" in command.refused("status")
    assert server.asked.count("/version") == 3


def test_names_that_a_server_makes_up_are_no_commands(
    server: ApiServer, command: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [
        item(name="x\n::error::forged", ownerReferences=[{"kind": "A\n::error::b", "name": "\x1b[2J"}]),
        item(name="\n::error::y"),
    ]
    server.rules[WORKSPACES] = Answer({"metadata": {}, "items": items})
    assert run(monkeypatch, "import", "--stack", "own", "--cwd", str(command.project)) == 0
    out = capsys.readouterr().out
    assert "forged" in out
    assert not any(line.lstrip().startswith("::") for line in out.splitlines())
    assert "\x1b" not in out


def test_a_file_for_ids_that_can_not_be_written_is_told(command: Commands) -> None:
    assert "/nowhere/ids.json: can't be written: No such file or directory" in command.refused(
        "import", "--ids", "/nowhere/ids.json"
    )
