"""Graph (command line, with a terminal where it asks): what `airunway init` writes can be previewed, and nothing is
overwritten.
"""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airunway.program.new_project import FirstModel, requirement
from airunway.program.stack_plan import stack_plan
from airunway.spec.model import Engine
from tests.command import run


@pytest.fixture(autouse=True)
def no_kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))


def init(monkeypatch: pytest.MonkeyPatch, root: Path, *arguments: str) -> int:
    return run(monkeypatch, "init", *arguments, "--cwd", str(root), stdin="")


def stack(root: Path, name: str = "dev") -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((root / "stacks" / f"Pulumi.{name}.yaml").read_text())
    return content


def kubeconfig(path: Path, *contexts: str, current: str = "") -> Path:
    named = [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in contexts]
    clusters = [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}]
    content = {"clusters": clusters, "contexts": named, "users": [{"name": "u", "user": {}}]}
    path.write_text(yaml.safe_dump(content | ({"current-context": current} if current else {})))
    return path


@pytest.mark.parametrize(
    ("arguments", "served"),
    [
        ((), ("llama3-2-1b", "llamacpp", "kaito")),
        (("--model", "Qwen/Qwen3-0.6B", "--gpus", "1"), ("qwen3-0-6b", "vllm", "dynamo")),
        (
            ("--model", "Qwen/Qwen3-0.6B-GGUF", "--gguf", "Qwen3-0.6B-Q8_0.gguf"),
            ("qwen3-0-6b-gguf", "llamacpp", "kaito"),
        ),
    ],
)
def test_a_new_stack_can_be_planned(
    arguments: tuple[str, ...], served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert init(monkeypatch, tmp_path, "--context", "kind-dev", *arguments) == 0
    (planned,) = stack_plan(tmp_path, "dev").deployments
    selection = planned.request.selection
    assert (planned.name, str(selection.engine), selection.provider) == served
    assert planned.request.namespace == "models"
    schema = json.loads((tmp_path / "stacks" / "stack.schema.json").read_text())
    jsonschema.validate(stack(tmp_path), schema)


def test_a_cluster_with_operators_gets_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert init(monkeypatch, tmp_path, "prod", "--context", "x", "--existing-operators", "--namespace", "ml") == 0
    plan = stack_plan(tmp_path, "prod")
    assert [provider.managed for provider in plan.providers] == [False]
    assert plan.settings.namespace == "ml"


def test_a_second_stack_leaves_the_project_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(monkeypatch, tmp_path, "--context", "x") == 0
    (tmp_path / "__main__.py").write_text("# mine\n")
    capsys.readouterr()
    assert init(monkeypatch, tmp_path, "prod", "--context", "y") == 0
    assert (tmp_path / "__main__.py").read_text() == "# mine\n"
    told = capsys.readouterr().err
    assert told.count("wrote") == 1
    assert "Pulumi.prod.yaml" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--context: required: the kubeconfig context of the cluster"),
        (("--context", "x", "--model", "Qwen/Qwen3-0.6B"), "--gpus: Qwen/Qwen3-0.6B needs a GPU (--gpus 1)"),
        (("--context", "x", "--model", "llama"), "--model: 'llama' given, must be a Hugging Face id"),
        (("a/b", "--context", "x"), "STACK: 'a/b' given, must be letters"),
        (("--context", "x", "--namespace", "No_Name"), "namespace"),
        (("--context", "x", "--model", "a/b", "--gpus", "9999999"), "gpu.count"),
    ],
)
def test_what_can_t_be_a_stack_is_refused_and_nothing_is_written(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert init(monkeypatch, tmp_path, *arguments) == 1
    assert message in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_a_stack_that_is_there_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(monkeypatch, tmp_path, "--context", "first") == 0
    assert init(monkeypatch, tmp_path, "--context", "second") == 1
    assert "Pulumi.dev.yaml exists already; edit it, or name another stack" in capsys.readouterr().err
    assert stack(tmp_path)["config"]["airunway:cluster"] == {"context": "first"}


def test_a_folder_that_can_t_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert init(monkeypatch, tmp_path / "file", "--context", "x") == 1
    assert "can't be written: File exists" in capsys.readouterr().err


def test_without_someone_to_ask_the_contexts_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", "b", "a", current="b")))
    assert init(monkeypatch, tmp_path / "new") == 1
    assert "the kubeconfig context of the cluster; there are: b, a" in capsys.readouterr().err


def asked(root: Path, answers: str, *arguments: str) -> tuple[int, str]:
    """The exit status and what is said on standard error where someone types ``answers``."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "airunway.cli", "init", *arguments, "--cwd", str(root)]
    try:
        os.write(ours, answers.encode())
        done = subprocess.run(command, stdin=theirs, capture_output=True, text=True)
    finally:
        os.close(ours)
        os.close(theirs)
    return done.returncode, done.stderr


def test_what_is_not_given_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", "b", "a", current="b")))
    status, said = asked(tmp_path / "new", "Qwen/Qwen3-8B\n\n\n")
    assert status == 0, said
    assert "Context of the cluster (b, a) [b]:" in said
    assert stack(tmp_path / "new")["config"]["airunway:cluster"] == {"context": "b"}
    (planned,) = stack_plan(tmp_path / "new", "dev").deployments
    assert (planned.name, planned.request.selection.engine) == ("qwen3-8b", Engine.VLLM)


def test_a_context_that_is_not_there_is_refused_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", "kind-team", "prod")))
    status, said = asked(tmp_path / "new", "kind-tem\n", "--model", "llama3.2:1b")
    assert status == 1
    assert "--context: the kubeconfig has no context 'kind-tem'; did you mean 'kind-team'?" in said


@given(st.text(max_size=80))
def test_every_model_has_a_name_that_a_deployment_may_have(model_id: str) -> None:
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", FirstModel(model_id).name)


class Installed:
    """How a distribution was installed, as pip records it (PEP 610)."""

    version = "1.2.3"

    def __init__(self, origin: Any) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.origin is None else json.dumps(self.origin)


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (None, "airunway==1.2.3\n"),
        (
            {"url": "https://example.test/airunway-1.whl", "archive_info": {}},
            "airunway @ https://example.test/airunway-1.whl\n",
        ),
        ({"url": "file:///src", "dir_info": {"editable": True}}, "-e file:///src\n"),
        ({"url": "file:///src", "dir_info": {}}, "airunway @ file:///src\n"),
    ],
)
def test_a_new_project_installs_airunway_from_where_it_came(origin: Any, line: str) -> None:
    assert requirement(Installed(origin)) == line  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (None, "airunway[policy-pack]==1.2.3\n"),
        ({"url": "file:///src", "dir_info": {"editable": True}}, "airunway[policy-pack] @ file:///src\n"),
        ({"url": "https://example.test/a.whl"}, "airunway[policy-pack] @ https://example.test/a.whl\n"),
    ],
)
def test_an_extra_is_installed_from_there_too_and_a_checkout_is_copied(origin: Any, line: str) -> None:
    assert requirement(Installed(origin), "policy-pack") == line  # type: ignore[arg-type]
