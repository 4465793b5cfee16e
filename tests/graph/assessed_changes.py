"""A stack with node pools, and changes that each mean something for GPUs and cost."""

from collections.abc import Callable
from typing import Any

from tests.graph.changes import deployment


def assessed() -> dict[str, Any]:
    """The configuration of the stack before a change."""
    return {
        "airunway:cluster": {"context": "prod"},
        "airunway:namespace": "ml",
        "airunway:nodePools": [
            {
                "name": "h100",
                "nodes": 2,
                "gpu": {"product": "NVIDIA-H100-80GB-HBM3", "count": 8},
                "taints": [{"key": "dedicated", "value": "models", "effect": "NoSchedule"}],
                "pricePerHour": 80,
            },
            {"name": "l4", "maxNodes": 4, "gpu": {"product": "NVIDIA-L4", "count": 1}, "pricePerHour": 0.75},
        ],
        "airunway:policies": [
            {
                "name": "budget",
                "scope": "stack",
                "expression": "stack.costPerMonth == null || stack.costPerMonth <= 60000.0",
                "message": "the stack costs at most $60,000 a month",
            }
        ],
        "airunway:deployments": [
            {
                "name": "large",
                "model": {"id": "meta-llama/Llama-3.3-70B-Instruct"},
                "resources": {"gpu": {"count": 4}},
                "tolerations": [{"key": "dedicated", "operator": "Exists"}],
            },
            {"name": "small", "model": {"id": "Qwen/Qwen3-0.6B"}, "resources": {"gpu": {"count": 1}}},
            {"name": "cpu", "model": {"id": "Qwen/Qwen3-0.6B-GGUF"}},
        ],
    }


def more_gpus(config: dict[str, Any]) -> None:
    deployment(config, "large")["resources"]["gpu"]["count"] = 8


def no_node_is_large_enough(config: dict[str, Any]) -> None:
    deployment(config, "large")["resources"]["gpu"]["count"] = 16


def no_toleration(config: dict[str, Any]) -> None:
    del deployment(config, "large")["tolerations"]


def no_free_gpus(config: dict[str, Any]) -> None:
    deployment(config, "small")["scaling"] = {"replicas": 6}


def over_budget(config: dict[str, Any]) -> None:
    deployment(config, "large")["scaling"] = {"replicas": 4}


def removal(config: dict[str, Any]) -> None:
    config["airunway:deployments"].remove(deployment(config, "large"))


ASSESSED_CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "assessed-more-gpus": more_gpus,
    "assessed-no-node-is-large-enough": no_node_is_large_enough,
    "assessed-no-toleration": no_toleration,
    "assessed-no-free-gpus": no_free_gpus,
    "assessed-over-budget": over_budget,
    "assessed-removal": removal,
}
"""What each does to the configuration."""
