"""Specs checked and selected per second, and the same rules on Google's cel-expr-python."""

import random
import time
from typing import Any

from cel_expr_python import cel

from airunway.selection.provider_config import InferenceProviderConfig, load_config
from airunway.selection.select import select
from airunway.spec.checks import parse_spec
from airunway.spec.model import ModelDeploymentSpec
from providers import PROVIDERS


def specs(count: int) -> list[dict[str, Any]]:
    """Distinct valid specs; all random, but the same in every run."""
    chosen = random.Random(7)
    return [
        {
            "model": {"id": f"org/model-{i}"},
            "engine": {"type": chosen.choice(["vllm", "sglang"]), "contextLength": 1024 + i},
            "resources": {"gpu": {"count": chosen.randint(1, 8)}, "memory": f"{chosen.randint(8, 512)}Gi"},
            "scaling": {"replicas": chosen.randint(1, 4)},
        }
        for i in range(count)
    ]


def catalog(extra_rules: int = 0) -> list[InferenceProviderConfig]:
    """The built-in providers, Dynamo with so many more rules, each of which reads the spec."""
    documents = PROVIDERS.documents
    more = [{"condition": f"spec.resources.gpu.count == {100 + i}", "priority": 1} for i in range(extra_rules)]
    documents["dynamo"]["spec"]["selectionRules"] += more
    return [load_config(document, name) for name, document in documents.items()]


def ours(data: list[dict[str, Any]], configs: list[InferenceProviderConfig]) -> float:
    """Microseconds to check one spec and select for it."""
    started = time.perf_counter()
    for each in data:
        spec, problems = parse_spec(each, ModelDeploymentSpec)
        if spec is None:
            raise AssertionError(problems)
        select(spec, configs)
    return (time.perf_counter() - started) / len(data) * 1e6


def reference(data: list[dict[str, Any]], configs: list[InferenceProviderConfig]) -> float:
    """Microseconds to evaluate the same rules on one spec, compiled before; nothing is checked, nothing selected."""
    environment = cel.NewEnv(variables={"spec": cel.Type.DYN})
    rules = [environment.compile(rule.condition) for config in configs for rule in config.spec.selection_rules]
    started = time.perf_counter()
    for each in data:
        for rule in rules:
            rule.eval(data={"spec": each})
    return (time.perf_counter() - started) / len(data) * 1e6
