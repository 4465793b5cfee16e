"""Graph (command line, recorder, and git to apply a patch): what README and the pages show of the dev stack is what the
command says.
"""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command import run
from tests.graph.projects import ROOT, copy_program

README = (ROOT / "README.md").read_text()


def blocks(language: str, first: str, text: str) -> list[str]:
    """The blocks of a page in a language that begin with this text."""
    found: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [code for name, code in found if name == language and code.startswith(first)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with our program and stacks, as the working directory."""
    shutil.copytree(ROOT / "stacks", copy_program(tmp_path) / "stacks", dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_three_changed_lines_mean_what_the_readme_says(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "--stack", "dev", "--format", "json") == 0
    (project / "before.json").write_text(capsys.readouterr().out)
    subprocess.run(["git", "apply", "-"], input=blocks("diff", "--- a/", README)[0], text=True, cwd=project, check=True)
    assert run(monkeypatch, "diff", "--stack", "dev", "--against", "before.json", columns=120) == 0
    said = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    shown = blocks("", "dev\n", README)[0].splitlines()
    assert said[: len(shown)] == shown
    assert len(said) > len(shown)


def test_the_first_stack_is_made_previewed_and_explained_without_a_warning(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = blocks("sh", ".venv/bin/airunway init", README)[0].splitlines()
    init, *commands = [shlex.split(line, comments=True)[1:] for line in lines]
    assert run(monkeypatch, *init) == 0
    capsys.readouterr()
    for arguments in commands[:2]:
        assert run(monkeypatch, *arguments) == 0
        output = capsys.readouterr()
        assert "llamacpp on kaito" in output.out
        assert "warning" not in output.out + output.err


@pytest.mark.parametrize("page", ["review", "lock-and-fit"])
def test_a_shortened_preview_has_lines_that_the_dev_stack_s_has_in_this_order(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], page: str
) -> None:
    shown = blocks("", "DEPLOYMENT ", (ROOT / "docs" / f"{page}.md").read_text())[0].splitlines()
    assert run(monkeypatch, "preview", "--stack", "dev", columns=120) == 0
    said = iter([line.rstrip() for line in capsys.readouterr().out.splitlines()])
    assert [line for line in shown if line not in said] == []


GOLDEN = [path.read_text().splitlines() for path in sorted((Path(__file__).parent / "golden").glob("*.txt"))]


def in_order(shown: list[str], said: list[str]) -> bool:
    rest = iter(said)
    return all(line in rest for line in shown)


@pytest.mark.parametrize("page", ["review", "lock-and-fit", "capacity-and-cost"])
def test_a_shortened_difference_has_lines_of_one_that_the_command_prints(page: str) -> None:
    shown = blocks("", "prod\n", (ROOT / "docs" / f"{page}.md").read_text())
    assert shown
    assert [code for code in shown if not any(in_order(code.splitlines(), said) for said in GOLDEN)] == []
