"""Commands about a stack on an API server that a test tells what to answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command import run
from tests.deployments import CPU, GPU
from tests.graph.projects import write_project

WORKSPACES = "/apis/kaito.sh/v1beta1/workspaces"


def served_project(root: Path, url: str) -> Path:
    """A project in ``root`` whose stack ``own`` is on the server at ``url``: a deployment on CPU, one on GPU."""
    config = {
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "contexts": [{"name": "odd", "context": {"cluster": "c"}}],
    }
    return write_project(root, [CPU, GPU], cluster={"context": "odd", "kubeconfig": json.dumps(config)})


class Commands:
    """Runs a command on the project, and gives its status and what it said on standard error."""

    def __init__(self, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.project, self.monkeypatch, self.capsys = project, monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str]:
        status = run(self.monkeypatch, *arguments, "--stack", "own", "--cwd", str(self.project))
        return status, self.capsys.readouterr().err

    def refused(self, *arguments: str) -> str:
        """The one line of an error."""
        status, output = self(*arguments)
        assert status == 1, output
        assert "Traceback" not in output, output
        assert "bug" not in output, output
        errors = [line for line in output.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1, output
        return errors[0]


def item(**metadata: Any) -> dict[str, Any]:
    """A live object, with what an API server gives at least."""
    return {"metadata": {"name": "x", "namespace": "default"} | metadata, "spec": {}}
