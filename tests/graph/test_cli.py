"""Graph (command line, in process and as a process): exit statuses and errors; an error is one line, and no command
to terminal or runner.
"""

import os
import signal
import subprocess
import sys
import time
import unicodedata
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.text.terminal import one_line
from tests.command import run, running_airunway
from tests.deployments import CPU
from tests.graph.projects import ROOT, write_project


def test_a_missing_file_is_status_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "select", "-f", "nowhere.yaml") == 1
    assert "nowhere.yaml: can't be read: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["status", "--watch"], ["wait"], ["import"], ["chat", "one", "Hello"], ["logs", "one"]],
    ids=" ".join,
)
def test_a_context_that_no_kubeconfig_has_is_told_at_once(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path, [{"name": "one", "model": {"id": "a/b"}}], cluster={"context": "nowhere"})
    assert run(monkeypatch, *arguments, "--stack", "own", "--cwd", str(project)) == 1
    error = capsys.readouterr().err
    assert "cluster nowhere: can't be opened" in error
    assert "retrying" not in error


def test_an_unknown_stack_names_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "--stack", "deev", "--cwd", str(ROOT)) == 1
    assert "did you mean 'dev'? valid: airgapped, dev, prod" in capsys.readouterr().err


def test_the_command_works_as_a_process_and_from_any_folder_below_the_project() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "airunway.cli", "preview", "--stack", "dev"],
        cwd=ROOT / "stacks",
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "9 deployments, 15 GPUs, 50 resources" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (("--stack", "nope"), "no stack 'nope'"),
        (("--host", "0.0.0.0"), "0.0.0.0 means all addresses; give the one that you open the console with"),
        (("--host", "192.0.2.1"), "192.0.2.1:0 can't be listened on"),
    ],
)
def test_the_console_says_why_it_does_not_open(
    arguments: tuple[str, ...], output: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "console", "--no-browser", *arguments) == 1
    assert output in capsys.readouterr().err


def test_the_console_ends_quietly_when_interrupted() -> None:
    with running_airunway(ROOT, "console", "--no-browser") as serving:
        assert serving.stdout is not None
        assert serving.stdout.readline().startswith("http://127.0.0.1:")
        time.sleep(0.5)  # until it serves
        serving.send_signal(signal.SIGINT)
        _, errors = serving.communicate(timeout=20)
    assert errors == "The address works once; press Ctrl-C to stop the console.\n"


INTERRUPTED = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)
module = sys.argv.pop(1)
sys.meta_path.insert(0, Interrupting())
from importlib.metadata import entry_points
(entry,) = entry_points(group="console_scripts", name="airunway")
entry.load()()
"""


@pytest.mark.parametrize(
    ("module", "said"),
    [("airunway.cli.main", "Interrupted.\n"), ("typer", "Interrupted.\n"), ("rich", ""), ("pulumi", "")],
)
def test_ctrl_c_while_the_command_loads_is_told_without_a_traceback(module: str, said: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED, module, "preview", "airgapped", "--cwd", str(ROOT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, said)


def test_help_does_not_load_pulumi() -> None:
    code = (
        "import sys, airunway.cli.main; sys.exit(any(m.split('.')[0] in ('pulumi', 'celpy', 'pulumi_kubernetes') for m"
        " in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_file_gives_neither_terminal_nor_runner_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(
        tmp_path, [{"name": "one", "model": {"id": "a/b"}, "x\n::error::forged\x1b]0;owned\x07": 1}]
    )
    assert run(monkeypatch, "preview", "--stack", "own", "--cwd", str(project)) == 1
    output = capsys.readouterr().err
    assert "x | ::error::forged" in output
    assert not any(line.lstrip().startswith("::") for line in output.splitlines())
    assert not {"\x1b", "\x07"} & set(output)


@given(st.text(st.sampled_from("a :#[]\n\r\t\x1b\x85\u2028\u202e") | st.characters(), max_size=40))
def test_an_error_is_one_line_without_commands(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert "##[" not in line
    assert not any(unicodedata.category(c).startswith("C") for c in line if c != "\t")
    assert sorted(c for c in line if c.isalnum()) == sorted(c for c in text if c.isalnum())


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_is_told_in_one_line_and_shown_on_demand(
    debug: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise TypeError("unexpected\n::error::[red]x")

    monkeypatch.setattr("airunway.cli.previews.show_preview", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("AIRUNWAY_DEBUG", "1" if debug else "")
    assert run(monkeypatch, "preview", "--cwd", str(ROOT)) == 1
    output = capsys.readouterr().err
    assert "error: TypeError: unexpected | ::error::[red]x\n" in output
    assert "please report it" in output
    assert ("Traceback" in output) is debug
    assert len(output.splitlines()) == 2 or debug


@pytest.mark.parametrize("room", [True, False])
def test_a_bug_leaves_its_traceback_to_its_owner_without_tokens(
    room: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = "hf_" + "a1" * 17

    def broken(*_: object) -> None:
        raise KeyError(token)

    monkeypatch.setattr("airunway.cli.previews.show_preview", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path if room else tmp_path / "gone"))
    assert run(monkeypatch, "preview", "--cwd", str(ROOT)) == 1
    output = capsys.readouterr().err
    assert token not in output
    if not room:
        assert "please report it (AIRUNWAY_DEBUG=1 prints the traceback)." in output
        return
    (file,) = tmp_path.iterdir()
    assert f"please report it with {file}." in output
    assert file.stat().st_mode & 0o777 == 0o600
    assert "in broken" in file.read_text()
    assert token not in file.read_text()


def test_a_lack_of_memory_is_no_bug(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("airunway.cli.previews.show_preview", broken)
    assert run(monkeypatch, "preview", "--cwd", str(ROOT)) == 1
    assert capsys.readouterr().err == "error: not enough memory\nNothing was done.\n"


def piped(*arguments: str, stdout: str | None = None, **environment: str) -> tuple[int, str]:
    """The status of a process and its standard error, with its standard output in the file ``stdout``."""
    with open(stdout or os.devnull, "wb") as out:
        process = subprocess.run(
            [sys.executable, "-m", "airunway.cli", *arguments, "--cwd", str(ROOT)],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.PIPE,
            env=os.environ | environment,
            check=False,
            text=True,
            timeout=60,
        )
    return process.returncode, process.stderr


@pytest.mark.parametrize("format", ["text", "json", "html"])
def test_output_that_finds_no_room_is_told(format: str) -> None:
    status, output = piped("preview", "--stack", "airgapped", "--format", format, stdout="/dev/full")
    assert (status, output) == (
        1,
        "error: the output can't be written: No space left on device\nThe output is incomplete.\n",
    )


def test_output_that_the_encoding_lacks_is_told() -> None:
    status, output = piped("preview", "--stack", "airgapped", PYTHONIOENCODING="ascii")
    assert status == 1
    assert "error: the output has the encoding ascii, which lacks '\\u" in output
    assert "; set PYTHONIOENCODING=utf-8\n" in output


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000], ids=["long", "deep"])
def test_a_name_that_no_file_can_have_is_told(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "--cwd", name) == 2
    assert "no Pulumi.yaml in" in capsys.readouterr().err
    assert run(monkeypatch, "diff", "--stack", "prod", "--cwd", str(ROOT), "--against", name) == 1
    assert "is neither a file nor a git revision" in capsys.readouterr().err.replace("\n", "")


@pytest.mark.parametrize("configuration", ["{", '{"airunway:deployments": "[]"}'], ids=["no JSON", "another stack's"])
def test_the_configuration_of_a_pulumi_program_around_a_preview_is_not_its_own(
    configuration: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("preview", "--stack", "airgapped", "--cwd", str(ROOT), "--format", "json")
    assert run(monkeypatch, *command) == 0
    alone = capsys.readouterr().out
    monkeypatch.setenv("PULUMI_CONFIG", configuration)
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", '["airunway:cluster"]')
    assert run(monkeypatch, *command) == 0
    assert capsys.readouterr().out == alone


OWN_PROGRAM = "from components.stack_program import serve_stack\n\n"


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("import nowhere_at_all", "__main__.py:1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("import openai_of_mine as httpx_ws", "__main__.py:1: ModuleNotFoundError: No module named 'openai_of_mine'"),
        ("import own", "own.py:1: KeyError: 'colour'"),
        ("def broken(:", "__main__.py:1: SyntaxError: invalid syntax"),
        (f"{OWN_PROGRAM}serve_stack(5, 6, 7, 8, 9)", "__main__.py:3: TypeError: serve_stack() takes "),
        ("raise RuntimeError('hf_' + 'a1' * 17)", "__main__.py:1: RuntimeError: hf_…"),
        ("import pulumi\nraise pulumi.RunError('no region')", "__main__.py:2: RunError: no region"),
        ("import json\njson.loads('{')", "__main__.py:2: JSONDecodeError: Expecting property name"),
    ],
)
def test_an_error_of_the_project_s_own_program_is_told_as_its_own(
    program: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, [CPU])
    (tmp_path / "__main__.py").write_text(program)
    (tmp_path / "own.py").write_text("{}['colour']")
    assert run(monkeypatch, "preview", "--stack", "own", "--cwd", str(tmp_path)) == 1
    said, footer = capsys.readouterr().err.splitlines()
    assert said.startswith(f"error: {error}")
    assert said.endswith("; this is the project's own program")
    assert footer == "1 problem found; nothing was done."
    monkeypatch.setenv("AIRUNWAY_DEBUG", "1")
    assert run(monkeypatch, "preview", "--stack", "own", "--cwd", str(tmp_path)) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_of_ours_in_the_project_s_program_stays_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_project(tmp_path, [CPU])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("airunway.planning.plan.read_lock", None)
    assert run(monkeypatch, "preview", "--stack", "own", "--cwd", str(tmp_path)) == 1
    assert "This is a bug in airunway; please report it" in capsys.readouterr().err


def test_the_version_is_that_of_the_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == version("airunway") + "\n"
