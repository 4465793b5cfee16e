"""Graph (command line, in process): wrong usage is told in one line that says what is meant, and help helps."""

import socket
from pathlib import Path

import pytest

from tests.command import run
from tests.deployments import CPU
from tests.graph.projects import write_project


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("preview", "--nope"),
        ("preview", "--format", "xml"),
        ("select",),
        ("preview", "--cwd", "/nonexistent"),
        ("preview", "one", "two"),
        ("render", "dev"),
        ("render", "--file", "a.yaml", "--output", "out"),
        ("render", "dev", "--file", "a.yaml"),
        ("render",),
        ("preview", ""),
        ("preview", "--stack", ""),
        ("explain", "one", "--stack", " "),
        ("status", "dev", ""),
        ("providers", ""),
        ("lock", "--only", "x"),
        ("rbac", "--service-account", "nobody"),
    ],
)
def test_wrong_usage_is_status_2(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert line.endswith(f"; see airunway{f' {arguments[0]}' if arguments[0] != 'nope' else ''} --help")
    assert "Value error" not in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("preview", ""), "'' given; name a stack, or leave it out for dev"),
        (("preview", "Pulumi.prod.yaml"), "'Pulumi.prod.yaml' is the stack's file; write prod"),
        (("diff", "-s", "stacks/Pulumi.prod.yaml"), "'stacks/Pulumi.prod.yaml' is the stack's file; write prod"),
        (("comment", "7", "-s", "Pulumi.prod.yaml"), "'Pulumi.prod.yaml' is the stack's file; write prod"),
        (("render", "prod"), "--output: give the folder to write stack prod to, or --file FILE instead"),
        (("render",), "--output: give the folder to write stack dev to, or --file FILE instead"),
        (("lock", "--only", "x"), "'--only': 'x' is not one of 'models', 'images'"),
        (("console", "--port", "99999"), "'--port': should be less than or equal to 65535"),
    ],
)
def test_wrong_usage_says_what_is_meant(
    arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *arguments) == 2
    assert message in capsys.readouterr().err


def test_the_stack_to_render_is_named_as_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path / "project", [CPU])
    assert run(monkeypatch, "render", "own", "--output", str(tmp_path / "out"), "--cwd", str(project)) == 0
    assert (tmp_path / "out" / "kustomization.yaml").is_file()
    assert run(monkeypatch, "render", "--output", str(tmp_path / "out"), "--cwd", str(project)) == 1
    assert "no stack 'dev'" in capsys.readouterr().err


@pytest.mark.parametrize("group", [(), ("policy",)], ids=["airunway", "policy"])
def test_no_command_s_first_line_is_cut(
    group: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *group, "--help", columns=80) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2]
    assert listed
    assert "..." not in listed


@pytest.mark.parametrize("command", ["explain", "size", "wait", "endpoint", "chat", "logs"])
def test_the_stack_of_a_deployment_is_an_option_with_a_help_of_its_own(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, command, "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Same" not in text
    assert "Stack of stacks/Pulumi.STACK.yaml. [default: (dev)]" in text


def test_a_port_that_is_taken_has_a_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(monkeypatch, "console", "--no-browser", "--port", str(port)) == 1
    assert capsys.readouterr().err.splitlines()[0] == (
        f"error: --port: 127.0.0.1:{port} can't be listened on: Address already in use; give another one, or --port 0"
        " for a free one"
    )


@pytest.mark.parametrize(
    "command",
    [
        "preview",
        "diff",
        "explain",
        "select",
        "render",
        "providers",
        "rbac",
        "status",
        "wait",
        "endpoint",
        "chat",
        "logs",
        "import",
        "console",
    ],
)
def test_help_has_an_example(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, command, "--help") == 0
    assert f"airunway {command}" in capsys.readouterr().out.split("Example: ")[1]
