"""Graph (command line): `airunway policy test` on files of policies and of cases, and `airunway policy pack`, whose
pack runs in `tests/cluster/test_policy_pack.py`.
"""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from airunway.text.yaml_reading import load_data
from tests.command import run
from tests.graph.projects import ROOT

GPUS = {
    "name": "gpus",
    "expression": "deployment.gpus <= 2",
    "message": "at most two GPUs",
}
BUDGET = {"name": "budget", "scope": "stack", "expression": "stack.costPerMonth <= 9000.0", "message": "too dear"}
ONE = {"name": "a", "model": {"id": "org/model"}, "resources": {"gpu": {"count": 1}}}
FOUR = ONE | {"resources": {"gpu": {"count": 4}}}


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs cases of policies; gives the exit status."""

    def check(policies: Any, cases: Any) -> int:
        (tmp_path / "policies.yaml").write_text(json.dumps(policies))
        (tmp_path / "cases.yaml").write_text(json.dumps(cases))
        monkeypatch.chdir(tmp_path)
        return run(monkeypatch, "policy", "test", "policies.yaml", "--cases", "cases.yaml")

    return check


def test_the_examples_keep_to_their_cases_and_each_policy_is_shown_from_both_sides(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    files = ("examples/policies.yaml", "--cases", "examples/policies.cases.yaml")
    assert run(monkeypatch, "policy", "test", *files) == 0
    output = capsys.readouterr()
    assert output.out.splitlines()[-1] == "17 cases, 0 failed"
    assert output.err == ""


def test_a_policy_that_says_otherwise_fails_with_its_words(check: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [
        {"policy": "gpus", "about": "one", "deployment": ONE, "violated": True},
        {"policy": "gpus", "about": "four", "deployment": FOUR, "violated": False},
        {"policy": "gpus", "deployment": FOUR, "violated": True},
    ]
    assert check([GPUS], cases) == 1
    assert capsys.readouterr().out.splitlines() == [
        "FAILED  gpus: one: to be violated, and is not",
        "FAILED  gpus: four: not to be violated, but a: at most two GPUs [policy gpus]",
        "ok      gpus",
        "3 cases, 2 failed",
    ]


def test_a_case_may_have_several_deployments_and_settings(check: Any) -> None:
    pool = {"name": "l4", "nodes": 8, "gpu": {"product": "NVIDIA-L4", "count": 1}, "pricePerHour": 10}
    pair = [ONE, ONE | {"name": "b"}]
    shared = {"policy": "budget", "settings": {"nodePools": [pool]}}
    assert check([BUDGET], [shared | {"deployment": ONE, "violated": False}]) == 0
    assert check([BUDGET], [shared | {"deployments": pair, "violated": True}]) == 0


def test_only_the_policy_of_a_case_counts(check: Any) -> None:
    """The four GPUs have no node, and another policy is violated."""
    other = GPUS | {"name": "other", "expression": "false"}
    pool = {"name": "l4", "nodes": 1, "gpu": {"product": "NVIDIA-L4", "count": 1}}
    case = {"policy": "gpus", "settings": {"nodePools": [pool]}, "deployment": FOUR, "violated": True}
    assert check([GPUS, other], [case]) == 0
    assert check([GPUS | {"expression": "true"}, other], [case]) == 1


def test_what_no_case_shows_is_noted(check: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert check([GPUS, BUDGET], [{"policy": "gpus", "deployment": ONE, "violated": False}]) == 0
    notes = capsys.readouterr().err.splitlines()
    assert notes == ["note: policy gpus: no case violates it", "note: policy budget: no case violates or keeps to it"]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"policy": "gpu", "deployment": ONE, "violated": True}, "cases.yaml[0].policy: no policy 'gpu'; did you mean"),
        ({"policy": "gpus", "violated": True}, "give either deployment or deployments"),
        ({"policy": "gpus", "deployment": ONE, "deployments": [ONE], "violated": True}, "give either deployment or"),
        ({"policy": "gpus", "deployment": ONE}, "cases.yaml[0].violated: required"),
        ({"policy": "gpus", "deployment": ONE, "violated": "yes"}, "cases.yaml[0].violated"),
        ({"policy": "gpus", "deployment": ONE, "violated": True, "locks": {}}, "cases.yaml[0].locks"),
        ({"policy": "gpus", "deployment": {"name": "a"}, "violated": True}, "cases.yaml[0].deployments[0].model"),
        ({"policy": "gpus", "deployment": ONE, "violated": True, "settings": {"nodePool": []}}, "nodePool"),
        ({"policy": "gpus", "deployment": ONE, "violated": True, "lock": {"a/b": {"revision": "main"}}}, "revision"),
        (5, "cases.yaml[0]"),
    ],
)
def test_a_case_that_is_none_is_told_with_its_file_and_path(
    check: Any, capsys: pytest.CaptureFixture[str], case: Any, message: str
) -> None:
    assert check([GPUS], [case]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert message in told
    assert "cases.yaml" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        ([GPUS, GPUS], "gpus: is the name of two policies"),
        ([GPUS | {"expression": "deployment."}], "policies.yaml[0]: expression: syntax error"),
        ({}, "policies.yaml: {} given, must be a list"),
    ],
)
def test_policies_that_are_none_are_told(
    check: Any, capsys: pytest.CaptureFixture[str], policies: Any, message: str
) -> None:
    assert check(policies, []) == 1
    assert message in " ".join(capsys.readouterr().err.split())


def test_files_that_are_not_there_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "policy", "test", "none.yaml", "--cases", "cases.yaml") == 1
    assert "none.yaml" in capsys.readouterr().err


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a pack of files; gives the exit status."""

    def write(*files: tuple[str, Any], options: tuple[str, ...] = ()) -> int:
        monkeypatch.chdir(tmp_path)
        for file, content in files:
            Path(file).parent.mkdir(exist_ok=True)
            Path(file).write_text(content if isinstance(content, str) else json.dumps(content))
        return run(monkeypatch, "policy", "pack", "our/pack", *(file for file, _ in files), *options)

    return write


def test_a_pack_has_its_policies_and_a_program_that_serves_them(
    tmp_path: Path, write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "# why\n" + json.dumps([GPUS])
    odd = 'all "new".yaml'
    assert write(("gpus.yaml", text), (f"more/{odd}", [BUDGET]), options=("--name", "our.pack_1-a")) == 0
    folder = tmp_path / "our" / "pack"
    assert (folder / "gpus.yaml").read_text() == text
    assert (folder / "requirements.txt").read_text().startswith("airunway[policy-pack]")
    assert load_data(folder / "PulumiPolicy.yaml")["runtime"]["name"] == "python"
    (served,) = [
        node for node in ast.walk(ast.parse((folder / "__main__.py").read_text())) if isinstance(node, ast.Call)
    ]
    assert [ast.literal_eval(argument) for argument in served.args[1:]] == ["our.pack_1-a", ["gpus.yaml", odd]]
    told = capsys.readouterr().err
    assert f"wrote our/pack/{odd}" in told
    assert "pulumi preview --policy-pack our/pack" in told


def test_policies_of_standard_input_get_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "policy", "pack", "pack", "-", stdin=json.dumps([GPUS])) == 0
    assert json.loads((tmp_path / "pack" / "policies.yaml").read_text()) == [GPUS]


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ([("a.yaml", [GPUS | {"expression": "a &"}])], (), "a.yaml[0]: expression: syntax error"),
        ([("a.yaml", [GPUS]), ("b.yaml", [GPUS])], (), "gpus: is the name of two policies"),
        ([("a.yaml", [GPUS]), ("b/a.yaml", [BUDGET])], (), "b/a.yaml: two files of one name can't be in a pack"),
        ([("requirements.txt", [GPUS])], (), "requirements.txt: is a file of the pack itself"),
        ([("a.yaml", [])], (), "a.yaml: no policies given; a pack has at least one"),
        ([("a.yaml", "a: [")], (), "a.yaml"),
        ([("a.yaml", [GPUS | {"name": "all"}])], (), "all: can't be the name of a policy in a pack"),
        ([("a.yaml", [GPUS | {"name": "airunway-objects"}])], (), "airunway-objects: can't be the name"),
        ([("a.yaml", [GPUS])], ("--name", "our pack"), "--name: 'our pack' given, must be 1 to 100 letters"),
        ([("a.yaml", [GPUS])], ("--name", ""), "--name: '' given"),
        ([("a.yaml", [GPUS])], ("--name", 'x", 1)\n#'), "--name: "),
    ],
)
def test_what_is_no_pack_is_told_and_nothing_is_written(
    tmp_path: Path,
    write: Any,
    capsys: pytest.CaptureFixture[str],
    files: list[tuple[str, Any]],
    options: tuple[str, ...],
    message: str,
) -> None:
    assert write(*files, options=options) == 1
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "our").exists()


def test_a_pack_that_is_there_is_not_overwritten(
    tmp_path: Path, write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write(("a.yaml", [GPUS])) == 0
    program = (tmp_path / "our" / "pack" / "__main__.py").read_text()
    assert write(("b.yaml", [BUDGET]), options=("--name", "other")) == 1
    assert "our/pack/__main__.py: exists already; name another folder" in capsys.readouterr().err
    assert (tmp_path / "our" / "pack" / "__main__.py").read_text() == program
    assert not (tmp_path / "our" / "pack" / "b.yaml").exists()


def test_a_folder_that_can_t_be_made_is_told(tmp_path: Path, write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "our").write_text("a file")
    assert write(("a.yaml", [GPUS])) == 1
    assert "our/pack" in capsys.readouterr().err
