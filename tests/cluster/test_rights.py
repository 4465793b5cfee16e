"""Cluster (real engine, provider, Helm and kube-apiserver with RBAC; charts, operators and node stood in for): an
account with just the generated rights runs a stack for its whole life, and does nothing else."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation as auto

from airunway.live.api_server.resource_names import table
from airunway.report.rights import Kinds
from tests.cluster.apiserver import Cluster
from tests.cluster.charts import OPERATOR, local_charts
from tests.cluster.controller import definition
from tests.cluster.engine import Engine, shipped
from tests.cluster.operator import operator
from tests.cluster.stacks import Steps, settings, until
from tests.cluster.tools import program
from tests.deployments import CPU, GPU, RAY

RBAC = "/apis/rbac.authorization.k8s.io/v1"
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ClusterRole": f"{RBAC}/clusterroles",
    "ClusterRoleBinding": f"{RBAC}/clusterrolebindings",
    "Role": RBAC + "/namespaces/{namespace}/roles",
    "RoleBinding": RBAC + "/namespaces/{namespace}/rolebindings",
}
TOKEN = {"huggingFaceToken": "hf_rights"}


class Account:
    """A service account of namespace ``ci`` with just the rights that `airunway rbac` gives it."""

    def __init__(self, cluster: Cluster, name: str, rights: str) -> None:
        self._cluster = cluster
        for obj in yaml.safe_load_all(rights):
            if obj["kind"] != "ServiceAccount":
                path = (
                    PATHS[obj["kind"]].format(namespace=obj["metadata"].get("namespace", ""))
                    + f"/{obj['metadata']['name']}"
                )
                cluster.send("PATCH", f"{path}?fieldManager=admin&force=true", obj, "application/apply-patch+yaml")
        self._token = cluster.token_for("ci", name)
        self.settings = {"cluster": {"kubeconfig": str(cluster.kubeconfig(self._token))}}

    def may(self, method: str, path: str) -> bool:
        """Whether it may do this to an object that is there."""
        answer = self._cluster.session.request(
            method, self._cluster.url + path, headers={"Authorization": f"Bearer {self._token}"}, timeout=30
        )
        assert answer.status_code in (200, 403), answer.text
        return answer.status_code == 200


def rbac(engine: Engine, stack: str, account: str) -> tuple[str, str]:
    """What `airunway rbac` prints for the stack in the engine's project, and what it notes."""
    command = [
        sys.executable,
        "-m",
        "airunway.cli",
        "rbac",
        "--stack",
        stack,
        "--service-account",
        f"ci/{account}",
        "--cwd",
        str(engine.project),
    ]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_the_generated_rights_are_enough_for_a_stack_s_whole_life_and_no_more(cluster: Cluster, engine: Engine) -> None:
    built = {"name": "built", "model": {"id": "org/gguf", "gguf": {"file": "m-Q4_0.gguf", "build": True}}}
    preset = GPU | {"name": "preset", "provider": {"name": "kaito"}, "engine": {"contextLength": 4096}}
    values = settings(
        cluster, CPU, GPU, RAY, built, preset, namespace="rights", registry={"managed": {"nodeCidrs": ["10.0.0.0/16"]}}
    )
    engine.stack("rights", values, TOKEN)
    rights, notes = rbac(engine, "rights", "deployer")
    assert "note:" not in notes, "nothing is left out"
    account = Account(cluster, "deployer", rights)
    stack = engine.stack("rights", values | account.settings, TOKEN)
    with operator(cluster):
        stack.preview()
        stack.up()
        assert set(stack.up().summary.resource_changes or {}) == {"same"}
        renewed = Steps()
        engine.stack("rights", values | account.settings, {"huggingFaceToken": "hf_renewed"}).up(on_event=renewed)
        assert renewed.changes() == [("update", "Secret", "huggingface-token-rights")]
        elsewhere = engine.stack("elsewhere", settings(cluster, CPU, namespace="elsewhere") | account.settings)
        with pytest.raises(auto.CommandError, match="forbidden"):
            elsewhere.up()

    secrets, deployments = "/api/v1/namespaces/rights/secrets", "/apis/apps/v1/namespaces/airunway-system/deployments"
    own = cluster.get(f"{deployments}/airunway-registry")
    cluster.send("POST", secrets, {"metadata": {"name": "foreign"}})
    cluster.send("POST", deployments, {"metadata": {"name": "foreign"}, "spec": own["spec"] | {"replicas": 0}})
    assert account.may("GET", f"{secrets}/huggingface-token")
    assert not account.may("GET", f"{secrets}/foreign")
    assert not account.may("GET", secrets)
    assert account.may("GET", f"{deployments}/airunway-registry")
    assert not account.may("DELETE", f"{deployments}/foreign")
    assert not account.may("DELETE", deployments)

    stack.refresh()
    stack.destroy()
    until(
        lambda: [s["metadata"]["name"] for s in cluster.items(secrets)] == ["foreign"]
    )  # the garbage collector takes the token


def with_charts(engine: Engine, notes: str) -> str:
    """What the commands print that ``notes`` gives to complete the rights, run as they are."""
    commands = "\n".join(line for line in notes.splitlines() if line.startswith("  "))
    path = os.pathsep.join([str(program("helm").parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-ec", commands], cwd=engine.project, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_with_what_its_charts_hold_the_account_installs_upgrades_and_removes_operators(
    cluster: Cluster, engine: Engine, tmp_path: Path
) -> None:
    widgets = tmp_path / "widgets.yaml"
    widgets.write_text(yaml.safe_dump(definition("example.test", "Widget", "Namespaced")))
    charts = local_charts(tmp_path / "charts", definitions=[widgets], more=OPERATOR)
    values = shipped("dev") | {"cluster": {"kubeconfig": str(cluster.kubeconfig())}, "providers": charts}
    engine.stack("dev", values, TOKEN)
    account = Account(cluster, "operators", with_charts(engine, rbac(engine, "dev", "operators")[1]))
    dev = engine.stack("dev", values | account.settings, TOKEN)
    with operator(cluster):
        dev.preview()
        dev.up()
        assert set(dev.up().summary.resource_changes or {}) == {"same"}
        scaled = {name: _with_values(provider, {"replicas": 2}) for name, provider in charts.items()}
        steps = Steps()
        dev = engine.stack("dev", values | account.settings | {"providers": scaled}, TOKEN)
        dev.up(on_event=steps)
        assert steps.kinds("update") == ["Release"] * 3
    assert account.may("GET", "/apis/apps/v1/namespaces/kaito-workspace/deployments/kaito-workspace")
    cluster.send("POST", "/api/v1/namespaces/models/secrets", {"metadata": {"name": "foreign"}})
    assert not account.may("GET", "/api/v1/namespaces/models/secrets/foreign")
    dev.refresh()
    dev.destroy()
    left = {
        o["metadata"]["name"]
        for path in ("clusterroles", "clusterrolebindings")
        for o in cluster.items(f"{RBAC}/{path}")
    }
    assert {"dynamo-platform", "kaito-workspace", "kuberay-operator"} & left == {"kaito-workspace"}, (
        "only KAITO's release is kept"
    )


def _with_values(provider: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    charts = [chart | {"values": values} for chart in provider["spec"]["installation"]["helmCharts"]]
    return {"spec": {"installation": {"helmCharts": charts}}}


def test_without_what_its_charts_hold_the_account_is_refused_and_told_what(
    cluster: Cluster, engine: Engine, charts: dict[str, Any]
) -> None:
    values = settings(cluster, RAY, namespace="rights") | {"providers": charts}
    engine.stack("bare", values)
    account = Account(cluster, "bare", rbac(engine, "bare", "bare")[0])
    with operator(cluster), pytest.raises(auto.CommandError, match="cannot get resource") as raised:
        engine.stack("bare", values | account.settings).up()
    assert '"deployments"' in str(raised.value)


def test_the_kinds_without_a_namespace_are_those_that_the_api_server_says(cluster: Cluster) -> None:
    groups = [("", "/api/v1")] + [
        (group["name"], f"/apis/{group['preferredVersion']['groupVersion']}")
        for group in cluster.get("/apis")["groups"]
    ]
    kinds = Kinds([])
    wrong = []
    for group, path in groups:
        for served in cluster.get(path)["resources"]:
            body = {"apiVersion": f"{group}/v1", "kind": served["kind"], "metadata": {"name": "x"}}
            known = served["kind"] in table().get(group, {}) and "/" not in served["name"]
            if known and bool(kinds.attributes(body, "ns").namespace) != served["namespaced"]:
                wrong.append((group, served["kind"]))
    assert wrong == []
