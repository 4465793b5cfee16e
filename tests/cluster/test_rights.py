"""Tier 6 (real engine, real kube-apiserver with RBAC): a service account with just the generated rights runs a whole stack."""

from typing import Any

import pytest
import yaml
from pulumi import automation as auto

from cli.previews import show_rbac
from tests.cluster.apiserver import Cluster
from tests.cluster.engine import ROOT, Engine
from tests.cluster.operator import operator
from tests.cluster.stacks import CPU, GPU, RAY, settings

PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
}


def applied(cluster: Cluster, objects: list[Any]) -> None:
    for obj in objects:
        path = PATHS[obj["kind"]].format(namespace=obj["metadata"].get("namespace", "")) + f"/{obj['metadata']['name']}"
        cluster.send("PATCH", f"{path}?fieldManager=admin&force=true", obj, "application/apply-patch+yaml")


def test_the_generated_rights_are_enough_for_a_stack_s_whole_life_and_no_more(
    cluster: Cluster, engine: Engine, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    built = {"name": "built", "model": {"id": "org/gguf", "gguf": {"file": "m-Q4_0.gguf", "build": True}}}
    preset = GPU | {"name": "preset", "provider": {"name": "kaito"}, "engine": {"contextLength": 4096}}
    values = settings(cluster, CPU, GPU, RAY, built, preset, namespace="rights", registry={"managed": {"nodeCidrs": ["10.0.0.0/16"]}})
    (tmp_path / "stacks").mkdir()
    for name in ("Pulumi.yaml", "__main__.py"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    config = {f"airunway:{k}": v for k, v in values.items()} | {"airunway:huggingFaceToken": {"secure": "x"}}
    (tmp_path / "stacks" / "Pulumi.rights.yaml").write_text(yaml.safe_dump({"config": config}))
    show_rbac(tmp_path, "rights", ("ci", "deployer"))
    objects = [o for o in yaml.safe_load_all(capsys.readouterr().out) if o["kind"] != "ServiceAccount"]
    applied(cluster, objects)

    limited = {"cluster": {"kubeconfig": str(cluster.kubeconfig(cluster.token_for("ci", "deployer")))}}
    stack = engine.stack("rights", values | limited, {"huggingFaceToken": "hf_rights"})
    with operator(cluster):
        stack.up()
        assert set(stack.up().summary.resource_changes or {}) == {"same"}
        elsewhere = engine.stack("elsewhere", settings(cluster, CPU, namespace="elsewhere") | limited)
        with pytest.raises(auto.CommandError, match="forbidden"):
            elsewhere.up()
    stack.refresh()
    stack.destroy()
