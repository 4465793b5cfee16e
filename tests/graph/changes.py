"""A stack, and changes that each touch one thing of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml


def base() -> dict[str, Any]:
    """The configuration of the stack before a change."""
    threshold = {"condition": "spec.engine.type == 'vllm' && spec.resources.gpu.count > 1", "priority": 80}
    return {
        "airunway:cluster": {"context": "prod"},
        "airunway:namespace": "ml",
        "airunway:huggingFaceToken": {"secure": "v1:first"},
        "airunway:providers": {"kuberay": {"spec": {"selectionRules": [threshold]}}},
        "airunway:deployments": [
            {
                "name": "chat",
                "model": {"id": "Qwen/Qwen3-8B"},
                "engine": {"type": "vllm"},
                "resources": {"gpu": {"count": 1}},
            },
            {"name": "small", "model": {"id": "Qwen/Qwen3-0.6B-GGUF"}},
            {
                "name": "old",
                "model": {"id": "org/old"},
                "provider": {"name": "kuberay"},
                "resources": {"gpu": {"count": 1}},
            },
        ],
    }


def deployment(config: dict[str, Any], name: str) -> dict[str, Any]:
    result: dict[str, Any] = next(d for d in config["airunway:deployments"] if d["name"] == name)
    return result


def kaito(config: dict[str, Any], spec: dict[str, Any]) -> None:
    config["airunway:providers"]["kaito"] = {"spec": spec}


def engine(config: dict[str, Any]) -> None:
    deployment(config, "chat")["engine"]["type"] = "sglang"


def priority(config: dict[str, Any]) -> None:
    rules = [
        {"condition": "spec.engine.type == 'vllm'", "priority": 95},
        {"condition": "spec.engine.type == 'llamacpp'", "priority": 100},
    ]
    kaito(config, {"selectionRules": rules})


def chart(config: dict[str, Any]) -> None:
    kaito(config, {"installation": {"helmCharts": [{"name": "kaito-workspace", "version": "0.13.0"}]}})


def removal(config: dict[str, Any]) -> None:
    config["airunway:deployments"].remove(deployment(config, "old"))


def rename(config: dict[str, Any]) -> None:
    deployment(config, "small")["name"] = "tiny"


def secret(config: dict[str, Any]) -> None:
    config["airunway:huggingFaceToken"]["secure"] = "v1:second"


def replicas(config: dict[str, Any]) -> None:
    deployment(config, "chat")["scaling"] = {"replicas": 3}


def threshold(config: dict[str, Any]) -> None:
    deployment(config, "chat")["resources"]["gpu"]["count"] = 2


def existing(config: dict[str, Any]) -> None:
    config["airunway:providers"]["dynamo"] = {"installation": "existing"}


def larger_model(config: dict[str, Any]) -> None:
    deployment(config, "chat")["model"]["id"] = "Qwen/Qwen3-14B"
    deployment(config, "chat")["resources"]["gpu"]["count"] = 2
    del config["airunway:providers"]


CHANGES: dict[str, Callable[[dict[str, Any]], None] | None] = {
    "engine": engine,
    "rule-priority": priority,
    "chart-version": chart,
    "removal": removal,
    "rename": rename,
    "secret": secret,
    "replicas": replicas,
    "gpu-threshold": threshold,
    "operator-existing": existing,
    "larger-model": larger_model,
    "new-stack": None,
}
"""What each does to the configuration; without anything, another stack is added."""


def write(root: Path, stack: str, config: dict[str, Any]) -> None:
    """Let the file of ``stack`` say this configuration."""
    (root / "stacks" / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}, sort_keys=False))
