"""Graph (command line, in process): what `select`, `explain`, `providers`, `render` and `preview` print, as a table,
as data and into a pipe.
"""

import json

import pytest
import yaml

from tests.command import run
from tests.graph.projects import ROOT

DOCUMENT = {
    "apiVersion": "airunway.ai/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "llama", "namespace": "ml", "uid": "1", "resourceVersion": "7"},
    "spec": {"model": {"id": "org/model"}, "resources": {"gpu": {"count": 1}}},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize("group", ["airunway.ai", "kubeairunway.ai"])
def test_select_reads_documents_of_both_groups_from_standard_input(
    group: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = yaml.safe_dump_all(
        [DOCUMENT | {"apiVersion": f"{group}/v1alpha1"}, DOCUMENT | {"spec": {"model": {"id": "a/b"}}}]
    )
    assert run(monkeypatch, "select", "-f", "-", "--format", "json", stdin=text) == 0
    decisions = json.loads(capsys.readouterr().out)
    assert [(d["name"], d["provider"], d["engine"]) for d in decisions] == [
        ("llama", "dynamo", "vllm"),
        ("llama", "kaito", "llamacpp"),
    ]


def test_select_prints_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "select", "-f", "-", stdin=yaml.safe_dump(DOCUMENT)) == 0
    header, row, *_ = capsys.readouterr().out.splitlines()
    assert header.split() == ["DEPLOYMENT", "MODEL", "GPUS", "RUNS", "ON", "WHY"]
    assert row.split()[2:6] == ["1", "vllm", "on", "dynamo"]


def test_render_prints_the_upstream_objects_as_yaml(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = {
        "model": {"id": "org/m"},
        "provider": {"name": "kaito"},
        "engine": {"contextLength": 8},
        "resources": {"gpu": {"count": 1}},
    }
    text = yaml.safe_dump_all([DOCUMENT, DOCUMENT | {"spec": preset}])
    assert run(monkeypatch, "render", "-f", "-", stdin=text) == 0
    assert [o["kind"] for o in yaml.safe_load_all(capsys.readouterr().out)] == [
        "DynamoGraphDeployment",
        "ConfigMap",
        "Workspace",
    ]


def test_providers_prints_matrix_and_installation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "providers") == 0
    text = capsys.readouterr().out
    assert ["kaito", "llamacpp", "yes", "yes", "aggregated"] in [line.split() for line in text.splitlines()]
    assert "chosen by name only" in text
    assert "chart kuberay/kuberay-operator 1.7.0" in text


def test_providers_of_a_stack_are_as_the_stack_changes_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "providers", "--stack", "prod", "--cwd", str(ROOT), "--format", "json") == 0
    assert [p["name"] for p in json.loads(capsys.readouterr().out)] == ["dynamo", "kaito", "vllm"]


def test_piped_output_has_no_colour_and_no_cut_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "--cwd", str(ROOT), columns=50) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "…" not in text
    assert "llama-disagg  DynamoGraphDeployment" in text


def test_explain_shows_every_provider_rule_and_the_spec_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "explain", "mistral-ray", "--stack", "dev", "--cwd", str(ROOT)) == 0
    text = capsys.readouterr().out
    assert text.startswith("mistral-ray: vllm on kuberay")
    assert {"kaito", "dynamo", "kuberay"} <= set(text.split())
    assert run(monkeypatch, "explain", "mistral-ray", "--stack", "dev", "--cwd", str(ROOT), "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [c["provider"] for c in document["candidates"]] == ["dynamo", "kaito", "kuberay", "vllm"]
    assert document["spec"]["engine"]["type"] == "vllm"


def test_explain_of_an_unknown_deployment_names_a_near_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "explain", "mistral-rey", "--stack", "dev", "--cwd", str(ROOT)) == 1
    assert "did you mean 'mistral-ray'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("format", "start"), [("markdown", "### "), ("mermaid", "flowchart "), ("html", "<!doctype html>")]
)
def test_preview_prints_every_format(
    format: str, start: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "--stack", "dev", "--cwd", str(ROOT), "--format", format) == 0
    text = capsys.readouterr().out
    assert text.startswith(start)
    assert "mistral-ray" in text
