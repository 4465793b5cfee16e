"""Graph (command line, in process, against a real HTTP server): however an API server is broken, each command ends in
time with one clear line, or with a right table, with its memory bounded and nothing that a terminal interprets.
"""

import re
import resource
import socket
import time
import unicodedata
from collections.abc import Iterator

import pytest

from tests.command import run
from tests.graph.api_server import ApiServer
from tests.graph.broken_servers import (
    ANSWERS,
    FORWARDED,
    IN_NAMESPACE,
    OBJECTS,
    PORT_FORWARD,
    SERVICE,
    Mode,
    Objects,
)
from tests.graph.live_commands import WORKSPACES, Commands, served_project

COMMANDS = {
    "status": (["status"], 3),
    "wait": (["wait", "--timeout", "0s"], 3),
    "import": (["import"], 0),
    "endpoint": (["endpoint", "cpu", "--port-forward"], 1),
}
"""Each command, and its exit status about an empty cluster."""
MEBIBYTES = 400
"""Most memory that a command and the answer itself, which is made in the same process, may take on top."""


@pytest.fixture(autouse=True)
def timeout(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Soon over where all of it is waited for; longer where an answer is, as a busy machine takes its time for one."""
    callspec = getattr(request.node, "callspec", None)
    mode = callspec.params.get("mode") if callspec else None
    is_silent = mode is None or "no response within" in getattr(mode, "first", "")
    seconds = 1 if is_silent else 2 if getattr(mode, "slow", False) else 3
    monkeypatch.setenv("AIRUNWAY_REQUEST_TIMEOUT", f"{seconds}s")


@pytest.fixture
def bounds() -> Iterator[None]:
    """Time and memory of a test. A command that hung did so for a minute and more; a busy machine takes its time."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.monotonic() - started < 15
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEBIBYTES << 10


def outcome(name: str, command: Commands) -> tuple[int, str, list[str]]:
    """Exit status, standard output and the lines of errors; all of it is for a terminal or a runner's log."""
    arguments = COMMANDS[name][0]
    status = run(command.monkeypatch, *arguments, "--stack", "own", "--cwd", str(command.project))
    out, err = command.capsys.readouterr()
    text = out + err
    assert "Traceback" not in text
    assert "This is a bug" not in text, text
    assert [c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c != "\n"] == []
    assert not any(re.match(r"\s*::", line) or "##[" in line for line in text.splitlines())
    return status, out, [line for line in err.splitlines() if line.startswith("error: ")]


def check(name: str, says: str, command: Commands) -> None:
    """It is told as ``says``, or, where that is empty, the command gets along."""
    status, _, errors = outcome(name, command)
    if says:
        assert len(errors) == 1
        assert re.search(says, errors[0]) or (
            name == "wait" and "did not answer within the timeout of 0 sec" in errors[0]
        )
        assert status == 1
        assert len(errors[0]) < 1500
    else:
        assert status == COMMANDS[name][1]
        assert all("Service default/cpu: does not exist" in error for error in errors)


@pytest.mark.parametrize("mode", ANSWERS, ids=lambda mode: mode.name)
@pytest.mark.usefixtures("bounds")
def test_a_server_whose_first_answer_is_broken_is_told(mode: Mode, server: ApiServer, command: Commands) -> None:
    server.rules["/version"] = mode.answer
    check("status", mode.first, command)
    if mode.asked and mode.first:
        assert server.asked.count("/version") == mode.asked


@pytest.mark.parametrize(
    ("name", "mode"),
    [("wait" if mode.slow else "import", mode) for mode in ANSWERS],
    ids=lambda value: getattr(value, "name", value),
)
@pytest.mark.usefixtures("bounds")
def test_a_server_whose_lists_are_broken_is_told(name: str, mode: Mode, server: ApiServer, command: Commands) -> None:
    server.rules |= dict.fromkeys((WORKSPACES, IN_NAMESPACE), mode.answer)
    check(name, mode.later, command)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("mode", OBJECTS, ids=lambda mode: mode.name)
@pytest.mark.usefixtures("bounds")
def test_objects_that_are_broken_are_told_or_read(
    mode: Objects, name: str, server: ApiServer, command: Commands
) -> None:
    server.rules |= mode.rules
    check(name, mode.says.get(name, ""), command)


@pytest.mark.parametrize("mode", ANSWERS, ids=lambda mode: mode.name)
@pytest.mark.usefixtures("bounds")
def test_a_broken_answer_about_a_service_is_told(mode: Mode, server: ApiServer, command: Commands) -> None:
    server.rules[SERVICE] = mode.answer
    check("endpoint", mode.later.replace("403 Forbidden", "may not be read: 403 Forbidden"), command)


@pytest.mark.parametrize(
    "mode", [mode for mode in ANSWERS if mode.name != "switches the protocol"], ids=lambda mode: mode.name
)
@pytest.mark.usefixtures("bounds")
def test_a_broken_answer_where_a_port_forward_begins_is_told(mode: Mode, server: ApiServer, command: Commands) -> None:
    server.rules |= {**FORWARDED, PORT_FORWARD: mode.answer}
    refused = "pods/portforward of default: may not be opened: the API server answered 403"
    told = refused if "403" in mode.later else "Pod default/cpu-0: port 5000 can't be forwarded: [a-zA-Z]"
    check("endpoint", told, command)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.usefixtures("bounds")
def test_a_port_on_which_nobody_listens_is_told(name: str, command: Commands) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    served_project(command.project, address)
    check(name, "can't be reached: All connection attempts failed", command)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.usefixtures("bounds")
def test_a_server_that_does_not_answer_tls_is_told(name: str, command: Commands) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served_project(command.project, f"https://127.0.0.1:{listener.getsockname()[1]}")
        check(name, "can't be reached: no connection in time", command)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.usefixtures("bounds")
def test_a_server_that_speaks_no_tls_is_told(name: str, server: ApiServer, command: Commands) -> None:
    served_project(command.project, server.url.replace("http:", "https:"))
    check(name, "can't be reached: .*SSL", command)
