"""Cluster (real kube-apiserver; nodes made by hand): `airunway nodes` writes a cluster's node pools, and previews use
them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.apiserver import Cluster
from tests.command import airunway
from tests.graph.projects import copy_program, write_stack

PRODUCT = "NVIDIA-L4"


@pytest.fixture
def nodes(cluster: Cluster) -> Iterator[None]:
    labels = {"cloud.google.com/gke-nodepool": "l4", "nvidia.com/gpu.product": PRODUCT, "nvidia.com/gpu.count": "2"}
    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    names = [f"gpu-{index}" for index in range(3)]
    for name in names:
        node: dict[str, Any] = {"metadata": {"name": name, "labels": labels}, "spec": {"taints": [taint]}}
        cluster.send("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", **node})
        amounts = {"cpu": "15890m", "memory": "63Gi", "nvidia.com/gpu": "2"}
        status = {"status": {"allocatable": amounts, "capacity": amounts}}
        cluster.send("PATCH", f"/api/v1/nodes/{name}/status", status, "application/merge-patch+json")
    yield
    for name in names:
        cluster.session.delete(f"{cluster.url}/api/v1/nodes/{name}", timeout=30)


def project(cluster: Cluster, folder: Path, **settings: Any) -> Path:
    write_stack(copy_program(folder), cluster={"kubeconfig": str(cluster.kubeconfig())}, **settings)
    return folder


@pytest.mark.usefixtures("nodes")
def test_a_cluster_s_pools_are_written_and_say_where_a_model_has_no_place(cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "pools.yaml"
    done = airunway(project(cluster, tmp_path), "nodes", "--stack", "own", "--write", str(file))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "pools" in done.stderr
    (pool,) = [pool for pool in yaml.safe_load(file.read_text()) if pool["name"] == "l4"]
    assert (pool["nodes"], pool["gpu"], pool["cpu"]) == (3, {"product": PRODUCT, "count": 2}, "15890m")
    file.write_text(file.read_text().replace("  nodes: 3", "  nodes: 3\n  pricePerHour: 1.5"))
    again = airunway(tmp_path, "nodes", "--stack", "own", "--write", str(file))
    assert again.returncode == 0, again.stderr
    assert "pricePerHour: 1.5" in file.read_text()
    toleration = {"key": "nvidia.com/gpu", "operator": "Exists"}
    model = {"name": "chat", "model": {"id": "org/m"}, "resources": {"gpu": {"count": 2}}}
    deployments = [model | {"tolerations": [toleration]}, model | {"name": "other"}]
    project(cluster, tmp_path, nodePoolFiles=["pools.yaml"], deployments=deployments)
    preview = airunway(tmp_path, "preview", "--stack", "own", "--format", "json")
    assert preview.returncode == 1
    document = json.loads(preview.stdout)
    assert document["deployments"][0]["assessment"]["pools"] == {"l4": 2}
    assert document["deployments"][0]["assessment"]["cost"] == {"least": 1095.0, "most": 1095.0}
    (finding,) = document["assessment"]["findings"]
    assert (finding["deployment"], finding["severity"]) == ("other", "mandatory")
    assert "l4 has the taint nvidia.com/gpu=present:NoSchedule, which is not tolerated" in finding["message"]
