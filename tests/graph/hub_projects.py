"""Projects with models of a hub, and a hub that has them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.serving import serving
from tests.command import run
from tests.graph.changes import write
from tests.graph.model_hub import FIRST, QWEN_CONFIG, ModelHub, model
from tests.graph.projects import copy_program

QWEN, LLAMA = "Qwen/Qwen3-0.6B", "meta-llama/Llama-3.3-70B-Instruct"


def config(*deployments: dict[str, Any], **settings: Any) -> dict[str, Any]:
    base = {"airunway:cluster": {"context": "prod"}, "airunway:deployments": list(deployments)}
    return base | {f"airunway:{key}": value for key, value in settings.items()}


def deployment(name: str, model_id: str, **model_fields: Any) -> dict[str, Any]:
    gpu = {"gpu": {"count": 1}}
    provider = {"name": "dynamo"}
    return {"name": name, "model": {"id": model_id, **model_fields}, "resources": gpu, "provider": provider}


@contextmanager
def small_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHub]:
    """The hub that the client asks, with two models."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serving(ModelHub()) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.models[QWEN, "main"] = model(FIRST, ("model.safetensors", 1_503_300_328), ("config.json", 726), BF16=9)
        server.configs[QWEN] = QWEN_CONFIG
        server.models[LLAMA, "main"] = model(
            FIRST, ("a.safetensors", 141_000_000_000), licence="llama3.3", gated="manual"
        )
        yield server


def two_stacks(root: Path) -> Path:
    """A project whose stacks serve both of its models."""
    copy_program(root)
    write(root, "prod", config(deployment("small", QWEN), deployment("large", LLAMA)))
    write(root, "dev", config(deployment("small", QWEN)))
    return root


def lock(monkeypatch: pytest.MonkeyPatch, project: Path, *arguments: str) -> int:
    return run(monkeypatch, "lock", "--only", "models", *arguments, "--cwd", str(project))
