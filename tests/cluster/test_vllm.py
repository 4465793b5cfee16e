"""Cluster (real engine, real kube-apiserver and Deployment controller): vLLM without an operator. Nodes are stood in
for.
"""

import copy
import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import yaml

from tests import command
from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.node import Node
from tests.cluster.stacks import Steps, failed, settings, until
from tests.cluster.test_rights import Account, rbac
from tests.deployments import GPU
from tests.graph.projects import write_project
from tests.unit.samples import plan

ROOT = Path(__file__).parents[2]
NAMESPACE = "plain"
VLLM = GPU | {"name": "plain", "provider": {"name": "vllm"}, "namespace": NAMESPACE}
PATH = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/plain"


def airunway(
    cluster: Cluster, folder: Path, deployments: list[Any], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """A command about a stack of these deployments, which is in no state."""
    folder.mkdir(exist_ok=True)
    if not (folder / "stacks").exists():
        write_project(folder, deployments, cluster={"kubeconfig": str(cluster.kubeconfig())})
    return command.airunway(folder, *arguments, "--stack", "own")


def status(cluster: Cluster, folder: Path) -> dict[str, Any]:
    (result,) = json.loads(airunway(cluster, folder, [VLLM], "status", "--format", "json").stdout)
    return result  # type: ignore[no-any-return]


def images(cluster: Cluster) -> list[str]:
    pods = cluster.items(f"/api/v1/namespaces/{NAMESPACE}/pods")
    return [" ".join(p["spec"]["containers"][0]["args"]) for p in pods if "deletionTimestamp" not in p["metadata"]]


def test_a_deployment_is_made_waited_for_read_changed_and_removed(
    cluster: Cluster, engine: Engine, node: Node, tmp_path: Path
) -> None:
    node.unready = "plain-"
    stack = engine.stack(NAMESPACE, settings(cluster, VLLM))
    ended: list[float] = []

    def serve_after_a_while() -> None:
        until(lambda: images(cluster))
        time.sleep(3)
        ended.append(time.monotonic())
        node.unready = "-"
        cluster.send("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods")

    helper = threading.Thread(target=serve_after_a_while)
    helper.start()
    first = Steps()
    stack.up(on_event=first)
    done = time.monotonic()
    helper.join()
    assert ended[0] < done, "it was waited for until a pod was ready"
    assert [name for op, kind, name in first.changes() if kind in ("Service", "Deployment")] == ["plain", "plain"]

    result = status(cluster, tmp_path / "status")
    (deployment,) = result["deployments"]
    assert (deployment["phase"], deployment["replicas"], result["operators"]) == (
        "Running",
        {"desired": 1, "ready": 1, "available": 1},
        [],
    )

    before = cluster.get(PATH)
    selector = cluster.get(f"/api/v1/namespaces/{NAMESPACE}/services/plain")["spec"]["selector"]
    assert selector == before["spec"]["selector"]["matchLabels"]

    imported = airunway(cluster, tmp_path / "import", [], "import")
    entries = yaml.safe_load(imported.stdout)
    assert entries is not None, imported.stdout + imported.stderr
    assert [e for e in entries if e.get("namespace") == NAMESPACE] == [
        {
            "name": "plain",
            "namespace": NAMESPACE,
            "takeOver": True,
            "provider": {"name": "vllm"},
            "model": {"id": "org/model"},
            "engine": {"type": "vllm"},
            "resources": {"gpu": {"count": 1}},
        }
    ]

    changed = copy.deepcopy(VLLM) | {"engine": {"args": {"max-num-seqs": "64"}}, "scaling": {"replicas": 2}}
    steps = Steps()
    stack = engine.stack(NAMESPACE, settings(cluster, changed))
    stack.up(on_event=steps)
    assert steps.changes() == [("update", "Deployment", "plain")]
    assert images(cluster) == ["org/model --port 8000 --max-num-seqs 64"] * 2, (
        "the rollout is complete when the update ends"
    )
    assert cluster.get(PATH)["metadata"]["uid"] == before["metadata"]["uid"]
    stack.refresh()
    again = Steps()
    stack.preview(on_event=again)
    assert again.changes() == []

    stack.destroy()
    assert cluster.get(PATH) is None
    assert cluster.get(f"/api/v1/namespaces/{NAMESPACE}/services/plain") is None


def test_a_change_that_never_serves_ends_the_update_with_the_reason_and_leaves_what_serves(
    cluster: Cluster, engine: Engine, node: Node, tmp_path: Path
) -> None:
    stack = engine.stack("never", settings(cluster, VLLM))
    stack.up()
    served = set(images(cluster))
    node.unready = "plain-"
    broken = VLLM | {"engine": {"args": {"max-num-seqs": "64"}}, "readyTimeout": "5s"}
    text = failed(engine.stack("never", settings(cluster, broken)).up).text
    assert "deployment plain: Deployment plain/plain did not get ready" in text
    assert "kubectl logs -n plain deployment/plain --tail=50" in text
    assert served <= set(images(cluster))
    (deployment,) = status(cluster, tmp_path / "status")["deployments"]
    assert (deployment["phase"], deployment["message"]) == (
        "Deploying",
        "rolling out: 1 of 1 replicas are updated",
    )
    node.unready = "-"
    stack.destroy()


def test_a_strategy_that_needs_no_second_gpu_is_taken_on_a_deployment_that_runs(
    cluster: Cluster, engine: Engine, node: Node
) -> None:
    stack = engine.stack("recreate", settings(cluster, VLLM))
    stack.up()
    in_turn = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    for strategy, expected in (
        (in_turn, {"type": "RollingUpdate"} | in_turn),
        (recreate := {"type": "Recreate"}, recreate),
    ):
        overrides = {"spec": {"strategy": strategy if strategy is in_turn else strategy | {"rollingUpdate": None}}}
        engine.stack("recreate", settings(cluster, VLLM | {"provider": {"name": "vllm", "overrides": overrides}})).up()
        assert cluster.get(PATH)["spec"]["strategy"] == expected
    stack.destroy()


def test_the_generated_rights_are_enough_for_its_whole_life(cluster: Cluster, engine: Engine, node: Node) -> None:
    values = settings(cluster, VLLM)
    engine.stack("granted", values)
    account = Account(cluster, "granted", rbac(engine, "granted", "granted")[0])
    stack = engine.stack("granted", values | account.settings)
    stack.up()
    changed = VLLM | {"engine": {"args": {"max-num-seqs": "64"}}}
    stack = engine.stack("granted", settings(cluster, changed) | account.settings)
    stack.up()
    stack.refresh()
    stack.destroy()
    assert cluster.get(PATH) is None
    assert not account.may("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets")


def test_the_api_server_takes_every_object_under_strict_validation(cluster: Cluster) -> None:
    cluster.namespace("ml")
    cases = yaml.safe_load((ROOT / "tests" / "unit" / "golden" / "cases.yaml").read_text())
    taken = 0
    for name, fields in cases.items():
        if name.startswith("vllm"):
            for label in ("demo", "x" * 63):
                rendered = plan(fields, label).rendered
                for obj, path in (
                    (rendered.resource, "/apis/apps/v1/namespaces/ml/deployments"),
                    (rendered.supporting[0], "/api/v1/namespaces/ml/services"),
                ):
                    cluster.send("POST", f"{path}?dryRun=All&fieldValidation=Strict", obj)
                    taken += 1
    assert taken >= 16


def test_a_volume_for_weights_comes_first_and_goes_with_its_deployment(
    cluster: Cluster, engine: Engine, node: Node
) -> None:
    claims = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"
    values = settings(cluster, VLLM)
    values["providers"] = values["providers"] | {"vllm": {"spec": {"defaults": {"cacheStorage": "10Gi"}}}}
    stack = engine.stack("cached", values)
    created = Steps()
    stack.up(on_event=created)
    kinds = [kind for _, kind, _ in created.changes()]
    assert kinds.index("PersistentVolumeClaim") < kinds.index("Deployment")
    (claim,) = cluster.items(claims)
    assert claim["spec"]["resources"]["requests"]["storage"] == "10Gi"
    (volume,) = [v for v in cluster.get(PATH)["spec"]["template"]["spec"]["volumes"] if v["name"] == "cache"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert set(stack.up().summary.resource_changes or {}) == {"same"}
    changed = copy.deepcopy(values)
    changed["deployments"] = [VLLM | {"engine": {"args": {"max-num-seqs": "64"}}}]
    steps = Steps()
    engine.stack("cached", changed).up(on_event=steps)
    assert steps.changes() == [("update", "Deployment", "plain")]
    stack.destroy()
    until(lambda: not cluster.items(claims))
