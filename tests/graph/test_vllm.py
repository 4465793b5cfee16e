"""Graph (mocks and recorder): a deployment of the provider vllm in the graph, and what the commands say of it."""

import json
from pathlib import Path

import pytest

from tests.command import run
from tests.deployments import GPU, RAY
from tests.graph.previews import of, one, stack
from tests.graph.projects import write_project

VLLM = GPU | {"name": "plain", "provider": {"name": "vllm"}}


def test_the_service_comes_before_the_deployment_that_is_waited_for(tmp_path: Path) -> None:
    preview = stack(tmp_path, deployments=[VLLM])
    service, deployment = one(preview, "Service", "plain"), one(preview, "Deployment", "plain")
    assert service.inputs["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    assert (
        json.loads(deployment.inputs["metadata"]["annotations"]["pulumi.com/waitFor"])[0]
        == "jsonpath={.status.updatedReplicas}=1"
    )
    assert "pulumi.com/skipAwait" not in deployment.inputs["metadata"]["annotations"]
    assert service.urn in deployment.dependencies
    assert {service.parent, deployment.parent} == {one(preview, "ModelDeployment", "plain").urn}
    skipped = stack(tmp_path, deployments=[VLLM | {"skipAwait": True}])
    assert one(skipped, "Deployment", "plain").inputs["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"


def test_nothing_is_installed_and_no_operator_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert of(stack(tmp_path, deployments=[VLLM]), "Release") == []
    (tmp_path / "project").mkdir()
    project = write_project(tmp_path / "project", [VLLM, RAY])
    assert run(monkeypatch, "preview", "--stack", "own", "--cwd", str(project)) == 0
    output = capsys.readouterr().out
    assert "operators installed: kuberay" in output
    assert "operators installed: kuberay, " not in output


def test_the_rights_are_those_of_what_is_watched_while_it_rolls_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path, [VLLM | {"namespace": "ml"}])
    assert run(monkeypatch, "rbac", "--stack", "own", "--service-account", "ci/me", "--cwd", str(project)) == 0
    output = capsys.readouterr().out
    assert all(resource in output for resource in ("replicasets", "pods", "services", "deployments"))
    assert "endpoints" not in output


def test_a_command_knows_the_endpoint_and_the_manifests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path, [VLLM])
    assert run(monkeypatch, "endpoint", "plain", "--stack", "own", "--cwd", str(project)) == 0
    assert capsys.readouterr().out == "http://plain.default.svc:8000/v1\n"
    assert run(monkeypatch, "render", "--stack", "own", "--output", str(tmp_path / "out"), "--cwd", str(project)) == 0
    files = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert {"default-deployment-plain.yaml", "default-service-plain.yaml"} <= files.keys()
    assert "pulumi.com" not in "".join(files.values())


def test_a_deployment_that_goes_to_it_is_a_change_of_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path, [VLLM])
    before = tmp_path / "before.json"
    file = project / "stacks" / "Pulumi.own.yaml"
    config = json.loads(file.read_text())
    there = json.dumps(config)
    config["config"]["airunway:deployments"] = [VLLM | {"provider": {"name": "kuberay"}}]
    file.write_text(json.dumps(config))
    assert run(monkeypatch, "preview", "--stack", "own", "--format", "json", "--cwd", str(project)) == 0
    before.write_text(capsys.readouterr().out)
    file.write_text(there)
    assert run(monkeypatch, "diff", "--stack", "own", "--against", str(before), "--cwd", str(project)) == 0
    output = capsys.readouterr().out
    assert "vllm on kuberay -> vllm on vllm" in " ".join(output.split())
    assert "create plain  Service" in output
    assert "delete plain  RayService" in output


def test_the_selector_forces_a_replacement(tmp_path: Path) -> None:
    from airunway.report.compare import compare
    from airunway.report.preview_document import preview_document

    old, new = (preview_document(stack(tmp_path, deployments=[VLLM])) for _ in range(2))
    changed = next(r for r in new["resources"] if r["type"].endswith(":Deployment"))
    changed["inputs"]["spec"]["selector"] = {"matchLabels": {"a": "b"}}
    (change,) = compare(old, new).resources
    assert (change.operation, change.kind) == ("replace", "Deployment")
    changed["inputs"]["spec"]["selector"] = next(r for r in old["resources"] if r["urn"] == changed["urn"])["inputs"][
        "spec"
    ]["selector"]
    changed["inputs"]["spec"]["replicas"] = 2
    assert [c.operation for c in compare(old, new).resources] == ["update"]


def test_what_is_protected_includes_its_service(tmp_path: Path) -> None:
    result = stack(tmp_path, protect=True, deployments=[VLLM])
    assert one(result, "Service", "plain").protect is one(result, "Deployment", "plain").protect
