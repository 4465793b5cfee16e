"""Unit (pure): the controller's settings: installed from upstream's manifests, which of their objects come first,
and what is refused.
"""

from typing import Any

import pytest

from airunway.planning.files import Unreadable
from tests.unit.controller_stacks import refused, stack

MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: airunway-system}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: modeldeployments.airunway.ai}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: controller, namespace: airunway-system}
"""
MANAGED = {"controller": {"installation": "managed", "manifests": ["controller.yaml"]}}


def test_a_managed_controller_is_made_from_its_manifests_definitions_first() -> None:
    controller = stack({}, files={"controller.yaml": MANIFEST}, **MANAGED).controller
    assert controller is not None
    assert [o["kind"] for o in controller.foundation] == ["Namespace", "CustomResourceDefinition"]
    assert [o["kind"] for o in controller.objects] == ["Deployment"]
    assert sorted(c["metadata"]["name"] for c in controller.configs) == ["dynamo", "kaito", "kuberay", "vllm"]


def test_a_namespace_that_the_stack_makes_anyway_is_made_once() -> None:
    controller = stack(
        {},
        files={"controller.yaml": MANIFEST},
        namespace="airunway-system",
        allowed={"namespaces": ["airunway-system"]},
        **MANAGED,
    ).controller
    assert controller is not None
    assert [o["kind"] for o in controller.foundation] == ["CustomResourceDefinition"]


def test_a_key_of_an_object_may_be_a_number() -> None:
    text = (
        f"{MANIFEST}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: b}}\ndata: {{1: x}}\n2: y\n"
    )
    controller = stack({}, files={"controller.yaml": text}, **MANAGED).controller
    assert controller is not None
    assert controller.objects[-1] | {"metadata": None} == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": None,
        "data": {"1": "x"},
        "2": "y",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", "controller.yaml: not YAML"),
        ("", "controller.yaml: contains no objects"),
        ("kind: Pod", "controller.yaml[0]: must be an object with apiVersion, kind and metadata.name"),
        (
            MANIFEST.replace("{name: airunway-system}", "{name: [a]}"),
            "controller.yaml[0]: metadata.name: ['a'] given, must be",
        ),
        (MANIFEST.replace("kind: Deployment", "kind: 1"), "controller.yaml[2]: kind: 1 given, must be a string"),
        (
            MANIFEST.replace("namespace: airunway-system", "namespace: {a: b}"),
            "[2]: metadata.namespace: {'a': 'b'} given",
        ),
        (Unreadable("can't be read: no"), "controller.manifests[0]: controller.yaml can't be read: no"),
    ],
)
def test_bad_manifests_are_refused_with_their_place(text: Any, expected: str) -> None:
    assert expected in refused({}, files={"controller.yaml": text}, **MANAGED)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"controller": {"installation": "managed"}}, "installation: managed and manifests go together"),
        ({"controller": {"manifests": ["x.yaml"]}}, "installation: managed and manifests go together"),
        ({"controller": {"apiGroup": "example.com"}}, "controller.apiGroup"),
        ({"delivery": "helm"}, "delivery"),
    ],
)
def test_bad_settings_are_refused_with_their_path(settings: Any, expected: str) -> None:
    assert expected in refused({}, **settings)
