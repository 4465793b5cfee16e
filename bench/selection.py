"""Measure checking and selecting specs, and the same rules with Google's cel-expr-python."""

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
    """Create distinct, valid, pseudo-random specs, the same in every run."""
    generator = random.Random(7)
    return [
        {
            "model": {"id": f"org/model-{i}"},
            "engine": {"type": generator.choice(["vllm", "sglang"]), "contextLength": 1024 + i},
            "resources": {"gpu": {"count": generator.randint(1, 8)}, "memory": f"{generator.randint(8, 512)}Gi"},
            "scaling": {"replicas": generator.randint(1, 4)},
        }
        for i in range(count)
    ]


def catalog(extra_rules: int = 0) -> list[InferenceProviderConfig]:
    """Load the built-in providers, with ``extra_rules`` more rules for Dynamo."""
    documents = PROVIDERS.documents
    more = [{"condition": f"spec.resources.gpu.count == {100 + i}", "priority": 1} for i in range(extra_rules)]
    documents["dynamo"]["spec"]["selectionRules"] += more
    return [load_config(document, name) for name, document in documents.items()]


def time_airunway(data: list[dict[str, Any]], configs: list[InferenceProviderConfig]) -> float:
    """Return the microseconds to check one spec and select its provider."""
    started = time.perf_counter()
    for spec_data in data:
        spec, problems = parse_spec(spec_data, ModelDeploymentSpec)
        if spec is None:
            raise AssertionError(problems)
        select(spec, configs)
    return (time.perf_counter() - started) / len(data) * 1e6


def time_cel_expr(data: list[dict[str, Any]], configs: list[InferenceProviderConfig]) -> float:
    """Return the microseconds to evaluate the same compiled rules on one spec, without checks or selection."""
    environment = cel.NewEnv(variables={"spec": cel.Type.DYN})
    rules = [environment.compile(rule.condition) for config in configs for rule in config.spec.selection_rules]
    started = time.perf_counter()
    for spec_data in data:
        for rule in rules:
            rule.eval(data={"spec": spec_data})
    return (time.perf_counter() - started) / len(data) * 1e6
