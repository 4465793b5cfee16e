"""Unit (pure): deployments as people write them come out right, or are refused with what to write instead.

`field_cases.yaml` says what each is; stacks, documents and graphs of other people have tests of their own.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.planning.deployment import PlannedDeployment
from airunway.planning.files import Files
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.text.merge import element_name, merge_patch
from airunway.text.problems import InputError
from providers import PROVIDERS

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "field_cases.yaml").read_text())
REFUSED = [case for case in CASES if {"errors", "problems"} & set(case)]
RENDERED = [case for case in CASES if case not in REFUSED]


def planned(case: dict[str, Any]) -> Plan:
    entry = merge_patch({"name": "a", "model": {"id": "org/model"}}, case["deployment"])
    if "gpu" in case:
        entry = merge_patch(entry, {"resources": {"gpu": {"count": case["gpu"]}}})
    settings = {"cluster": {"context": "kind"}, "namespace": "ml", "deployments": [entry, *case.get("more", [])]}
    return plan_stack(parse_settings(settings), Files.from_texts({}), PROVIDERS, has_token=case.get("token", False))


def at(value: Any, path: str) -> Any:
    """The value at a dotted path, with elements of lists by name: ``spec.containers[main].image``."""
    for key, name in re.findall(r"([^.\[\]]+(?:\.com/[^.\[\]]+)?)|\[([^\]]+)\]", path):
        value = value[key] if key else next(e for e in value if (element_name(e) or "") == name)
    return value


def lists(value: Any) -> list[list[str]]:
    """Every list of arguments in an object."""
    if isinstance(value, dict):
        own = [[str(a) for a in value["args"]]] if isinstance(value.get("args"), list) else []
        return own + [found for inner in value.values() for found in lists(inner)]
    return [found for inner in value for found in lists(inner)] if isinstance(value, list) else []


def has(arguments: list[str], expected: list[str]) -> bool:
    size = len(expected)
    return any(arguments[i : i + size] == expected for i in range(len(arguments) - size + 1))


@pytest.mark.parametrize("case", REFUSED, ids=lambda c: c["case"])
def test_it_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refused:
        planned(case)
    expected = case.get("problems") or [f"deployments[0].{error}" for error in case["errors"]]
    problems = [str(p) for p in refused.value.problems]
    assert len(problems) == len(expected), problems
    for problem, beginning in zip(problems, expected, strict=True):
        assert problem.startswith(beginning), problem


@pytest.mark.parametrize("case", RENDERED, ids=lambda c: c["case"])
def test_it_is_rendered(case: dict[str, Any]) -> None:
    plan = planned(case)
    deployment: PlannedDeployment = plan.deployments[0]
    resource = deployment.rendered.resource
    arguments = lists(resource)
    if "args" in case:
        assert any(has(given, case["args"]) for given in arguments), arguments
    for token in case.get("without", []):
        assert not any(token in given for given in arguments), arguments
    for path, value in case.get("fields", {}).items():
        assert at(resource, path) == value
    if "serve" in case:
        (application,) = yaml.safe_load(resource["spec"]["serveConfigV2"])["applications"]
        kwargs = application["args"]["llm_configs"][0]["engine_kwargs"]
        assert {key: kwargs.get(key) for key in case["serve"]} == case["serve"]
    if "provider" in case:
        assert deployment.request.selection.provider == case["provider"]
    warnings = [w for w in plan.warnings if case.get("warning", "\0") in w]
    assert bool(warnings) == ("warning" in case), plan.warnings
    assert {"args", "fields", "serve", "warning"} & set(case), "the case says nothing of what is rendered"


def test_every_key_of_a_case_means_something() -> None:
    known = {"args", "case", "deployment", "errors", "fields", "gpu", "more", "problems", "provider", "serve", "token"}
    assert {key for case in CASES for key in case} == known | {"warning", "without"}
    assert len({case["case"] for case in CASES}) == len(CASES)
