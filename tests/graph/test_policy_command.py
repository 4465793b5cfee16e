"""Graph (command line): `airunway policy test` on files of policies and of cases."""

import json
from pathlib import Path
from typing import Any

import pytest

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
    assert output.out.splitlines()[-1] == "14 cases, 0 failed"
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
