"""Cluster (real kube-apiserver with its Pod Security admission, engine and provider): pods meet the level that their
namespace has.
"""

from typing import Any

import pytest

from airunway.planning.files import Files
from airunway.planning.namespaces import deployment_namespace
from airunway.planning.plan import parse_settings, plan_stack
from providers import PROVIDERS
from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.operator import operator
from tests.cluster.stacks import Steps, settings
from tests.deployments import CPU, GPU, RAY

ENTRIES = {
    "kaito": CPU,
    "kuberay": RAY,
    "dynamo": GPU | {"name": "graph", "provider": {"name": "dynamo"}},
    "vllm": GPU | {"name": "plain", "provider": {"name": "vllm"}},
}
VLLM = {"vllm": {"enabled": True}}
"""Off unless a stack turns it on."""


def pod_specs(value: Any) -> list[dict[str, Any]]:
    """Every pod spec in an object."""
    if isinstance(value, list):
        return [spec for element in value for spec in pod_specs(element)]
    if not isinstance(value, dict):
        return []
    own = [value] if isinstance(value.get("containers"), list) else []
    return own + [spec for inner in value.values() for spec in pod_specs(inner)]


def answer(cluster: Cluster, namespace: str, spec: dict[str, Any]) -> tuple[int, str]:
    """What the API server says to a pod, which it does not create."""
    containers = [{"image": "operator/chooses:it", **container} for container in spec["containers"]]
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried"}, "spec": spec | {"containers": containers}}
    made = cluster.session.post(f"{cluster.url}/api/v1/namespaces/{namespace}/pods?dryRun=All", json=body, timeout=30)
    return made.status_code, made.text


@pytest.fixture
def enforcing(cluster: Cluster) -> str:
    """A namespace as a stack makes it with ``podSecurity: baseline``."""
    raw = {"cluster": {"context": "x"}, "namespace": "enforced", "podSecurity": "baseline", "deployments": [CPU]}
    manifest = deployment_namespace("enforced", parse_settings(raw))
    if not cluster.get("/api/v1/namespaces/enforced"):
        cluster.send("POST", "/api/v1/namespaces", manifest)
    return "enforced"


@pytest.mark.parametrize("provider", ENTRIES)
def test_the_pods_of_every_provider_are_let_in_at_baseline(cluster: Cluster, enforcing: str, provider: str) -> None:
    raw = {"cluster": {"context": "x"}, "namespace": enforcing, "providers": VLLM, "deployments": [ENTRIES[provider]]}
    (deployment,) = plan_stack(parse_settings(raw | {"podSecurity": "baseline"}), Files(), PROVIDERS).deployments
    assert deployment.request.selection.provider == provider
    specs = pod_specs(deployment.rendered.resource)
    assert specs
    for spec in specs:
        status, text = answer(cluster, enforcing, spec)
        assert status == 201, text


def test_a_pod_below_the_level_is_refused(cluster: Cluster, enforcing: str) -> None:
    status, text = answer(cluster, enforcing, {"hostNetwork": True, "containers": [{"name": "a", "image": "x"}]})
    assert status == 403
    assert "host namespaces (hostNetwork=true)" in text


def test_a_stack_s_namespace_warns_of_baseline_and_enforces_what_the_stack_says(
    cluster: Cluster, engine: Engine
) -> None:
    def labels() -> dict[str, str]:
        found: dict[str, str] = cluster.get("/api/v1/namespaces/levels")["metadata"]["labels"]
        return {k.split("/")[1]: v for k, v in found.items() if k.startswith("pod-security.")}

    with operator(cluster):
        stack = engine.stack("levels", settings(cluster, ENTRIES["dynamo"], namespace="levels"))
        stack.up()
        assert labels() == {"audit": "baseline", "warn": "baseline"}
        stack = engine.stack(
            "levels", settings(cluster, ENTRIES["dynamo"], namespace="levels", podSecurity="restricted")
        )
        steps = Steps()
        stack.up(on_event=steps)
        assert steps.changes() == [("update", "Namespace", "levels")]
        assert labels() == {"audit": "restricted", "enforce": "restricted", "warn": "restricted"}
        stack.destroy()
