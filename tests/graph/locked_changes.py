"""The stack with node pools, whose models are locked, and changes of it and of its lock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from airunway.assessment.model_lock import LOCK_FILE
from tests.graph.changes import deployment

LARGE, SMALL = "meta-llama/Llama-3.3-70B-Instruct", "Qwen/Qwen3-0.6B"


ARCHITECTURE = {
    "type": "llama",
    "context": 131_072,
    "attentionHeads": 64,
    "keyValueHeads": 8,
    "headDim": 128,
    "fullLayers": 80,
}
"""That of Llama 3.3 70B."""


def lock() -> dict[str, Any]:
    """The locked models before a change, with their weights as the hub shows them."""
    return {
        LARGE: locked("a1" * 20, 141_107_412_992, BF16=70_553_706_496) | {"architecture": ARCHITECTURE},
        SMALL: locked("c3" * 20, 1_503_300_328, BF16=751_632_384),
    }


def locked(commit: str, size: int, **weights: int) -> dict[str, Any]:
    return {"revision": commit, "weights": weights, "files": [{"path": "model.safetensors", "bytes": size}]}


def write_lock(root: Path, models: dict[str, Any], images: dict[str, str] | None = None) -> None:
    """Let the lock of a project say this; without models there is none."""
    path = root / LOCK_FILE
    path.unlink(missing_ok=True)
    if models:
        path.write_text(yaml.safe_dump({"models": models} | ({"images": images} if images else {}), sort_keys=False))


def too_few_gpus(config: dict[str, Any], models: dict[str, Any]) -> None:
    deployment(config, "large")["resources"]["gpu"]["count"] = 1


def model_moved(config: dict[str, Any], models: dict[str, Any]) -> None:
    models[SMALL] = locked("d4" * 20, 2_703_300_328, BF16=1_351_632_384)


def model_grew_too_large(config: dict[str, Any], models: dict[str, Any]) -> None:
    models[SMALL] = locked("d4" * 20, 61_100_000_000, BF16=30_532_122_624)


def context_that_does_not_fit(config: dict[str, Any], models: dict[str, Any]) -> None:
    deployment(config, "large")["resources"]["gpu"]["count"] = 2


def nothing_else(config: dict[str, Any], models: dict[str, Any]) -> None:
    """The images alone are others."""


LOCKED_CHANGES: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "locked-too-few-gpus": too_few_gpus,
    "locked-model-moved": model_moved,
    "locked-model-moved-though-none-may": model_moved,
    "locked-model-grew-too-large": model_grew_too_large,
    "locked-context-does-not-fit": context_that_does_not_fit,
    "locked-image-moved": nothing_else,
    "locked-first-images": nothing_else,
}
"""What each does to the configuration and to the locked models."""

LOCKED_SETTINGS = {"locked-model-moved-though-none-may": {"airunway:modelMoves": "mandatory"}}
"""What the stack says, before a change and after it, beside what it says for all."""

_WORKER = "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1"
_RUNNER = "ghcr.io/kaito-project/aikit/runners/llama-cpp-cpu:v0.21.0"
_IMAGES = {_RUNNER: "sha256:" + "e5" * 32, _WORKER: "sha256:" + "f6" * 32}
LOCKED_IMAGES: dict[str, tuple[dict[str, str] | None, dict[str, str] | None]] = {
    "locked-image-moved": (_IMAGES, _IMAGES | {_WORKER: "sha256:" + "07" * 32}),
    "locked-first-images": (None, _IMAGES),
}
"""Digests in the lock, before a change and after it; there are none in that of the other changes."""
