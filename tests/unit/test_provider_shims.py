"""Unit (pure): what the provider shims of the cluster's controller drop of a ModelDeployment or do with it is told
by field.
"""

from typing import Any

import pytest

from tests.unit.controller_stacks import stack
from tests.unit.samples import GPU

LLAMA_CPP: dict[str, Any] = {"type": "llamacpp"}
PRESET = {"provider": {"name": "kaito"}, "model": {"id": "phi-4-mini-instruct"}, **GPU}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"env": [{"name": "A", "value": "b"}], **GPU}, "env: the controller's dynamo shim drops it"),
        (
            {"engine": {"type": "llamacpp"}, **GPU},
            "resources.gpu: the controller's kaito shim asks for no GPU in the container",
        ),
        ({"scaling": {"replicas": 2}}, "scaling.replicas: the controller's kaito shim makes resource.count of it"),
        ({"provider": {"name": "kuberay"}, **GPU}, "serve configuration that Ray cannot import"),
        ({"scaling": {"replicas": 0}, **GPU}, "scaling.replicas: the controller loses the value 0"),
        ({"engine": LLAMA_CPP | {"contextLength": 4096}}, "engine.contextLength: the controller's kaito shim drops it"),
        ({"engine": LLAMA_CPP | {"args": {"threads": "4"}}}, "engine.args: the controller's kaito shim drops it"),
        ({"engine": LLAMA_CPP | {"extraArgs": ["--mlock"]}}, "engine.extraArgs: the controller's kaito shim drops it"),
        ({"tolerations": [{"operator": "Exists"}]}, "tolerations: the controller's kaito shim drops it"),
        (
            {"podTemplate": {"metadata": {"labels": {"a": "b"}}}},
            "podTemplate.metadata.labels: the controller's kaito shim puts them on the Workspace, not on its pods",
        ),
        (
            {"podTemplate": {"metadata": {"annotations": {"a": "b"}}}},
            "podTemplate.metadata.annotations: the controller's kaito shim puts them on the Workspace",
        ),
        (
            {
                "env": [
                    {"name": "A", "value": "b"},
                    {"name": "F", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ]
            },
            "env[].valueFrom.fieldRef: the controller's kaito shim leaves the variable without a value",
        ),
        (PRESET, "resources.gpu: the controller's kaito shim only selects nodes with nvidia.com/gpu.present"),
        (PRESET | {"env": [{"name": "A", "value": "b"}]}, "env: the controller's kaito shim drops it"),
        ({"provider": {"name": "kuberay"}, **GPU}, "overwrite each other's workerGroupSpecs for ever"),
        (
            {"engine": {"enablePrefixCaching": False}, **GPU},
            "engine.enablePrefixCaching: the controller loses the value false",
        ),
    ],
)
def test_what_the_shims_do_not_do_is_told_by_field(fields: Any, expected: str) -> None:
    assert any(expected in w for w in stack(fields).warnings)


def test_what_the_shim_of_kaito_does_is_not_told() -> None:
    secret = {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    environment = [{"name": "A", "value": "b"}, {"name": "B", **secret}]
    reported = stack(
        {"env": environment, "resources": {"cpu": "4", "memory": "8Gi"}, "nodeSelector": {"a": "b"}}
    ).warnings
    assert not any("shim" in warning for warning in reported)


def test_one_replica_is_what_the_shim_of_kaito_does() -> None:
    assert not any("scaling.replicas" in w for w in stack({"scaling": {"replicas": 1}}).warnings)
