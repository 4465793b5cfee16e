"""Cluster (real engine, provider and kube-apiserver; a stand-in binds claims): what becomes of the volumes of registry
and builder.
"""

from typing import Any

import pytest

from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.operator import operator
from tests.cluster.stacks import Steps, failed, settings
from tests.deployments import BUILT

CLAIMS = "/api/v1/namespaces/airunway-system/persistentvolumeclaims"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


@pytest.fixture(autouse=True)
def _class_that_grows(cluster: Cluster) -> None:
    for name in ("grows", "other"):
        if not cluster.get(f"{CLASSES}/{name}"):
            body = {"metadata": {"name": name}, "provisioner": "test", "allowVolumeExpansion": True}
            cluster.send("POST", CLASSES, {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"} | body)


def volumes(cluster: Cluster, registry: dict[str, Any], builder: dict[str, Any]) -> dict[str, Any]:
    managed = {"nodeCidrs": ["10.0.0.0/16"], "storageClass": "grows", "storage": "50Gi"} | registry
    remaining = {k: v for k, v in managed.items() if v is not None}
    return settings(
        cluster,
        BUILT,
        namespace="volumes",
        registry={"managed": remaining},
        builder={"storageClass": "grows"} | builder,
    )


def claim(cluster: Cluster, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = cluster.get(f"{CLAIMS}/{name}")["spec"]
    return spec


@pytest.mark.parametrize(
    ("registry", "builder", "text"),
    [
        ({"storageClass": "other"}, {}, "registry.managed.storageClass: 'other' given, but the volume has 'grows'"),
        ({"storage": "40Gi"}, {}, "registry.managed.storage: '40Gi' given, but the volume has 50Gi"),
        ({}, {"storageClass": "other"}, "builder.storageClass: 'other' given, but the volume has 'grows'"),
        ({}, {"storage": "1Gi"}, "builder.storage: '1Gi' given, but the volume has 100Gi"),
    ],
)
def test_what_no_volume_can_become_is_refused_by_the_preview_with_the_way_out(
    cluster: Cluster, engine: Engine, registry: dict[str, Any], builder: dict[str, Any], text: str
) -> None:
    with operator(cluster):
        engine.stack("volumes", volumes(cluster, {}, {})).up()
        stack = engine.stack("volumes", volumes(cluster, registry, builder))
        shown = failed(stack.preview).text
        assert text in shown
        assert "kubectl delete -n airunway-system deployment/airunway-" in shown
        assert "Traceback" not in shown
        stack.destroy()


def test_a_volume_grows_in_place_and_a_class_that_is_left_out_stays(cluster: Cluster, engine: Engine) -> None:
    with operator(cluster):
        engine.stack("grow", volumes(cluster, {}, {})).up()
        uid = cluster.get(f"{CLAIMS}/airunway-registry")["metadata"]["uid"]
        steps = Steps()
        stack = engine.stack("grow", volumes(cluster, {"storage": "60Gi", "storageClass": None}, {}))
        stack.up(on_event=steps)
        assert steps.changes() == [("update", "PersistentVolumeClaim", "airunway-registry-persistentvolumeclaim")]
        result = claim(cluster, "airunway-registry")
        assert (result["resources"]["requests"]["storage"], result["storageClassName"]) == ("60Gi", "grows")
        assert cluster.get(f"{CLAIMS}/airunway-registry")["metadata"]["uid"] == uid
        assert (stack.up().summary.resource_changes or {}).keys() == {"same"}
        stack.destroy()


def test_a_volume_that_was_kept_is_taken_over_and_grows(cluster: Cluster, engine: Engine) -> None:
    with operator(cluster):
        engine.stack("remaining", volumes(cluster, {}, {})).up()
        engine.stack("remaining", volumes(cluster, {}, {})).destroy()
        assert claim(cluster, "airunway-registry")
        stack = engine.stack("remaining", volumes(cluster, {"storage": "70Gi"}, {}))
        stack.up()
        assert claim(cluster, "airunway-registry")["resources"]["requests"]["storage"] == "70Gi"
        stack.destroy()


def test_the_way_out_makes_the_volume_anew(cluster: Cluster, engine: Engine) -> None:
    with operator(cluster):
        engine.stack("anew", volumes(cluster, {}, {})).up()
        for path in (
            "/apis/apps/v1/namespaces/airunway-system/deployments/airunway-registry",
            f"{CLAIMS}/airunway-registry",
        ):
            cluster.send("DELETE", path)
        jobs = "/apis/batch/v1/namespaces/airunway-system/jobs"
        cluster.send("DELETE", f"{jobs}?labelSelector=app=image-build&propagationPolicy=Background")
        stack = engine.stack("anew", volumes(cluster, {"storageClass": "other", "storage": "10Gi"}, {}))
        stack.refresh()
        stack.up()
        assert claim(cluster, "airunway-registry")["storageClassName"] == "other"
        stack.destroy()
