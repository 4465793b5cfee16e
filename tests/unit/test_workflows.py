"""Unit: the GitHub workflows are valid, pin what they use, and ask for no right that they don't need."""

import re
import subprocess
import sys
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

FILES = sorted((Path(__file__).parents[2] / ".github" / "workflows").glob("*.yml"))


def steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in yaml.safe_load(file.read_text())["jobs"].values() for step in job.get("steps", [])]


def test_every_workflow_fits_the_schema() -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        *map(str, FILES),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_every_action_is_pinned_to_a_commit(file: Path) -> None:
    used = [step["uses"] for step in steps(file) if "uses" in step]
    assert used
    assert not [use for use in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", use)]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_no_script_takes_text_of_the_event_and_no_checkout_keeps_the_token(file: Path) -> None:
    assert not [step["run"] for step in steps(file) if "${{" in step.get("run", "")]
    checkouts = [step for step in steps(file) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
    assert yaml.safe_load(file.read_text())["permissions"] == {"contents": "read"}


def test_the_diff_s_comments_are_those_of_the_command_which_finds_its_own_again() -> None:
    scripts = [step["run"] for file in FILES for step in steps(file) if "run" in step]
    assert [s for s in scripts if "airunway comment" in s]
    assert not [s for s in scripts if "gh pr comment" in s]


@pytest.mark.parametrize("file", [f for f in FILES if "pulumi/actions@" in f.read_text()], ids=lambda f: f.name)
def test_pulumi_runs_at_the_pinned_version_after_its_dependencies_are_installed(file: Path) -> None:
    pinned = re.search(r"^pulumi==(\S+)", (file.parents[2] / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned
    before, step = next((a, b) for a, b in pairwise(steps(file)) if b.get("uses", "").startswith("pulumi/actions@"))
    assert step["with"]["pulumi-version"] == pinned[1]
    assert before["run"] == "make preview"


def test_the_cli_that_the_tests_build_is_of_the_version_of_the_sdk() -> None:
    modules = (Path(__file__).parents[1] / "tools" / "pulumi" / "go.mod").read_text()
    assert set(re.findall(r"github\.com/pulumi/pulumi/(?:pkg|sdk)/v3 v(\S+)", modules)) == {version("pulumi")}


def test_dependabot_fits_its_schema_and_covers_each_kind_of_pin() -> None:
    file = FILES[0].parents[1] / "dependabot.yml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.dependabot", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    updates = yaml.safe_load(file.read_text())["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"pip", "github-actions", "npm"}
    assert all((file.parents[1] / update["directory"].strip("/")).is_dir() for update in updates)


RELEASE = yaml.safe_load((FILES[0].parent / "release.yml").read_text())["jobs"]


def uses(job: str) -> list[str]:
    return [step["uses"].partition("@")[0] for step in RELEASE[job]["steps"] if "uses" in step]


def test_only_what_was_tested_and_attested_is_published() -> None:
    scripts = [step["run"] for step in RELEASE["build"]["steps"] if "run" in step]
    assert scripts.index("make check") < next(i for i, script in enumerate(scripts) if "uv build" in script)
    assert {"actions/attest-build-provenance", "actions/attest-sbom"} <= set(uses("build"))
    assert RELEASE["publish"]["needs"] == "build"
    assert uses("publish") == ["actions/download-artifact", "pypa/gh-action-pypi-publish"]
    assert not [step for step in RELEASE["publish"]["steps"] if "run" in step]


def test_a_release_needs_no_stored_secret_and_each_job_has_only_the_rights_that_it_uses() -> None:
    assert "secrets." not in (FILES[0].parent / "release.yml").read_text()
    assert RELEASE["publish"]["permissions"] == {"id-token": "write"}
    assert RELEASE["publish"]["environment"] == "pypi"
    assert RELEASE["build"]["permissions"] == {"contents": "read", "id-token": "write", "attestations": "write"}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_a_tool_that_is_fetched_for_one_step_has_a_version(file: Path) -> None:
    fetched = [step["run"] for step in steps(file) if "pipx run" in step.get("run", "")]
    assert all(re.search(r"pipx run (?:--spec )?[\w-]+==\d+\.\d+\.\d+ ", run) for run in fetched), fetched
