"""Graph (command line, in process, against an API server that answers oddly): refusals, stalls, redirects, endless
pages and what is no API server: one clear line, in time.
"""

import gzip
import json
import time
from typing import Any

import pytest

from airunway.live.api_server import bounded_answers
from tests.graph.api_server import Answer, ApiServer
from tests.graph.live_commands import WORKSPACES, Commands, item

COMMANDS = [
    ["status"],
    ["wait", "--timeout", "1s"],
    ["import"],
    ["endpoint", "cpu", "--port-forward"],
    ["chat", "cpu", "hello"],
]


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


def test_what_answers_in_another_protocol_is_told(
    command: Commands, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airunway.live.api_server.session._RECONNECT_SECONDS", 0)
    server.rules["/version"] = Answer(b"x", headers={"Content-Length": "nonsense"})
    assert "can't be reached" in command.refused("status")
    assert server.asked.count("/version") == 3


def test_a_file_for_ids_that_can_not_be_written_is_told(command: Commands) -> None:
    assert "/nowhere/ids.json: can't be written: No such file or directory" in command.refused(
        "import", "--ids", "/nowhere/ids.json"
    )


@pytest.mark.parametrize("compressed", [True, False], ids=["compressed", "plain"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda a: str(a[0]))
def test_an_answer_that_is_longer_than_any_is_given_up(
    arguments: list[str], compressed: bool, server: ApiServer, command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_answers, "MAX_BYTES", 100_000)
    body = b'{"kind": "' + b" " * 200_000 + b'"}'
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    server.rules["*"] = Answer(gzip.compress(body) if compressed else body, headers=headers)
    assert "its answer has more than 100,000 bytes, the most that is read" in command.refused(*arguments)
    assert server.asked.count("/version") == 1, "it is not asked for again"
