"""Unit (files in a temporary folder): a stack is planned by its project's folder, and nothing of the process is changed
for it.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from airunway.program.stack_plan import stack_plan, stack_settings, stack_target
from airunway.text.problems import InputError

STACK = """
config:
  airunway:cluster: {context: x}
  airunway:deploymentFiles: ['deployments/*.yaml']
  airunway:providerFiles: [own.yaml]
"""
PROVIDER = """
apiVersion: airunway.ai/v1alpha1
kind: InferenceProviderConfig
metadata: {name: kaito}
spec:
  capabilities: {engines: [{name: llamacpp, cpuSupport: true}]}
  selectionRules: [{condition: "true", priority: 7}]
"""


def write_project(root: Path, name: str) -> Path:
    (root / "deployments").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: airunway\nruntime: python\n")
    (root / "Pulumi.own.yaml").write_text(STACK)
    (root / "own.yaml").write_text(PROVIDER)
    (root / "deployments" / "one.yaml").write_text(f"- {{name: {name}, model: {{id: org/gguf}}}}")
    return root


def test_a_project_is_planned_wherever_the_process_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_project(tmp_path / "looks[like]a*pattern", "one")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    elsewhere.rmdir()
    assert [d.name for d in stack_plan(root, "own").deployments] == ["one"]
    assert list(stack_settings(root, "own")[1].texts) == ["deployments/one.yaml", "own.yaml"]
    assert next(c for c in stack_target(root, "own").configs if c.name == "kaito").spec.selection_rules[0].priority == 7
    changed = {"deployments/one.yaml": "- {name: other, model: {id: org/gguf}}"}
    assert [d.name for d in stack_plan(root, "own", edited=changed).deployments] == ["other"]


def test_what_may_not_be_encrypted_is_refused_without_running_the_program_too(tmp_path: Path) -> None:
    root = write_project(tmp_path / "project", "one")
    encrypted = STACK + "  airunway:namespace: {secure: v1:abcdef}\n"
    with pytest.raises(InputError, match="namespace: is encrypted") as refused:
        stack_plan(root, "own", encrypted)
    assert "abcdef" not in str(refused.value)
    stack_plan(root, "own", STACK + "  airunway:huggingFaceToken: {secure: v1:abcdef}\n")


def test_projects_are_planned_at_the_same_time(tmp_path: Path) -> None:
    roots = {name: write_project(tmp_path / name, name) for name in ("first", "second")}
    before = Path.cwd(), list(sys.path)

    def planned(name: str) -> tuple[str, list[str], bool]:
        plan = stack_plan(roots[name], "own")
        return name, [d.name for d in plan.deployments], (Path.cwd(), list(sys.path)) == before

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(planned, list(roots) * 20))
    assert [answer for answer in answers if answer != (answer[0], [answer[0]], True)] == []


def test_planning_changes_nothing_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise AssertionError(f"changes to {path}")

    monkeypatch.setattr(os, "chdir", refuse)
    assert stack_plan(write_project(tmp_path / "one", "one"), "own").deployments
