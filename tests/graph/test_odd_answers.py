"""Graph (command line, in process, against an API server that answers oddly): refusals, stalls, busy servers and what
is no API server: one clear line, in time, or what is answered later. Those that stay broken are in ``broken_servers``.
"""

import json
import time
from typing import Any

import pytest

from tests.graph.api_server import Answer, ApiServer
from tests.graph.live_commands import WORKSPACES, Commands, item


@pytest.fixture(autouse=True)
def timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than a busy machine takes for an answer."""
    monkeypatch.setenv("AIRUNWAY_REQUEST_TIMEOUT", "3s")


def test_an_empty_cluster_is_read(command: Commands) -> None:
    status, output = command("status")
    assert status == 3, output


@pytest.mark.parametrize("arguments", [["import"], ["chat", "cpu", "hello"]], ids=lambda a: str(a[0]))
@pytest.mark.parametrize("slowly", [1, 0.05], ids=["silent", "dripping"])
def test_a_server_that_does_not_end_its_answer_is_given_up_in_time(
    slowly: float, arguments: list[str], server: ApiServer, command: Commands
) -> None:
    command.monkeypatch.setenv("AIRUNWAY_REQUEST_TIMEOUT", "1s")
    server.rules["/version"] = Answer(b"{" + b" " * 1000, slowly=slowly)
    started = time.monotonic()
    assert "no response within 1 seconds" in command.refused(*arguments)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("text", ["0s", "1", "soon", "-1s", "1.5s", "1s\n"])
def test_a_timeout_that_is_none_is_told(text: str, command: Commands) -> None:
    command.monkeypatch.setenv("AIRUNWAY_REQUEST_TIMEOUT", text)
    output = command.refused("status")
    assert f"AIRUNWAY_REQUEST_TIMEOUT: {text!r} given, must be a duration such as 10s or 2m" in output


def test_wait_ends_in_time_where_the_server_stalls(server: ApiServer, command: Commands) -> None:
    server.rules[WORKSPACES] = Answer(b"{" + b" " * 1000, slowly=1)
    started = time.monotonic()
    assert "the API server did not answer within the timeout of 1 seconds" in command.refused("wait", "--timeout", "1s")
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("status", [429, 503, 502, 504])
def test_what_a_busy_server_said_is_told_where_it_then_says_nothing(
    status: int, server: ApiServer, command: Commands
) -> None:
    command.monkeypatch.setenv("AIRUNWAY_REQUEST_TIMEOUT", "2s")
    answers = iter([Answer({"message": "come again"}, status=status)])
    server.rules["/version"] = lambda _: next(answers, Answer(b"{" + b" " * 1000, slowly=1))
    output = command.refused("status")
    assert f"the API server refused: {status}" in output
    assert "come again" in output


PAST = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (429, {"Retry-After": "0"}),
        (503, {"Retry-After": "0"}),
        (500, {"Retry-After": "0"}),
        (429, {"Retry-After": PAST}),
        (503, {"Retry-After": PAST}),
        (429, {}),
        (503, {}),
        (502, {}),
        (504, {}),
        (429, {"Retry-After": "soon"}),
    ],
    ids=str,
)
def test_a_server_that_is_busy_for_a_moment_is_asked_again(
    status: int, headers: dict[str, str], server: ApiServer, command: Commands
) -> None:
    command.monkeypatch.setenv("AIRUNWAY_REQUEST_TIMEOUT", "30s")
    busy = {"/version": 4 if headers.get("Retry-After") in ("0", PAST) else 1, WORKSPACES: 1}

    def answer(path: str) -> Answer | None:
        busy[path] -= 1
        return Answer({"kind": "Status", "message": "busy"}, status, headers) if busy[path] >= 0 else None

    server.rules |= {"/version": lambda _: answer("/version"), WORKSPACES: lambda _: answer(WORKSPACES)}
    assert command("status")[0] == 3
    assert all(left < 0 for left in busy.values())


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500, 501])
def test_what_may_be_the_same_for_ever_is_asked_once(status: int, server: ApiServer, command: Commands) -> None:
    server.rules[WORKSPACES] = Answer({"kind": "Status", "message": "no"}, status)
    command("status")
    assert server.asked.count(WORKSPACES) == 1


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


@pytest.mark.parametrize(
    ("body", "output"),
    [
        (b"", "is not JSON"),
        (b'{"a": NaN}', "is not JSON"),
        ("text", "a str, must be a map"),
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


def test_a_connection_that_breaks_once_is_made_again(server: ApiServer, command: Commands) -> None:
    whole = Answer({"metadata": {}, "items": []})
    answers = [Answer({"metadata": {}, "items": []}, cut=True), whole, whole]
    server.rules[WORKSPACES] = lambda _: answers.pop(0)
    assert command("status")[0] == 3
    server.rules[WORKSPACES] = Answer({"metadata": {}, "items": []}, cut=True)
    assert "can't be reached" in command.refused("status")


@pytest.mark.parametrize("address", ["https://a b", "https://a\\b", "https://xn--/", "https://[v1.x]"])
def test_an_address_that_is_none_is_told(address: str, command: Commands) -> None:
    stack = command.project / "stacks" / "Pulumi.own.yaml"
    document = json.loads(stack.read_text())
    config = json.loads(document["config"]["airunway:cluster"]["kubeconfig"])
    config["clusters"][0]["cluster"]["server"] = address
    document["config"]["airunway:cluster"]["kubeconfig"] = json.dumps(config)
    stack.write_text(json.dumps(document))
    output = command.refused("status")
    assert "is not a URL" in output or "can't be reached" in output or "a URL such as" in output


def test_a_file_for_ids_that_can_not_be_written_is_told(command: Commands) -> None:
    assert "/nowhere/ids.json: can't be written: No such file or directory" in command.refused(
        "import", "--ids", "/nowhere/ids.json"
    )
