"""Graph (command line): problems say where they are: file, line, column, deployment; and no problem hides another."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airunway.program.problem_places import located_problems
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_places import Place, PlacedDocument
from tests.command import run
from tests.graph.projects import copy_program

KEYS = st.sampled_from(["name", "config", "airunway:a", "b"])
STACK = """\
# A comment.
config:
  airunway:cluster: {context: x}
  airunway:deployments:
    - name: first
      model: {id: a/b}

    - model:
        id: a/b
      name: second
      engine:
        type: vlm
"""


def errors(
    root: Path, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *more: str
) -> list[str]:
    """What `airunway preview` says of a stack file."""
    (copy_program(root) / "stacks" / "Pulumi.own.yaml").write_text(text)
    assert run(monkeypatch, "preview", "own", *more, "--cwd", str(root), columns=400) == 1
    lines = capsys.readouterr().err.splitlines()
    return [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]


def test_a_problem_says_line_column_and_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = errors(tmp_path, STACK, monkeypatch, capsys)
    assert line.startswith(
        "stacks/Pulumi.own.yaml:12:9 (second): deployments[1].engine.type: 'vlm' given, did you mean"
    )


def test_what_is_missing_is_told_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STACK.replace("      model: {id: a/b}\n", "").replace("vlm", "vllm")
    missing, without_gpu = errors(tmp_path, text, monkeypatch, capsys)
    assert missing.startswith("stacks/Pulumi.own.yaml:5:7 (first): deployments[0].model: required")
    assert without_gpu.startswith(
        "stacks/Pulumi.own.yaml:7:7 (second): deployments[1].resources.gpu.count: no provider"
    )


def test_a_problem_in_a_deployment_file_says_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models.yaml").write_text("- name: chat\n  model: {id: a/b}\n  scaling: {replica: 2}\n")
    text = "config:\n  airunway:cluster: {context: x}\n  airunway:deploymentFiles: [models.yaml]\n"
    (line,) = errors(tmp_path, text, monkeypatch, capsys)
    assert line.startswith("models.yaml:3:13 (chat): models.yaml[0].scaling.replica: unknown key")


def test_a_setting_that_is_wrong_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = errors(tmp_path, STACK.replace("{context: x}", "kind-team"), monkeypatch, capsys)
    assert [line.split(": ")[1] for line in found] == ["cluster", "deployments[1].engine.type"]
    assert "write cluster: {context: kind-team}" in found[0]


def test_an_unknown_setting_hides_nothing_and_brings_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = errors(tmp_path, STACK.replace("airunway:cluster", "airunway:clustre"), monkeypatch, capsys)
    assert any(": clustre: unknown setting; did you mean 'cluster'?" in line for line in found)
    assert any("deployments[1].engine.type" in line for line in found)


@pytest.mark.parametrize("key", ["deployments", "airunway:deployments", "foo"])
def test_a_key_beside_config_is_refused_with_where_it_belongs(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"config:\n  airunway:cluster: {{context: x}}\n{key}: []\n"
    (line,) = errors(tmp_path, text, monkeypatch, capsys)
    setting = key if ":" in key else f"airunway:{key}"
    assert f"{key}: stands beside config:, where nobody reads it; write {setting} below config:" in line


@pytest.mark.parametrize("key", ["encryptionsalt", "secretsprovider", "encryptedkey"])
def test_pulumi_s_own_keys_may_stand_beside_config(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{key}: x\nconfig:\n  airunway:cluster: {{context: x}}\n"
    (copy_program(tmp_path) / "stacks" / "Pulumi.own.yaml").write_text(text)
    assert run(monkeypatch, "preview", "own", "--cwd", str(tmp_path)) == 0


def test_a_stack_without_deployments_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "config:\n  airunway:cluster: {context: x}\n  airunway:deployments:\n"
    (copy_program(tmp_path) / "stacks" / "Pulumi.own.yaml").write_text(text)
    assert run(monkeypatch, "preview", "own", "--cwd", str(tmp_path)) == 0
    assert capsys.readouterr().out.startswith("This stack has no deployments; add one below airunway:deployments.")


@pytest.mark.parametrize(
    ("text", "steps", "needed", "place"),
    [
        ("a: 1\nb: {c: 2}\n", ["b", "c"], 2, Place(2, 5)),
        ("a: 1\n", ["b"], 1, None),
        ("a: 1\n", ["a", "b"], 1, Place(1, 1)),
        ("a: 1\n", ["a", "b"], 2, None),
        ("- x\n- name: n\n  y: 1\n", [1, "y"], 2, Place(3, 3, "n")),
        ("- x\n", [7], 1, None),
        ("- {name: [1]}\n", [0, "name"], 2, Place(1, 4)),
        ("a: &x {b: 1}\nc: *x\n", ["c", "b"], 2, Place(1, 8)),
        ("a: *nothing\n", ["a"], 1, None),
        ("[" * 5000, ["a"], 1, None),
        ("a: \x00", ["a"], 1, None),
        ("", ["a"], 1, None),
    ],
)
def test_values_are_found_in_a_document(text: str, steps: Any, needed: int, place: Place | None) -> None:
    assert PlacedDocument(text).place(steps, needed) == place


@given(
    st.text(max_size=60),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3),
        max_leaves=8,
    ),
)
def test_whatever_a_file_and_a_field_are_a_problem_keeps_its_words(field: str, content: Any) -> None:

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "Pulumi.yaml").write_text("name: airunway\n")
        (root / "Pulumi.own.yaml").write_text(yaml.safe_dump(content))
        with pytest.raises(InputError) as raised, located_problems(root, "own"):
            raise InputError([Problem(field, "is wrong"), Problem(f"a{field}", "too")])
    assert [(p.field, p.message) for p in raised.value.problems] == [(field, "is wrong"), (f"a{field}", "too")]
