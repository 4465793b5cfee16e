"""Unit (pure): who may reach a Ray cluster, and what its pods may do.

What the operator and Ray make of it was seen with KubeRay 1.7.0 and Ray 2.58.0.
"""

from typing import Any

import pytest

from airunway.planning.deployment import plan_entry
from airunway.text.merge import merge_patch
from providers.kuberay.security import authentication
from tests.unit.samples import GPU, TARGET

RAY: dict[str, Any] = {"name": "chat", "model": {"id": "org/model"}, "provider": {"name": "kuberay"}, **GPU}
TOKEN = {"authOptions": {"mode": "token"}}


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("rayproject/ray-llm:2.58.0-py312-cu130", "2.58.0"),
        ("registry.internal:5000/ray-llm:2.52.0", "2.52.0"),
        ("ray:v2.100.3", "2.100.3"),
        ("ray:3.0.0-cpu@sha256:" + "ab" * 32, "3.0.0"),
    ],
)
def test_a_ray_that_has_tokens_asks_for_one(image: str, release: str) -> None:
    assert authentication(image) == {"rayVersion": release} | TOKEN


@pytest.mark.parametrize(
    "image",
    [
        "ray:2.51.9",
        "ray:2.9.0-py312",
        "ray:1.99.0",
        "ray:nightly",
        "ray:latest",
        "ray",
        "localhost:5000/ray",
        "ray:2.58",
        "ray:2.58.0.1",
        "ray:2.58.0rc1",
        "ray:py2.58.0",
        "ray@sha256:" + "ab" * 32,
    ],
)
def test_a_ray_that_has_no_tokens_or_is_not_known_asks_for_none(image: str) -> None:
    """The operator would refuse the RayService."""
    assert authentication(image) == {}


def rendered(**entry: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The Ray cluster and the NetworkPolicy of a deployment."""
    objects = plan_entry(merge_patch(RAY, entry), TARGET).rendered
    (policy,) = [o for o in objects.supporting if o["kind"] == "NetworkPolicy"]
    cluster: dict[str, Any] = objects.resource["spec"]["rayClusterConfig"]
    return cluster, policy


def test_only_serve_and_metrics_are_open_to_all() -> None:
    cluster, policy = rendered()
    assert [rule.get("ports") for rule in policy["spec"]["ingress"] if "from" not in rule] == [
        [{"port": 8000, "protocol": "TCP"}, {"port": 8080, "protocol": "TCP"}]
    ]
    labels = policy["spec"]["podSelector"]["matchLabels"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert labels.items() <= (group["template"]["metadata"]["labels"] | {"ray.io/is-ray-node": "yes"}).items()


def test_the_operator_reaches_the_dashboard_from_its_own_namespace() -> None:
    _, policy = rendered()
    (rule,) = [r for r in policy["spec"]["ingress"] if "ports" in r and "from" in r]
    assert rule["ports"] == [{"port": 8265, "protocol": "TCP"}]
    assert rule["from"][0]["namespaceSelector"] == {}
    assert rule["from"][0]["podSelector"]["matchLabels"] == {"app.kubernetes.io/component": "kuberay-operator"}


def test_the_policy_is_where_the_pods_are() -> None:
    _, policy = rendered(namespace="team", name="other")
    assert (policy["metadata"]["namespace"], policy["metadata"]["name"]) == ("team", "other")


def test_pods_have_no_token_for_the_kubernetes_api() -> None:
    cluster, _ = rendered()
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert group["template"]["spec"]["automountServiceAccountToken"] is False


def test_a_head_whose_autoscaler_changes_the_cluster_keeps_its_token() -> None:
    cluster, _ = rendered(provider={"overrides": {"spec": {"rayClusterConfig": {"enableInTreeAutoscaling": True}}}})
    assert "automountServiceAccountToken" not in cluster["headGroupSpec"]["template"]["spec"]
    assert cluster["workerGroupSpecs"][0]["template"]["spec"]["automountServiceAccountToken"] is False


def test_ray_s_own_images_do_not_run_as_root_and_others_may() -> None:
    for image, expected in (
        ("", {"runAsNonRoot": True}),
        ("mirror.internal/rayproject/ray-llm:2.58.0-py312", {"runAsNonRoot": True}),
        ("own/ray:2.58.0", None),
    ):
        cluster, _ = rendered(**({"engine": {"image": image}} if image else {}))
        assert cluster["headGroupSpec"]["template"]["spec"].get("securityContext") == expected
