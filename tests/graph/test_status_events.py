"""Graph (command line, in process, against an API server that a test tells what to answer): of what doesn't run
`airunway status` tells Kubernetes' warnings, and of what runs it asks nothing. With a real API server it is tried in
tests/cluster/test_live_status.py.
"""

import json
from typing import Any

import pytest

from tests.command import run
from tests.graph.api_server import Answer, ApiServer
from tests.graph.live_commands import WORKSPACES, Commands, item

CORE = "/api/v1/namespaces/default"
GRAPHS = "/apis/nvidia.com/v1beta1/dynamographdeployments"
LONG_AGO, SOON = "2026-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
WAITS: dict[str, Any] = {"state": "NotReady", "conditions": []}
RUNS: dict[str, Any] = {
    "state": "Ready",
    "conditions": [{"type": "WorkspaceSucceeded", "status": "True"}, {"type": "InferenceReady", "status": "True"}],
}


def event(name: str, message: str, kind: str = "Pod", **more: Any) -> dict[str, Any]:
    involved = {"kind": kind, "name": name}
    metadata = {"name": f"{name}.1", "namespace": "default"}
    return {"metadata": metadata, "involvedObject": involved, "type": "Warning", "reason": "Failed"} | {
        "message": message,
        "lastTimestamp": "2026-11-27T08:00:00Z",
        **more,
    }


class Stack:
    """The stack of ``cpu`` and ``gpu``: what their objects and the events are, and what a status of it says."""

    def __init__(self, server: ApiServer, command: Commands) -> None:
        self.server, self._command = server, command
        server.rules[f"{CORE}/events"] = self._events
        self.asked: list[dict[str, str]] = []
        self.events: list[dict[str, Any]] = []

    def _events(self, query: dict[str, str]) -> Answer:
        self.asked.append(query)
        return Answer({"metadata": {}, "items": self.events})

    def have(self, name: str, status: dict[str, Any], created: str = LONG_AGO) -> None:
        path = WORKSPACES if name == "cpu" else GRAPHS
        live = item(name=name, creationTimestamp=created) | {"status": status}
        self.server.rules[path] = Answer({"metadata": {}, "items": [live]})

    def status(self, *arguments: str) -> str:
        command = self._command
        where = ("--stack", "own", "--cwd", str(command.project))
        status = run(command.monkeypatch, "status", *arguments, *where)
        out, err = command.capsys.readouterr()
        assert (status in (0, 3), err) == (True, "")
        return out

    def document(self) -> dict[str, Any]:
        (document,) = json.loads(self.status("--format", "json"))
        return dict(document)

    def told(self) -> dict[str, list[str]]:
        return {d["name"]: [e["message"] for e in d["events"]] for d in self.document()["deployments"]}


@pytest.fixture
def stack(server: ApiServer, command: Commands) -> Stack:
    return Stack(server, command)


def test_the_three_newest_warnings_are_told_of_each_that_does_not_run(stack: Stack) -> None:
    stack.have("cpu", WAITS)
    stack.have("gpu", {"state": "failed"})
    times = [f"2026-11-27T0{hour}:00:00Z" for hour in (4, 8, 6, 5)]
    stack.events = [event("cpu-0", f"at {t[11:13]}", lastTimestamp=t) for t in times]
    stack.events += [event("gpu-vllmworker-0", "no GPU"), event("gpux-0", "of another")]
    assert stack.told() == {"cpu": ["at 08", "at 06", "at 05"], "gpu": ["no GPU"]}
    assert stack.asked == [{"fieldSelector": "type=Warning", "limit": "500"}], "once for both"
    text = stack.status()
    assert "\n  Failed: at 08 (" in text
    assert text.index("Failed: at 08") < text.index("\ngpu ") < text.index("Failed: no GPU") < text.index("OPERATOR")


def test_of_what_runs_nothing_is_asked(stack: Stack) -> None:
    stack.have("cpu", RUNS)
    stack.have("gpu", {"state": "successful"})
    stack.events = [event("cpu-0", "of the past")]
    assert stack.told() == {"cpu": [], "gpu": []}
    assert (stack.asked, [path for path in stack.server.asked if path.endswith("/pods")]) == ([], [])


def test_of_what_is_not_there_or_has_only_begun_nothing_is_asked(stack: Stack) -> None:
    stack.have("cpu", WAITS, created=SOON)
    assert stack.told() == {"cpu": [], "gpu": []}
    assert stack.asked == []
    stack.have("cpu", WAITS, created="")
    stack.status()
    assert len(stack.asked) == 1, "without a time it is not new"


def test_a_pod_is_known_by_its_label_where_its_name_says_nothing(stack: Stack) -> None:
    stack.have("cpu", WAITS)
    labels: list[dict[str, str] | None] = [{"airunway.ai/deployment": "cpu"}, None]
    pods = [item(name=f"odd-{i}", labels=own) | {"spec": {"containers": []}} for i, own in enumerate(labels)]
    stack.server.rules[f"{CORE}/pods"] = Answer({"metadata": {}, "items": pods})
    stack.events = [event("odd-0", "by its label"), event("odd-1", "of nobody")]
    assert stack.told()["cpu"] == ["by its label"]
    stack.server.rules[f"{CORE}/pods"] = Answer({"kind": "Status", "message": "no"}, 403)
    stack.events += [event("cpu", "by its name", kind="Workspace")]
    assert stack.told()["cpu"] == ["by its name"], "without the right to read pods"


def test_without_the_right_to_read_events_the_rest_is_told(stack: Stack) -> None:
    stack.have("cpu", WAITS)
    stack.server.rules[f"{CORE}/events"] = Answer({"kind": "Status", "message": "events is forbidden"}, 403)
    document = stack.document()
    assert [d["phase"] for d in document["deployments"]] == ["Deploying", "Pending"]
    way_out = "events of default may not be read; `airunway rbac own --operate` prints the right"
    assert document["eventsUnread"] == way_out
    text = " ".join(stack.status().split())
    assert text.count(f"Without events: {way_out}") == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer({"kind": "Status", "message": "etcd is gone"}, 500), "etcd is gone"),
        (Answer({"items": 5}), "not a valid list of Event"),
        (Answer({"slow": "x" * 100}, slowly=0.1), "within 1 second"),
    ],
    ids=["an error", "no list", "slow"],
)
def test_an_odd_answer_for_events_hides_no_status(
    stack: Stack, answer: Answer, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRUNWAY_REQUEST_TIMEOUT", "1s")
    stack.have("cpu", WAITS)
    stack.server.rules[f"{CORE}/events"] = answer
    document = stack.document()
    assert [d["phase"] for d in document["deployments"]] == ["Deploying", "Pending"]
    assert says in document["eventsUnread"]


@pytest.mark.parametrize("columns", [120, 130, 200])
def test_what_an_event_says_is_no_command_to_terminal_or_runner(stack: Stack, columns: int) -> None:
    stack.have("cpu", WAITS)
    hard = "no\n::error::forged\r\n##[error]\x1b[31m\x1b]0;owned\x07 " + "x " * 60 + "::add-mask::a"
    stack.events = [event("cpu-0", hard, reason=hard)]
    command = stack._command
    where = ("--stack", "own", "--cwd", str(command.project))
    assert run(command.monkeypatch, "status", *where, columns=columns) == 3
    out = command.capsys.readouterr().out
    assert "forged" in out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in out.splitlines())
    assert max(map(len, out.splitlines())) <= columns
