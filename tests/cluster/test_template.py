"""Cluster (real CLI and language host, no cluster): `pulumi new` with template/."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cluster.engine import PASSPHRASE, ROOT, tool_folders
from tests.cluster.tools import language_host, program
from tests.command import airunway
from tests.graph.test_template import MADE_BY_PULUMI

pytestmark = pytest.mark.skipif(language_host() is None, reason="pulumi-language-python is not on PATH")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "state").mkdir()
    return {
        "HOME": str(tmp_path),
        "PATH": os.pathsep.join([*tool_folders(), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": f"file://{tmp_path}/state",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def pulumi(folder: Path, environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [str(program("pulumi")), *arguments, "--color", "never"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_pulumi_new_makes_a_project_that_previews(tmp_path: Path, environment: dict[str, str]) -> None:
    made = tmp_path / "made"
    pulumi(tmp_path, environment, "new", str(ROOT / "template"), "--dir", str(made), "--yes", "-n", "mine", "-g")
    project = yaml.safe_load((made / "Pulumi.yaml").read_text())
    assert (project["name"], "template" in project) == ("mine", False)
    assert set(project["config"]) == set(MADE_BY_PULUMI)
    pulumi(made, environment, "stack", "init", "dev")
    pulumi(made, environment, "config", "set", "airunway:cluster", '{"context": "prod"}')
    stack = yaml.safe_load((made / "stacks" / "Pulumi.dev.yaml").read_text())
    assert json.loads(stack["config"]["airunway:cluster"]) == {"context": "prod"}
    assert stack["config"]["airunway:deployments"]
    done = airunway(made, "preview", "dev")
    assert done.returncode == 0, done.stderr
    assert "1 deployment" in done.stdout
