"""Graph (command line, in process, against an API server that answers oddly): no text of a cluster is a command to
the terminal or to the runner of a pipeline.
"""

import pytest
import yaml

from tests.command import run
from tests.graph.api_server import Answer, ApiServer
from tests.graph.live_commands import WORKSPACES, Commands, item


def test_what_a_server_says_is_no_command_to_terminal_or_runner(server: ApiServer, command: Commands) -> None:
    server.rules["/version"] = Answer(
        {"kind": "Status", "message": "no\n::error::forged\r\n \x1b[2J##[error]too\u2028::x::"}, 500
    )
    status, output = command("status")
    assert status == 1
    assert output.splitlines()[0].endswith("500 Internal Server Error: no | ::error::forged | [2J## [error]too | ::x::")
    assert not any(line.lstrip().startswith("::") for line in output.splitlines())
    assert "\x1b" not in output


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
