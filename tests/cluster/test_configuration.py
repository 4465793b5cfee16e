"""Cluster (real Pulumi CLI and its Python language host): what the program is handed, how much that may be, and the way
round it.

The language host is taken from PATH; without it these tests skip. The last one runs the project with the real
Kubernetes provider too.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from airunway.planning.entries import parse_entries
from airunway.program.record import record
from airunway.program.stack_file import read_stack
from airunway.text.config_text import LIMIT, check_size, config_text, environment_size
from airunway.text.problems import InputError
from bench.projects import write_stack
from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.test_stack_file import Project, random_scalars
from tests.cluster.tools import language_host, program
from tests.unit.test_yaml_reading import MEANING

pytestmark = pytest.mark.skipif(language_host() is None, reason="no pulumi-language-python on PATH")
PROGRAM = 'import os, pathlib\npathlib.Path("handed-over").write_text(os.environ["PULUMI_CONFIG"])\n'
ODD = '{"a<b": "x & y > \\u2028 é \\U0001F600 \\x7f \\x01 \\b \\f \\t \\"q\\" \\\\", 2: 3, n: 1.0, l: [], m: {}, z: ~}'


class Handed(Project):
    """A project whose program writes down what it was handed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
        declared = {
            "airunway:list": {"type": "array", "items": {"type": "string"}, "default": []},
            "airunway:map": {"type": "object", "default": {}},
            "airunway:flag": {"type": "boolean", "default": True},
            "airunway:text": {"type": "string", "default": ""},
        }
        (folder / "Pulumi.yaml").write_text(
            yaml.safe_dump({"name": "airunway", "runtime": runtime, "config": declared})
        )
        (folder / "__main__.py").write_text(PROGRAM)
        os.environ["PATH"] = f"{program('pulumi').parent}{os.pathsep}{os.environ['PATH']}"

    def preview(self, config: str) -> str:
        """What the program gets of ``config``. Raises ``CalledProcessError`` where it is not started."""
        self.write(config)
        self.pulumi("preview", "--stack", "own")
        return (self.folder / "handed-over").read_text()

    def size(self) -> int:
        return environment_size(read_stack(self.folder, "own").without_secrets)


@pytest.fixture
def project(tmp_path: Path) -> Handed:
    return Handed(tmp_path)


def test_the_program_is_handed_just_the_text_whose_bytes_are_counted(project: Handed) -> None:
    scalars = [*MEANING, *random_scalars(3000)]
    odd = "".join(f"\n    - {{a: {text}, b: [{text}]}}" for text in scalars)
    text = project.preview(
        f"airunway:odd: {ODD}\n  airunway:plain: 'a <b> & é'\n  airunway:nothing:\n  airunway:n: 1.50\n "
        f" airunway:all:{odd}"
    )
    assert text == config_text(read_stack(project.folder, "own").values)
    assert project.size() == len(f"PULUMI_CONFIG={text}".encode()) + 1
    assert parse_entries("".join(odd).replace("\n    ", "\n"), "x") == json.loads(json.loads(text)["airunway:all"])


def test_linux_takes_just_as_many_bytes_as_we_say(project: Handed) -> None:
    project.write("airunway:filler: <x>")
    room = LIMIT - project.size()
    assert len(project.preview(f"airunway:filler: <x>{'x' * room}")) == LIMIT - len("PULUMI_CONFIG=") - 1
    check_size(read_stack(project.folder, "own").values)
    with pytest.raises(subprocess.CalledProcessError) as failed:
        project.preview(f"airunway:filler: <x>{'x' * (room + 1)}")
    assert "argument list too long" in failed.value.stdout + failed.value.stderr
    with pytest.raises(InputError, match="takes 131,073 bytes, most of them for airunway:filler"):
        check_size(read_stack(project.folder, "own").values)


def test_a_secret_is_handed_over_as_it_is_and_counts_as_nothing(project: Handed) -> None:
    project.preview("airunway:plain: x")
    before = project.size()
    project.pulumi("config", "set", "--secret", "--stack", "own", "airunway:token", "t" * 1000)
    project.pulumi("preview", "--stack", "own")
    assert json.loads((project.folder / "handed-over").read_text())["airunway:token"] == "t" * 1000
    assert project.size() == before + len(',"airunway:token":""')


def test_1000_deployments_in_files_are_previewed(tmp_path: Path, cluster: Cluster, engine: Engine) -> None:
    shutil.copytree(write_stack(tmp_path / "made", 1000) / "deployments", engine.project / "deployments")
    existing = {name: {"installation": "existing"} for name in ("kaito", "dynamo", "kuberay")}
    settings = {
        "cluster": {"kubeconfig": str(cluster.kubeconfig())},
        "providers": existing,
        "deploymentFiles": ["deployments/*.yaml"],
    }
    counts = engine.stack("own", settings).preview().change_summary
    offline = record(engine.project, read_stack(engine.project, "own"))
    assert len(offline.plan.deployments) == 1000
    assert counts == {"create": len(offline.resources) + 1}  # the stack itself
