"""Graph (shell, git and command line; GitHub's runner and its REST API stood in for): what the workflow `preview` says
of a pull request.

The stand-in does what docs.github.com says of jobs (Workflow syntax, 2026): steps run in their order with `bash -e`,
after one that failed only those whose condition has a status function, and the job fails if one did. Make finds its
environment up to date.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.graph import changes
from tests.graph.github_comments import GitHub
from tests.graph.projects import ROOT, copy_program

JOB = yaml.safe_load((ROOT / ".github" / "workflows" / "preview.yml").read_text())["jobs"]["diff"]
CONDITIONS = {"!cancelled()": True, "github.event.pull_request.head.repo.full_name == github.repository": True}
FORK = {"github.event.pull_request.head.repo.full_name == github.repository": False}
POLICY = [{"name": "few-gpus", "scope": "stack", "expression": "stack.gpus <= 1", "message": "one GPU is enough"}]


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def pull_request(tmp_path: Path) -> Path:
    """A checkout with one stack, as one commit."""
    root = copy_program(tmp_path / "checkout")
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    (root / ".venv").mkdir()
    (root / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (root / ".venv" / ".run").touch()
    (root / ".gitignore").write_text(".venv\n")
    changes.write(root, "prod", changes.base())
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "base")
    return root


def runs(step: dict[str, Any], conditions: dict[str, bool], *, failed: bool) -> bool:
    condition = str(step.get("if", "success()")).removeprefix("${{").removesuffix("}}")
    parts = [part.strip() for part in condition.split("&&")]
    if not any(part.endswith("()") for part in parts):
        parts.append("success()")
    return all((conditions | {"success()": not failed})[part] for part in parts)


def run_job(root: Path, conditions: dict[str, bool]) -> tuple[bool, str, str]:
    """Run the job on what has changed since the base; whether it passed, its summary and its log."""
    base = git(root, "rev-parse", "HEAD")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "change")
    values = {
        "${{ github.event.pull_request.base.sha }}": base,
        "${{ github.event.pull_request.number }}": "7",
        "${{ github.token }}": os.environ["GITHUB_TOKEN"],
    }
    summary, failed, log = root.parent / "summary.md", False, ""
    for step in JOB["steps"]:
        if "run" in step and runs(step, CONDITIONS | conditions, failed=failed):
            environment = os.environ | {"GITHUB_STEP_SUMMARY": str(summary), "RUNNER_TEMP": str(root.parent)}
            environment |= {name: values[text] for name, text in step.get("env", {}).items()}
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]], cwd=root, env=environment, capture_output=True, text=True
            )
            log += done.stdout + done.stderr
            failed |= done.returncode != 0
    return not failed, summary.read_text(), log


def test_a_change_that_nothing_stops_is_told_and_passes(github: GitHub, pull_request: Path) -> None:
    config = changes.base()
    changes.replicas(config)
    changes.write(pull_request, "prod", config)
    passed, summary, log = run_job(pull_request, {})
    assert passed, log
    (comment,) = github.comments
    assert "1 to update" in comment["body"]
    assert "1 to update" in summary


def test_what_is_stopped_is_told_before_the_job_fails(github: GitHub, pull_request: Path) -> None:
    changes.write(pull_request, "prod", changes.base() | {"airunway:policies": POLICY})
    (pull_request / "stacks" / "Pulumi.dev.yaml").write_text("config: {airunway:cluster: {context: x}, airunway:no: 1}")
    passed, summary, log = run_job(pull_request, {})
    assert not passed, log
    dev, prod = sorted((comment["body"] for comment in github.comments), key=lambda body: "stack prod" in body)
    assert "- `dev`: **stopped**, as it can't be previewed\n" in dev
    assert "no: unknown setting" in dev
    assert "one GPU is enough" in prod
    assert "no: unknown setting" in summary
    assert "no: unknown setting" in log


def test_a_fork_gets_no_comment_but_a_summary(github: GitHub, pull_request: Path) -> None:
    changes.write(pull_request, "prod", changes.base() | {"airunway:policies": POLICY})
    passed, summary, _ = run_job(pull_request, FORK)
    assert not passed
    assert (github.comments, github.requests) == ([], [])
    assert "one GPU is enough" in summary
