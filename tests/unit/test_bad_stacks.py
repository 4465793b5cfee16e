"""Unit (pure) and command line: bad input is refused with paths and status 1, all of it in one go."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.planning.documents import Document, deployment_entry
from airunway.spec.entry import ENTRY_FIELDS
from airunway.text.problems import Problem
from tests.command import run
from tests.graph.projects import copy_program

ROOT = Path(__file__).parents[2]
CASES = yaml.safe_load((Path(__file__).parent / "bad_stacks.yaml").read_text())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_program(tmp_path)


def preview(project: Path, config: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    (project / "stacks" / "Pulumi.bad.yaml").write_text(
        config if isinstance(config, str) else yaml.safe_dump({"config": config})
    )
    return run(monkeypatch, "preview", "--stack", "bad", "--cwd", str(project))


PLACE = re.compile(r"^stacks/Pulumi\.bad\.yaml:[0-9]+:[0-9]+( \([^)]*\))?: ")


def errors(capsys: pytest.CaptureFixture[str]) -> list[str]:
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert captured.out == ""
    lines = [line.removeprefix("error: ") for line in captured.err.splitlines() if line.startswith("error: ")]
    return [PLACE.sub("", line) for line in lines]


@pytest.mark.parametrize("namespace", ["airunwy", "airunways", "AIRunway", "ai-runway", "kubeairunway", "runway"])
def test_a_mistyped_namespace_is_refused_with_the_right_one(
    namespace: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = f"config:\n  airunway:cluster: {{context: kind}}\n  {namespace}:deployments: []\n"
    assert preview(project, config, monkeypatch) == 1
    assert capsys.readouterr().err.splitlines()[0] == (
        f"error: stacks/Pulumi.bad.yaml:3:3: {namespace}:deployments: nobody reads settings of '{namespace}';"
        " did you mean airunway:deployments?"
    )


def test_other_namespaces_are_left_to_those_who_read_them(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others = ["aws:region", "kubernetes:namespace", "models:deployments", "airunway-tools:colour"]
    config = {"airunway:cluster": {"context": "kind"}} | dict.fromkeys(others, "x")
    assert preview(project, config, monkeypatch) == 0
    assert "0 deployments" in capsys.readouterr().out


def test_there_are_enough_bad_stacks() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["why"])
def test_a_bad_stack_is_refused(
    case: Any, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"cluster": {"context": "kind"}, **case.get("settings", {})}
    if "deployment" in case:
        settings["deployments"] = [{"name": "a", "model": {"id": "org/model"}} | case["deployment"]]
    assert preview(project, {f"airunway:{key}": value for key, value in settings.items()}, monkeypatch) == 1
    result = errors(capsys)
    assert len(result) == len(case["errors"]), result
    for message in case["errors"]:
        assert any(line.startswith(message) for line in result), (message, result)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config: [", "not YAML"),
        ("- a", "must be a map"),
        ("config: x", "must be a map"),
        (
            "config: {airunway:deployments: [{name: a}], airunway:huggingFaceToken: hf_clear_text}",
            "huggingFaceToken: is in clear text",
        ),
    ],
)
def test_a_bad_stack_file_is_refused(
    text: str, message: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert preview(project, text, monkeypatch) == 1
    result = errors(capsys)
    assert any(message in line for line in result), result
    assert "hf_clear_text" not in " ".join(result)


def test_a_token_and_a_secret_s_name_exclude_each_other(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {
        "airunway:cluster": {"context": "x"},
        "airunway:huggingFaceToken": {"secure": "v1:abc"},
        "airunway:huggingFaceSecret": "hf",
    }
    assert preview(project, config, monkeypatch) == 1
    assert errors(capsys) == ["huggingFaceSecret: airunway:huggingFaceToken is set too; give one of the two"]


DOCUMENT = {
    "apiVersion": "airunway.ai/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "a", "namespace": "ml"},
    "spec": {"model": {"id": "org/model"}},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "Deployment"}, "m.yaml: kind: 'Deployment' given; did you mean 'ModelDeployment'?"),
        (
            {"apiVersion": "airunway.ai/v1"},
            "m.yaml: apiVersion: 'airunway.ai/v1' given; did you mean 'airunway.ai/v1alpha1'?",
        ),
        ({"metadata": {}}, "m.yaml: metadata.name: required"),
        ({"metadata": {"name": "a", "labls": {}}}, "m.yaml: metadata.labls: unknown key; did you mean 'labels'?"),
        ({"spec": None}, "m.yaml: spec: required"),
        ({"spec": []}, "m.yaml: spec: must be a map"),
        ({"sepc": {}}, "m.yaml: sepc: unknown key"),
        ({"spec": {"model": {"id": "a/b"}, "readyTimeout": "5m"}}, "m.yaml: spec.readyTimeout: unknown key"),
        ({"spec": {"model": {"id": "a/b"}, "scaling": {"replicas": 33}}}, "m.yaml: spec.scaling.replicas: 33 given"),
        ({"spec": {"model": {"id": "a/b"}, "provider": {"name": "x"}}}, "m.yaml: spec.provider.name: no provider 'x'"),
        ({"metadata": {"name": "A"}}, "m.yaml: metadata.name: 'A' given, must be a name"),
    ],
)
def test_a_bad_document_is_refused(
    change: dict[str, Any],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.yaml").write_text(yaml.safe_dump(DOCUMENT | change))
    assert run(monkeypatch, "select", "-f", "m.yaml") == 1
    result = errors(capsys)
    assert any(line.startswith(message) for line in result), result


@pytest.mark.parametrize("field", sorted(ENTRY_FIELDS))
def test_an_entry_s_own_field_in_the_spec_of_a_document_is_refused(field: str) -> None:
    body = DOCUMENT | {"spec": {"model": {"id": "org/model"}, field: "x"}}
    assert deployment_entry(Document("m.yaml", "ModelDeployment", body))[1] == [Problem(f"spec.{field}", "unknown key")]


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "contains no documents"), ("a: [", "not YAML"), ("- 1", "must be a map"), ("x: 1", "kind: null given")],
)
def test_a_file_that_is_no_document_is_refused(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.yaml").write_text(text)
    assert run(monkeypatch, "render", "-f", str(tmp_path / "m.yaml")) == 1
    assert message in errors(capsys)[0]


def test_a_setting_without_a_name_of_text_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert preview(project, "config: {1: 2}", monkeypatch) == 1
    assert errors(capsys)[0].startswith("1: unknown setting; valid: ")
