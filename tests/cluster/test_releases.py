"""Cluster (real engine, Helm inside the real provider, real kube-apiserver; charts of our own): operators' releases."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.apiserver import Cluster, running_cluster
from tests.cluster.charts import write_chart
from tests.cluster.engine import Engine
from tests.cluster.node import Node
from tests.cluster.operator import operator
from tests.cluster.stacks import Steps, failed, forget, settings, sweep
from tests.deployments import CPU
from tests.upstream_crds import crd_folder

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/workspaces.kaito.sh"
FOREIGN = "/apis/kaito.sh/v1beta1/namespaces/default/workspaces"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that knows no Workspaces yet, so that a chart may bring their definition."""
    with running_cluster(tmp_path_factory.mktemp("bare")) as running:
        running.send("DELETE", CRD)
        node = Node(running)
        yield running
        node.stop()


def managed(cluster: Cluster, chart: Path, namespace: str = "releases", **chart_settings: Any) -> dict[str, Any]:
    """Settings of a stack that installs KAITO from ``chart`` and serves one model with it."""
    release = {"name": "kaito-workspace", "chart": str(chart)} | chart_settings
    providers = {"kaito": {"spec": {"installation": {"helmCharts": [release]}}}}
    return settings(cluster, CPU, namespace=namespace, providers=providers)


def records(cluster: Cluster) -> list[str]:
    labels = [s["metadata"]["labels"] for s in cluster.items("/api/v1/namespaces/kaito-workspace/secrets")]
    return sorted(f"{label['version']} {label['status']}" for label in labels if label.get("owner") == "helm")


def deployment_uid(cluster: Cluster) -> str:
    return str(cluster.get("/apis/apps/v1/namespaces/kaito-workspace/deployments/kaito-workspace")["metadata"]["uid"])


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    return write_chart(tmp_path / "workspace", "workspace", "0.10.0")


def test_an_operator_whose_chart_holds_its_crds_stays_and_with_it_the_workspaces_of_others(
    bare: Cluster, engine: Engine, tmp_path: Path
) -> None:
    chart = write_chart(
        tmp_path / "workspace",
        "workspace",
        "0.10.0",
        [crd_folder() / "kaito-0.12.0" / "kaito.sh_workspaces.yaml"],
        "templates",
    )
    stack = engine.stack("crds", managed(bare, chart))
    with operator(bare, kinds=("Workspace",)):
        stack.up()
    theirs = {"apiVersion": "kaito.sh/v1beta1", "kind": "Workspace", "metadata": {"name": "theirs"}}
    bare.send(
        "POST",
        FOREIGN,
        theirs | {"resource": {"labelSelector": {"matchLabels": {"a": "b"}}}, "inference": {"template": {}}},
    )
    uid, operator_uid = bare.get(f"{FOREIGN}/theirs")["metadata"]["uid"], deployment_uid(bare)
    stack.destroy()
    assert bare.get(CRD) is not None
    assert bare.get(f"{FOREIGN}/theirs")["metadata"]["uid"] == uid
    with operator(bare, kinds=("Workspace",)):
        stack.up()
        assert (stack.up().summary.resource_changes or {}).keys() == {"same"}
    assert deployment_uid(bare) == operator_uid, "the operator that was left is taken over"
    stack.destroy()
    sweep(bare)


def test_a_release_that_the_state_has_lost_is_taken_over_without_anything_restarted(
    cluster: Cluster, engine: Engine, chart: Path
) -> None:
    stack = engine.stack("lost", managed(cluster, chart))
    with operator(cluster):
        stack.up()
        uid = deployment_uid(cluster)
        forget(stack, "Release")
        steps = Steps()
        stack.up(on_event=steps)
        assert ("create", "Release", "kaito-workspace") in steps.changes()
        assert any("it is taken over" in message for message in steps.messages)
        assert (stack.up().summary.resource_changes or {}).keys() == {"same"}
    assert deployment_uid(cluster) == uid
    assert records(cluster) == ["1 deployed"]
    stack.destroy()


@pytest.mark.parametrize("status", ["pending-install", "failed", "uninstalling"])
def test_a_release_that_was_cut_off_is_installed_over(
    cluster: Cluster, engine: Engine, chart: Path, status: str
) -> None:
    stack = engine.stack("cut", managed(cluster, chart))
    with operator(cluster):
        stack.up()
        mark(cluster, status)
        forget(stack, "Release")
        stack.up()
    assert records(cluster) == ["1 deployed"]
    stack.destroy()


def test_an_upgrade_that_was_cut_off_goes_on(cluster: Cluster, engine: Engine, tmp_path: Path, chart: Path) -> None:
    with operator(cluster):
        engine.stack("upgrade", managed(cluster, chart)).up()
        newer = managed(cluster, chart, values={"replicas": 2})
        stack = engine.stack("upgrade", newer)
        state = stack.export_stack()
        stack.up()
        assert records(cluster) == ["1 superseded", "2 deployed"]
        mark(cluster, "pending-upgrade", revision=2)
        stack.import_stack(state)  # what the killed update left: the state of before
        steps = Steps()
        stack.up(on_event=steps)
        assert ("update", "Release", "kaito-workspace") in steps.changes()
        assert (stack.up().summary.resource_changes or {}).keys() == {"same"}
    assert records(cluster)[-1] == "2 deployed"
    stack.destroy()


def test_somebody_else_s_release_is_left_alone_and_both_ways_out_work(
    cluster: Cluster, engine: Engine, chart: Path
) -> None:
    first = engine.stack("theirs", managed(cluster, chart, values={"replicas": 2}))
    with operator(cluster):
        first.up()
        uid = deployment_uid(cluster)
        stack = engine.stack("ours", managed(cluster, chart, namespace="ours"))
        text = failed(stack.up).text
        assert "already exists (deployed) with different values" in text
        assert "kubectl delete secret -n kaito-workspace -l owner=helm,name=kaito-workspace" in text
        assert "installation: existing" in text
        assert records(cluster) == ["1 deployed"]
        cluster.send("DELETE", "/api/v1/namespaces/kaito-workspace/secrets/sh.helm.release.v1.kaito-workspace.v1")
        stack.up()
    assert deployment_uid(cluster) == uid
    stack.destroy()


def mark(cluster: Cluster, status: str, revision: int = 1) -> None:
    """Give the release the status in which Helm leaves it when it is killed; the record itself says so too."""
    path = f"/api/v1/namespaces/kaito-workspace/secrets/sh.helm.release.v1.kaito-workspace.v{revision}"
    secret = cluster.get(path)
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    release["info"]["status"] = status
    text = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    secret["data"]["release"] = text
    secret["metadata"]["labels"]["status"] = status
    cluster.send("PUT", path, secret)
