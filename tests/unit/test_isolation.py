"""Unit (git, with a repository of its own): what a run of the tests must not touch."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKES_A_REPOSITORY = (
    "import subprocess, sys; import tests.conftest; "
    "subprocess.run(['git', '-C', sys.argv[1], 'init', '--quiet', '--initial-branch', 'main'], check=True)"
)


def test_tests_that_git_runs_leave_its_repository_alone(tmp_path: Path) -> None:
    for name in ("outer", "inner"):
        (tmp_path / name).mkdir()
    subprocess.run(["git", "-C", str(tmp_path / "outer"), "init", "--quiet"], check=True)
    before = (tmp_path / "outer" / ".git" / "config").read_text()
    environment = os.environ | {"GIT_DIR": str(tmp_path / "outer" / ".git"), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", MAKES_A_REPOSITORY, str(tmp_path / "inner")], env=environment, check=True)
    assert (tmp_path / "inner" / ".git").is_dir()
    assert (tmp_path / "outer" / ".git" / "config").read_text() == before
