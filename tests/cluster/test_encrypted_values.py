"""Cluster (real CLI, engine, Kubernetes provider, Helm inside it and kube-apiserver): values encrypted by the CLI reach
the cluster, and neither the state, nor a preview, nor a saved plan, nor what is said has them in clear text.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation as auto

from tests.cluster.apiserver import Cluster
from tests.cluster.charts import write_chart
from tests.cluster.engine import Engine
from tests.cluster.node import Node
from tests.cluster.operator import collection, operator
from tests.cluster.stacks import Steps, failed, forget, settings
from tests.cluster.tools import language_host, program
from tests.deployments import CPU, GPU, RAY

VLLM = {"name": "plain", "model": {"id": "org/m"}, "provider": {"name": "vllm"}, "resources": {"gpu": {"count": 1}}}
KINDS = {"cpu": "Workspace", "gpu": "DynamoGraphDeployment", "ray": "RayService"}
FIRST, SECOND, HELM = "first-correct-horse", "second-battery-staple", "helm-value-of-ours"
VARIABLES = [{"name": "PLAIN", "value": "seen"}, {"name": "DATABASE_PASSWORD", "value": "to be encrypted"}]


def encrypt(stack: auto.Stack, path: str, text: str) -> None:
    stack.set_config(f"airunway:{path}", auto.ConfigValue(text, secret=True), path=True)


def encrypted(engine: Engine, cluster: Cluster, *deployments: Any, **more: Any) -> auto.Stack:
    """A stack whose deployments have an encrypted variable each."""
    entries = [entry | {"env": VARIABLES, "skipAwait": True} for entry in deployments]
    stack = engine.stack("own", settings(cluster, *entries, namespace="encrypted", **more))
    for index in range(len(entries)):
        encrypt(stack, f"deployments[{index}].env[1].value", FIRST)
    return stack


def live(cluster: Cluster, name: str) -> str:
    paths = {name: collection(kind, "encrypted") for name, kind in KINDS.items()}
    path = paths.get(name, "/apis/apps/v1/namespaces/encrypted/deployments")
    return json.dumps(cluster.get(f"{path}/{name}"))


@pytest.fixture
def watched(cluster: Cluster) -> Iterator[None]:
    with operator(cluster):
        yield


@pytest.mark.usefixtures("watched")
def test_variables_of_every_provider_are_in_the_cluster_and_not_in_the_state(
    cluster: Cluster, engine: Engine, node: Node
) -> None:
    stack = encrypted(engine, cluster, CPU, GPU, RAY, VLLM)
    steps = Steps()
    stack.up(on_event=steps)
    for name in (*KINDS, "plain"):
        assert FIRST in live(cluster, name), name
        assert "seen" in live(cluster, name), name
    state = engine.state("own")
    assert FIRST not in state
    # The state has the list around a secret encrypted, and what is beside it in clear text.
    assert '"enableServiceLinks":false' in state
    assert FIRST not in steps.text
    assert stack.preview().change_summary.keys() == {"same"}
    encrypt(stack, "deployments[3].env[1].value", SECOND)
    shown, changed = Steps(), Steps()
    preview = stack.preview(on_event=shown)
    assert preview.change_summary[auto.OpType.UPDATE] == 1
    assert SECOND not in preview.stdout + shown.text
    stack.up(on_event=changed)
    assert changed.changes() == [("update", "Deployment", "plain")]
    assert SECOND in live(cluster, "plain")
    assert SECOND not in engine.state("own") + changed.text
    # KAITO brings no changed template to a running pod, so that another text makes another Workspace.
    encrypt(stack, "deployments[0].env[1].value", SECOND)
    replaced = Steps()
    stack.up(on_event=replaced)
    assert {kind for _, kind, _ in replaced.changes()} == {"Workspace"}
    assert "replace" in {operation for operation, _, _ in replaced.changes()}
    assert SECOND in live(cluster, "cpu")
    refreshed = Steps()
    stack.refresh(on_event=refreshed)
    assert SECOND not in engine.state("own") + refreshed.text
    assert FIRST not in engine.state("own")


@pytest.mark.skipif(language_host() is None, reason="no pulumi-language-python on PATH: the CLI can't run the program")
def test_what_the_cli_prints_and_saves_of_a_preview_has_no_text(
    cluster: Cluster, engine: Engine, tmp_path: Path
) -> None:
    encrypted(engine, cluster, CPU, GPU, RAY, VLLM)
    plan = tmp_path / "plan.json"
    environment = os.environ | engine.environment
    for arguments in (["--json"], ["--diff"], ["--save-plan", str(plan)]):
        command = [str(program("pulumi")), "preview", "--stack", "own", *arguments]
        done = subprocess.run(command, cwd=engine.project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert FIRST not in done.stdout + done.stderr, arguments
    assert "seen" in plan.read_text()
    assert FIRST not in plan.read_text()


def test_an_encrypted_helm_value_reaches_the_chart_and_not_the_state(
    cluster: Cluster, engine: Engine, node: Node, tmp_path: Path
) -> None:
    chart = write_chart(tmp_path / "workspace", "workspace", "0.10.0")
    release = {"name": "kaito-workspace", "chart": str(chart), "values": {"replicas": 1, "key": "to be encrypted"}}
    providers = {"kaito": {"spec": {"installation": {"helmCharts": [release]}}}}
    stack = engine.stack(
        "own", settings(cluster, CPU | {"skipAwait": True}, namespace="encrypted", providers=providers)
    )
    encrypt(stack, "providers.kaito.spec.installation.helmCharts[0].values.key", HELM)
    stack.up()
    assert HELM not in engine.state("own")
    assert stack.preview().change_summary.keys() == {"same"}
    # The record of an update that was cut off matches, though the value is a secret.
    forget(stack, "Release")
    steps = Steps()
    stack.up(on_event=steps)
    assert ("create", "Release", "kaito-workspace") in steps.done
    assert HELM not in engine.state("own") + steps.text


def test_a_broken_object_is_told_without_the_text(cluster: Cluster, engine: Engine) -> None:
    entry = VLLM | {"name": "broken", "namespace": "missing"}
    stack = encrypted(engine, cluster, entry, createNamespaces=False)
    steps = failed(stack.up)
    assert "missing" in steps.text
    assert FIRST not in steps.text + engine.state("own")
