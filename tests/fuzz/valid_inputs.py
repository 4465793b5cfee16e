"""Valid inputs of every kind, from which bad ones are made."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.deployments import BUILT, CPU, GPU, RAY

ROOT = Path(__file__).parents[2]
CLOSED = "http://127.0.0.1:1"
KUBECONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "x",
    "clusters": [
        {
            "name": "c",
            "cluster": {
                "server": CLOSED,
                "tls-server-name": "a",
                "certificate-authority-data": "YQ==",
                "proxy-url": CLOSED,
            },
        }
    ],
    "users": [
        {
            "name": "u",
            "user": {
                "token": "t",
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "command": "true",
                    "interactiveMode": "Never",
                    "args": ["a"],
                },
            },
        },
        {
            "name": "v",
            "user": {"client-certificate-data": "YQ==", "client-key-data": "YQ==", "as": "a", "tokenFile": "t"},
        },
    ],
    "contexts": [
        {"name": "x", "context": {"cluster": "c", "user": "u"}},
        {"name": "y", "context": {"cluster": "c", "user": "v"}},
    ],
}
DOCUMENT: dict[str, Any] = {
    "apiVersion": "airunway.ai/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "doc", "namespace": "ml", "labels": {"a": "b"}, "annotations": {"a": "b"}},
    "spec": {
        "model": {"id": "org/m"},
        "engine": {"type": "vllm", "args": {"a": "b"}},
        "resources": {"gpu": {"count": 1}},
    },
}
FULL: dict[str, Any] = GPU | {
    "name": "full",
    "namespace": "ml",
    "model": {
        "id": "org/m",
        "revision": "main",
        "servedName": "m",
        "storage": {"volumes": [{"name": "w", "purpose": "modelCache", "size": "1Gi"}]},
    },
    "engine": {
        "type": "vllm",
        "contextLength": 4096,
        "args": {"seed": "1"},
        "extraArgs": ["--swap-space=1"],
        "image": "a/b:c",
    },
    "scaling": {"replicas": 1},
    "env": [{"name": "A", "value": "b"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    "podTemplate": {"metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoSchedule"}],
    "provider": {"name": "dynamo", "overrides": {"spec": {"env": [{"name": "C", "value": "d"}]}}},
    "readyTimeout": "5m",
    "labels": {"a": "b"},
}
SETTINGS: dict[str, Any] = {
    "cluster": {"context": "x", "kubeconfig": json.dumps(KUBECONFIG)},
    "namespace": "models",
    "deployments": [CPU, RAY, BUILT, FULL],
    "deploymentFiles": ["deployments.yaml"],
    "manifests": ["manifest.yaml"],
    "providerFiles": ["provider.yaml"],
    "registry": {"managed": {"nodeCidrs": ["172.18.0.0/16"], "storage": "20Gi"}},
    "providers": {"kaito": {"installation": "existing"}, "dynamo": {"spec": {"images": {"vllm": "a/b:c"}}}},
    "allowed": {"overrides": ["hostPath"], "namespaces": ["ray-system"]},
    "readyTimeout": "1h",
}


LOCK = {
    "images": {"org/image:1": "sha256:" + "cd" * 32},
    "models": {
        "org/m": {
            "revision": "ab" * 20,
            "license": "mit",
            "gated": True,
            "weights": {"BF16": 1_000_000},
            "architecture": {
                "type": "llama",
                "context": 131_072,
                "attentionHeads": 32,
                "keyValueHeads": 8,
                "headDim": 128,
                "fullLayers": 24,
                "slidingLayers": 8,
                "slidingWindow": 4096,
            },
            "files": [{"path": "a.safetensors", "bytes": 10, "sha256": "cd" * 32}],
        }
    },
}
POOLS = [
    {
        "name": "pool",
        "nodes": 9,
        "gpu": {"product": "NVIDIA-L4", "count": 8},
        "labels": {"a": "b"},
        "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}],
        "cpu": "64",
        "memory": "512Gi",
        "pricePerHour": 1.5,
    }
]
POLICIES = [
    {"name": "own", "expression": "deployment.gpus < 9", "message": "m", "severity": "advisory"},
    {"name": "all", "scope": "stack", "expression": "stack.gpus < 99", "message": "m"},
]
CASES = [
    {"policy": "own", "about": "x", "deployment": FULL, "violated": False, "lock": LOCK["models"]},
    {"policy": "all", "deployments": [CPU], "violated": False, "settings": {"nodePools": POOLS}},
]


@cache
def shipped_stacks() -> tuple[Any, ...]:
    return tuple(yaml.safe_load(path.read_text()) for path in sorted((ROOT / "stacks").glob("Pulumi.*.yaml")))


@cache
def bad_stacks() -> tuple[dict[str, Any], ...]:
    cases = yaml.safe_load((ROOT / "tests" / "unit" / "bad_stacks.yaml").read_text())
    return tuple(
        case.get("settings", {}) | ({"deployments": [CPU | case["deployment"]]} if "deployment" in case else {})
        for case in cases
    )


@cache
def provider_document() -> Any:
    return yaml.safe_load((ROOT / "providers" / "kaito" / "config.yaml").read_text())


@cache
def preview_document() -> Any:
    """A preview as ``preview --format json`` saves it, with an assessment and a locked model."""
    from airunway.program.record import record
    from airunway.program.stack_file import read_stack
    from airunway.report.preview_document import preview_document

    document = json.loads(json.dumps(preview_document(record(ROOT, read_stack(ROOT, "prod")))))
    count, cost = {"least": 1, "most": 2}, {"least": 1.5, "most": 3.0}
    pool = {"name": "pool", "product": "NVIDIA-L4", "gpus": count, "asked": 1, "askedByOthers": 0}
    finding = {"concern": "fit", "severity": "advisory", "deployment": "a", "message": "m"}
    document["deployments"][0] |= {
        "assessment": {"gpus": [count | {"kind": "NVIDIA-L4"}], "pools": {"pool": 2}, "cost": cost},
        "model": {"id": "org/m", "revision": "ab" * 20, "bytes": 10},
    }
    return document | {
        "assessment": {"pools": [pool], "cost": cost, "currency": "$", "findings": [finding]},
    }


def stack_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"config": {f"airunway:{key}": value for key, value in settings.items()}}


def valid_files() -> dict[str, bytes]:
    """A project all of whose files are valid."""
    return {
        "Pulumi.yaml": (ROOT / "Pulumi.yaml").read_bytes(),
        "__main__.py": (ROOT / "__main__.py").read_bytes(),
        "stacks/Pulumi.own.yaml": json.dumps(stack_of(SETTINGS)).encode(),
        "deployments.yaml": yaml.safe_dump([GPU | {"name": "filed"}]).encode(),
        "manifest.yaml": yaml.safe_dump(DOCUMENT).encode(),
        "provider.yaml": yaml.safe_dump(provider_document()).encode(),
        "kubeconfig": yaml.safe_dump(KUBECONFIG).encode(),
        "policies.yaml": yaml.safe_dump(POLICIES).encode(),
        "t": b"token",
    }


STACK_COMMANDS: tuple[list[str], ...] = (
    *(["preview"], ["preview"], ["preview"], ["preview", "--format", "json"], ["preview", "--format", "html"]),
    *(
        ["preview", "--format", "markdown"],
        ["preview", "--format", "mermaid"],
        ["explain", "full"],
        ["explain", "cpu", "--format", "json"],
    ),
    *(
        ["render", "--output", "out"],
        ["providers"],
        ["rbac"],
        ["endpoint", "cpu"],
        ["diff", "--against", "saved.json"],
        ["status"],
    ),
    *(
        ["wait", "--timeout", "0s"],
        ["import"],
        ["chat", "cpu", "hi", "--url", f"{CLOSED}/v1"],
        ["endpoint", "cpu", "--port-forward"],
    ),
)
