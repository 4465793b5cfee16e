"""Graph (command line, in process and as a process): how large a stack may get: its configuration, and a preview's
time and memory.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import run
from tests.graph.projects import ROOT, copy_program, many, write_stack


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Our program, without a stack."""
    return copy_program(tmp_path / "project")


def test_a_stack_that_pulumi_could_not_start_is_refused_until_its_deployments_stand_in_files(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [entry | {"env": [{"name": "LONG", "value": "<" * 1_000}]} for entry in many(20)]
    write_stack(project, "dev", deployments=entries)
    here = ("--stack", "dev", "--cwd", str(project))
    assert run(monkeypatch, "preview", *here) == 1
    output = capsys.readouterr().err
    assert re.search(
        r"error: config: takes 14\d,\d{3} bytes, most of them for airunway:deployments; with more than 131,072 Linux",
        output,
    )
    assert "move entries from airunway:deployments to files that airunway:deploymentFiles names" in output
    (project / "deployments").mkdir()
    for part in range(2):
        (project / "deployments" / f"{part}.yaml").write_text(json.dumps(entries[part::2]))
    write_stack(project, "dev", deploymentFiles=["deployments/*.yaml"])
    assert run(monkeypatch, "preview", *here) == 0
    captured = capsys.readouterr()
    assert "20 deployments" in captured.out
    assert "warning: config" not in captured.out + captured.err


@pytest.mark.parametrize("format", ["text", "json", "markdown", "mermaid", "html"])
def test_a_stack_that_grows_towards_the_limit_is_warned_of(
    format: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(
        project,
        "dev",
        deployments=many(2),
        providers={"kaito": {"spec": {"documentation": f"https://example.com/{'x' * 100_000}"}}},
    )
    (project / "saved.json").write_text(json.dumps({"stack": "dev", "deployments": [], "resources": []}))
    here = ("--stack", "dev", "--cwd", str(project), "--format", format)
    for command in (("preview", *here), ("diff", *here, "--against", str(project / "saved.json"))):
        assert run(monkeypatch, *command) == 0
        captured = capsys.readouterr()
        assert "most of them for airunway:providers; with more than 131,072 Linux does not" in " ".join(
            (captured.out + captured.err).split()
        )


def test_a_preview_of_300_deployments_is_quick_and_small(project: Path) -> None:
    (project / "many.yaml").write_text(json.dumps(many(300)))
    write_stack(project, "dev", deploymentFiles=["many.yaml"])
    code = (
        "import atexit, pathlib, sys; from airunway.cli.main import main\n"
        "atexit.register(lambda: sys.stderr.write(pathlib.Path('/proc/self/status').read_text()))\n"
        "main()"
    )
    command = [sys.executable, "-c", code, "preview", "--cwd", str(project)]
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    took = time.monotonic() - started
    assert "300 deployments" in done.stdout
    peak = int(done.stderr.split("VmHWM:")[1].split()[0])
    assert peak < 175_000  # kB; 86,000 of them without a deployment
    assert took < 15  # 2 s on two cores; machines that run tests are noisy
