"""Graph (command line, in process, against an API server that a test tells what to answer): `airunway logs`. A real API
server and its way to a kubelet are in tests/cluster/test_console_operating.py.
"""

from typing import Any

import pytest

from tests.command import run
from tests.graph.api_server import Answer, ApiServer
from tests.graph.live_commands import Commands, item

CORE = "/api/v1/namespaces/default"
CRASHED = {"terminated": {"reason": "Error", "exitCode": 1}}


def pod(name: str, **states: Any) -> dict[str, Any]:
    containers = [{"name": key, "restartCount": 0, "state": {"running": {}}} | value for key, value in states.items()]
    return item(name=name) | {"spec": {"containers": []}, "status": {"containerStatuses": containers}}


class Server:
    """Has pods, and a log of each that begins with its name."""

    def __init__(self, server: ApiServer, *pods: dict[str, Any]) -> None:
        self.asked: list[dict[str, str]] = []
        server.rules[f"{CORE}/pods"] = Answer({"metadata": {}, "items": list(pods)})
        for live in pods:
            self.serve(server, live["metadata"]["name"])

    def serve(self, server: ApiServer, name: str) -> None:
        def answer(query: dict[str, str]) -> Answer:
            self.asked.append(query)
            return Answer(f"2026-11-27T08:30:00.5Z \x1b[31m::error::{name}\n".encode(), kind="text/plain")

        server.rules[f"{CORE}/pods/{name}/log"] = answer


def printed(command: Commands, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints that succeeds."""
    status = run(command.monkeypatch, *arguments, "--stack", "own", "--cwd", str(command.project))
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return captured.out


def test_one_log_is_printed_as_it_is_with_times(
    command: Commands, server: ApiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Server(server, pod("cpu-0", model={}))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert printed(command, capsys, "logs", "cpu") == "2026-11-27T08:30:00Z ::error::cpu-0\n"


def test_of_several_each_line_says_whose_it_is(
    command: Commands, server: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    Server(server, pod("cpu-0", model={}, proxy={}), pod("cpu-1", model={}))
    lines = printed(command, capsys, "logs", "cpu").splitlines()
    assert [line.split()[:2] for line in lines] == [["cpu-0", "model"], ["cpu-0", "proxy"], ["cpu-1", "model"]]


def test_the_log_before_a_restart_is_asked_for(
    command: Commands, server: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Server(server, pod("cpu-0", model={"lastState": CRASHED}), pod("cpu-1", model={})).asked
    assert "cpu-0" in printed(command, capsys, "logs", "cpu", "--previous")
    assert [query.get("previous") for query in asked] == ["true"]


@pytest.mark.parametrize(
    ("pods", "arguments", "says"),
    [
        ([], ("cpu",), "cpu: has no pods; `airunway status` shows its state"),
        ([pod("cpu-0", model={})], ("cpu", "--previous"), "cpu: no container was restarted"),
        (
            [pod("cpu-0", model={"state": {"waiting": {"reason": "ImagePullBackOff"}}})],
            ("cpu",),
            "cpu: none has started yet (model: ImagePullBackOff)",
        ),
        (
            [pod("cpu-0", model={"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": CRASHED})],
            ("cpu",),
            "cpu: no container runs; --previous shows the log before the restart",
        ),
        ([], ("cpx",), "no deployment 'cpx'; did you mean 'cpu'?"),
    ],
    ids=["no pods", "no restart", "not started", "crashed", "no deployment"],
)
def test_why_there_is_no_log_is_told(
    command: Commands, server: ApiServer, pods: list[Any], arguments: tuple[str, ...], says: str
) -> None:
    Server(server, *pods)
    assert says in command.refused("logs", *arguments)


def test_a_log_that_can_t_be_read_does_not_hide_the_others(
    command: Commands, server: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    Server(server, pod("cpu-0", model={}), pod("cpu-1", model={}))
    server.rules[f"{CORE}/pods/cpu-0/log"] = Answer({"message": "no"}, 403)
    status = run(command.monkeypatch, "logs", "cpu", "--stack", "own", "--cwd", str(command.project))
    captured = capsys.readouterr()
    assert status == 1
    assert captured.out.startswith("cpu-1 model ")
    assert "pods/log of default: may not be read: 403 Forbidden: no" in captured.err
