"""Graph: how much work 200 deployments are, counted and not timed."""

from collections import Counter
from typing import Any

import pulumi
import pytest

from airunway.program.record import run_program
from airunway.program.stack_file import StackConfig, read_stack
from airunway.selection import rule_evaluation
from airunway.selection.provider_config import load_config
from airunway.spec.model import ModelDeploymentSpec
from providers import PROVIDERS
from tests.graph.projects import many, write_project


@pytest.fixture
def config(tmp_path: Any) -> StackConfig:
    return read_stack(write_project(tmp_path, many(200)), "own")


def test_200_deployments_compile_each_rule_once_and_evaluate_it_once_per_kind(
    config: StackConfig, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: Counter[str] = Counter()

    def counting(name: str, function: Any) -> Any:
        def counted(*arguments: Any, **named: Any) -> Any:
            counts[name] += 1
            return function(*arguments, **named)

        return counted

    rule_evaluation.compile_rule.cache_clear()
    monkeypatch.setattr(rule_evaluation, "_compile", counting("compiled", rule_evaluation._compile))
    monkeypatch.setattr(rule_evaluation.Expression, "_run", counting("evaluated", rule_evaluation.Expression._run))
    monkeypatch.setattr(ModelDeploymentSpec, "rule_input", counting("converted", ModelDeploymentSpec.rule_input))
    monkeypatch.setattr(pulumi.Output, "from_input", counting("outputs", pulumi.Output.from_input))
    monkeypatch.setattr("subprocess.Popen.__init__", lambda *_, **__: pytest.fail("a process was started"))
    recorder = run_program(tmp_path, config)
    documents = [load_config(document, name) for name, document in PROVIDERS.documents.items()]
    conditions = {rule.condition for document in documents for rule in document.spec.selection_rules}
    assert counts["compiled"] == len(conditions)
    assert counts["evaluated"] <= 2 * len(conditions)
    assert counts["converted"] == 200
    assert counts["outputs"] < 22 * 200, "each is three asyncio tasks; most of a deployment's are the SDK's own"
    registered = Counter(request.type for _, request in recorder.requests)
    assert registered["airunway:index:ModelDeployment"] == 200
    assert sum(registered.values()) == 2 * 200 + 20 + 9, "deployments, their namespaces, and what they share"
