"""Projects whose images are in a registry of the test, and `airunway lock` of them."""

from pathlib import Path
from typing import Any

import pytest

from tests.command import run
from tests.graph.changes import write
from tests.graph.projects import copy_program

LOCK = "stacks/models.lock.yaml"


def entry(name: str, image: str) -> dict[str, Any]:
    return {"name": name, "model": {"source": "custom"}, "engine": {"type": "llamacpp", "image": image}}


def project_of(root: Path, host: str, **settings: Any) -> Path:
    """A project with two stacks; one image is in both."""
    copy_program(root)
    own, other = entry("own", f"{host}/org/own:1"), entry("other", f"{host}/org/other:1")
    base = {"airunway:cluster": {"context": "prod"}} | {f"airunway:{key}": value for key, value in settings.items()}
    write(root, "prod", base | {"airunway:deployments": [own, other]})
    write(root, "dev", base | {"airunway:deployments": [own]})
    return root


def lock(monkeypatch: pytest.MonkeyPatch, project: Path, *arguments: str) -> int:
    return run(monkeypatch, "lock", *arguments, "--cwd", str(project), columns=400)
