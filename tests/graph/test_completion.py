"""Graph (a process of the command, asked as the script for bash asks it): names that a shell offers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.graph.projects import copy_program, write_stack

_SCRIPT = """import sys
from airunway.cli.main import main
sys.argv = ["airunway"]
main()
"""


def offered(project: Path, *words: str) -> list[str]:
    """What the last of ``words`` may become."""
    environment = {
        "_AIRUNWAY_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["airunway", *words]),
        "COMP_CWORD": str(len(words)),
    }
    ended = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        cwd=project,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = copy_program(tmp_path)
    for stack in ("dev", "staging", "prod"):
        models = [{"name": f"{stack}-{name}", "model": {"id": f"org/{name}"}} for name in ("small", "large")]
        write_stack(root, stack, deployments=models)
    return root


def test_stacks_that_begin_so_are_offered(project: Path) -> None:
    assert offered(project, "preview", "") == ["dev", "prod", "staging"]
    assert offered(project, "preview", "s") == ["staging"]
    assert offered(project, "preview", "x") == []


def test_stacks_are_offered_in_a_folder_of_the_project(project: Path) -> None:
    assert offered(project / "stacks", "diff", "p") == ["prod"]


def test_stacks_are_found_where_the_project_keeps_them(project: Path) -> None:
    (project / "stacks").rename(project / "clusters")
    file = project / "Pulumi.yaml"
    file.write_text(file.read_text().replace("stackConfigDir: stacks", "stackConfigDir: clusters"))
    assert offered(project, "preview", "") == ["dev", "prod", "staging"]


def test_deployments_of_the_named_stack_are_offered(project: Path) -> None:
    assert offered(project, "explain", "--stack", "prod", "") == ["prod-large", "prod-small"]
    assert offered(project, "explain", "dev-l") == ["dev-large"]


@pytest.mark.parametrize(
    "text", ["", "config: [", "config:\n  airunway:deployments: 3", "config:\n  airunway:deployments: [{}]", "\x00"]
)
def test_a_stack_that_cannot_be_read_offers_no_deployments(text: str, project: Path) -> None:
    (project / "stacks" / "Pulumi.dev.yaml").write_text(text)
    assert offered(project, "explain", "") == []


@pytest.mark.parametrize("text", ["", "[]", "name: 3", "runtime: {", "stackConfigDir: [a]"])
def test_a_project_that_cannot_be_read_offers_nothing(text: str, project: Path) -> None:
    (project / "Pulumi.yaml").write_text(text)
    assert offered(project, "preview", "") == []


def test_nothing_is_offered_outside_a_project(tmp_path: Path) -> None:
    assert offered(tmp_path, "preview", "") == []
