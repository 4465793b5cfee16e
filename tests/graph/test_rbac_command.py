"""Graph (command line, in process): `airunway rbac`. That Helm takes the commands it prints is tried in
tests/cluster/test_rights.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.report.helm import template_command
from tests.command import run
from tests.graph.projects import ROOT, write_project

RAY = {"name": "ray", "model": {"id": "a/b"}, "provider": {"name": "kuberay"}, "resources": {"gpu": {"count": 1}}}
CHART = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kuberay}
rules: [{apiGroups: [ray.io], resources: [rayclusters], verbs: [get]}]
---
apiVersion: v1
kind: Service
metadata: {name: webhook}
"""


def names(text: str, resource: str) -> list[str]:
    """Names that the printed rights say of one resource."""
    rules = [rule for o in yaml.safe_load_all(text) for rule in o.get("rules", []) if resource in rule["resources"]]
    return sorted({name for rule in rules for name in rule.get("resourceNames", [])})


def test_without_its_charts_a_stack_is_told_the_commands_that_give_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path, [RAY])
    arguments = ("rbac", "--stack", "own", "--cwd", str(project), "--service-account", "ci/me")
    assert run(monkeypatch, *arguments, columns=40) == 0
    notes = capsys.readouterr().err.splitlines()
    assert [line for line in notes if line.startswith("  ")] == [
        (
            "  helm template kuberay-operator kuberay-operator --repo https://ray-project.github.io/kuberay-helm/"
            " --version 1.7.0 --namespace ray-system --include-crds --skip-tests > kuberay-operator.yaml"
        ),
        "  airunway rbac --stack own --service-account ci/me --manifests kuberay-operator=kuberay-operator.yaml",
    ]
    assert (
        "the account can read and write every Secret in ray-system: Helm stores its release records there" in notes[0]
    )


@pytest.mark.parametrize("source", ["stdin", "file"])
def test_with_its_charts_nothing_is_missing_and_the_roles_that_the_account_holds_with_them_are_named(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, chart = write_project(tmp_path, [RAY]), tmp_path / "chart.yaml"
    chart.write_text(CHART)
    given = f"kuberay-operator={'-' if source == 'stdin' else chart}"
    assert run(monkeypatch, "rbac", "--stack", "own", "--cwd", str(project), "--manifests", given, stdin=CHART) == 0
    captured = capsys.readouterr()
    assert "helm template" not in captured.err
    assert (
        "the account holds all rights that kuberay-operator grants, as it can grant no others: ClusterRole kuberay."
        in captured.err
    )
    (role,) = [o for o in yaml.safe_load_all(captured.out) if o["kind"] == "ClusterRole"]
    assert {"apiGroups": ["ray.io"], "resources": ["rayclusters"], "verbs": ["get"]} in role["rules"]
    assert names(captured.out, "services") == ["webhook"]


def test_a_stack_that_installs_nothing_needs_no_note(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "rbac", "--stack", "prod", "--cwd", str(ROOT)) == 0
    captured = capsys.readouterr()
    assert "note:" not in captured.err
    assert "secrets" not in captured.out


def test_what_another_revision_has_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path, [RAY | {"namespace": "earlier"}, RAY | {"name": "gone"}])
    arguments = ("--stack", "own", "--cwd", str(project))
    assert run(monkeypatch, "preview", *arguments, "--format", "json") == 0
    saved = tmp_path / "saved.json"
    saved.write_text(capsys.readouterr().out)
    (project / "stacks" / "Pulumi.own.yaml").write_text(
        json.dumps({"config": {"airunway:cluster": {"context": "x"}, "airunway:deployments": [RAY]}})
    )
    assert run(monkeypatch, "rbac", *arguments) == 0
    assert names(capsys.readouterr().out, "rayservices") == ["ray"]
    assert run(monkeypatch, "rbac", *arguments, "--against", str(saved)) == 0
    rights = capsys.readouterr().out
    assert names(rights, "rayservices") == ["gone", "ray"]
    assert "earlier" in {o["metadata"].get("namespace") for o in yaml.safe_load_all(rights) if o["kind"] == "Role"}, (
        "it was moved"
    )


def test_every_wrong_file_and_release_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, chart = write_project(tmp_path, [RAY]), tmp_path / "chart.yaml"
    chart.write_text("- a")
    wrong = [f"kuberay-operator={chart}", "kuberay-operator=nowhere.yaml", "kuberay-operater=x.yaml"]
    options = [text for option in wrong for text in ("--manifests", option)]
    assert run(monkeypatch, "rbac", "--stack", "own", "--cwd", str(project), *options) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{chart}[0]: ['a'] given, must be an object with apiVersion, kind and metadata.name" in captured.err
    assert "nowhere.yaml: can't be read: No such file or directory" in captured.err
    assert (
        "--manifests: no release 'kuberay-operater'; did you mean 'kuberay-operator'? valid: kuberay-operator"
        in captured.err
    )


@pytest.mark.parametrize("option", ["kuberay-operator", "=file.yaml", "kuberay-operator="])
def test_a_file_without_its_release_is_wrong_usage(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "rbac", "--cwd", str(ROOT), "--manifests", option) == 2
    assert "must be RELEASE=FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        (
            {"chart": "oci://r.test/c", "version": "1.0.0"},
            "oci://r.test/c --version 1.0.0 --namespace ns --include-crds --skip-tests",
        ),
        ({"chart": "./my charts/c.tgz"}, "'./my charts/c.tgz' --namespace ns --include-crds --skip-tests"),
        (
            {"chart": "c", "repositoryOpts": {"repo": "https://r.test"}, "values": {"a.b": {"c": [1]}, "d": "e'f"}},
            "c --repo https://r.test --namespace ns --include-crds --skip-tests "
            """--set-json 'a\\.b={"c": [1]}' --set-json 'd="e'"'"'f"'""",
        ),
    ],
)
def test_a_release_is_rendered_from_where_pulumi_takes_it(release: dict[str, Any], expected: str) -> None:
    assert template_command({"name": "op", "namespace": "ns"} | release) == f"helm template op {expected}"


def test_a_role_of_the_controller_s_manifests_that_can_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path, [{"name": "one", "model": {"id": "a/b"}}])
    stack = project / "stacks" / "Pulumi.own.yaml"
    config = json.loads(stack.read_text())["config"] | {
        "airunway:delivery": "modeldeployment",
        "airunway:controller": {"installation": "managed", "manifests": ["controller.yaml"]},
    }
    stack.write_text(json.dumps({"config": config}))
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "odd"},
        "rules": ["x"],
    }
    (project / "controller.yaml").write_text(yaml.safe_dump(role))
    assert run(monkeypatch, "rbac", "--stack", "own", "--cwd", str(project)) == 1
    assert "ClusterRole odd.rules[0]: 'x' given, must be lists of strings under verbs" in capsys.readouterr().err


def test_rbac_prints_objects_and_says_what_they_leave_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "rbac", "--stack", "dev", "--cwd", str(ROOT)) == 0
    captured = capsys.readouterr()
    assert {o["kind"] for o in yaml.safe_load_all(captured.out)} >= {"Namespace", "ClusterRole", "Role", "RoleBinding"}
    assert "kaito-workspace" in captured.err


@pytest.mark.parametrize("stack", ["airgapped", "dev", "prod"])
def test_the_rights_of_every_shipped_stack_are_told(
    stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "rbac", "--stack", stack, "--cwd", str(ROOT)) == 0
    assert {o["kind"] for o in yaml.safe_load_all(capsys.readouterr().out)} >= {"ClusterRole", "Role", "RoleBinding"}


def test_what_the_console_needs_is_added_on_request_for_the_namespaces_of_deployments_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path, [RAY])

    def allowed(*arguments: str) -> set[tuple[str, str, str]]:
        assert run(monkeypatch, "rbac", "--stack", "own", "--cwd", str(project), *arguments) == 0
        return {
            (o["metadata"].get("namespace", ""), resource, verb)
            for o in yaml.safe_load_all(capsys.readouterr().out)
            for rule in o.get("rules", [])
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }

    without = allowed()
    assert allowed("--operate") - without == {
        ("default", "services", "get"),
        ("default", "pods/log", "get"),
        ("default", "pods/portforward", "get"),
        ("default", "pods/portforward", "create"),
    }, "events and pods may be listed by who updates the stack"
