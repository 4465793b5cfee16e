"""Cluster (real kube-apiserver; operators stood in for): what `airunway status` says of deployments and operators,
to whom, and at what cost.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.apiserver import Cluster
from tests.cluster.node import Node
from tests.cluster.operator import LISTS, operator, ready_status, set_status
from tests.cluster.stacks import until
from tests.command import airunway


def phases(project: Path, *arguments: str) -> dict[str, str]:
    done = airunway(project, "status", "--stack", "own", "--format", "json", *arguments)
    assert done.returncode in (0, 3), done.stderr
    (stack,) = json.loads(done.stdout)
    result = {d["name"]: d["phase"] for d in stack["deployments"]}
    assert done.returncode == (0 if set(result.values()) == {"Running"} else 3)
    return result


def test_status_follows_the_objects_through_their_states(cluster: Cluster, deployed: Path) -> None:
    names = ("cpu", "gpu", "ray", "via")
    assert phases(deployed) == dict.fromkeys(names, "Pending")
    walks: dict[str, dict[str, Any]] = {
        "Workspace": {"state": "NotReady", "conditions": []},
        "DynamoGraphDeployment": {"state": "initializing"},
        "RayService": {"conditions": [ready_status("RayService", 1)["conditions"][0] | {"status": "False"}]},
        "ModelDeployment": {"phase": "Deploying"},
    }
    for kind, status in walks.items():
        (obj,) = [o for o in cluster.items(LISTS[kind]) if o["metadata"]["namespace"] == "live"]
        set_status(cluster, kind, obj, status)
    assert phases(deployed) == dict.fromkeys(names, "Deploying")
    with operator(cluster):
        until(lambda: phases(deployed) == dict.fromkeys(names, "Running"))
    (obj,) = [o for o in cluster.items(LISTS["ModelDeployment"]) if o["metadata"]["namespace"] == "live"]
    set_status(cluster, "ModelDeployment", obj, {"phase": "Failed", "message": "no GPU is left"})
    assert phases(deployed)["via"] == "Failed"
    text = airunway(deployed, "status", "--stack", "own")
    assert "3 of 4 running" in text.stdout
    assert re.search(
        r"via +Failed +0/0 +org/gguf +– +llamacpp on kaito +http://via-md.live.svc/v1 +no GPU is left", text.stdout
    )
    assert "\x1b" not in text.stdout


def test_of_what_does_not_run_the_newest_warnings_are_told(cluster: Cluster, deployed: Path) -> None:
    def event(number: int, name: str, message: str, *, kind: str = "Warning", **more: Any) -> None:
        involved = {"kind": "Pod", "namespace": "live", "name": name}
        body = {"metadata": {"name": f"{name}.{number}"}, "involvedObject": involved, "type": kind, "reason": "Failed"}
        body |= {"message": message, "source": {"component": "kubelet"}} | more
        cluster.send("POST", "/api/v1/namespaces/live/events", body)

    def told() -> dict[str, list[str]]:
        (stack,) = json.loads(airunway(deployed, "status", "--stack", "own", "--format", "json").stdout)
        assert stack["eventsUnread"] == ""
        return {d["name"]: [e["message"] for e in d["events"]] for d in stack["deployments"]}

    states: dict[str, dict[str, Any]] = {
        "Workspace": ready_status("Workspace", 1),
        "DynamoGraphDeployment": {"state": "failed"},
        "RayService": ready_status("RayService", 1),
        "ModelDeployment": {"phase": "Failed", "message": "no GPU is left"},
    }
    for kind, status in states.items():
        (obj,) = [o for o in cluster.items(LISTS[kind]) if o["metadata"]["namespace"] == "live"]
        set_status(cluster, kind, obj, status)
    try:
        for hour in range(5):
            event(hour, "gpu-vllmworker-0", f"at {hour}", lastTimestamp=f"2026-11-27T0{hour}:00:00Z")
        event(5, "gpu-vllmworker-0", "is normal", kind="Normal")
        event(6, "cpu-0", "of what runs")
        event(7, "via-md-0", "of a ModelDeployment")
        assert told() == {"cpu": [], "gpu": ["at 4", "at 3", "at 2"], "ray": [], "via": ["of a ModelDeployment"]}
        text = airunway(deployed, "status", "--stack", "own").stdout
        assert re.search(r"\n  Failed: at 4 \([0-9]+ (s|min|h|d) ago\)\n  Failed: at 3", text)
    finally:
        cluster.send("DELETE", "/api/v1/namespaces/live/events")


def test_status_lists_each_kind_once(cluster: Cluster, deployed: Path) -> None:
    def requested() -> dict[tuple[str, str], float]:
        text = cluster.session.get(f"{cluster.url}/metrics", timeout=30).text
        result: dict[tuple[str, str], float] = {}
        for labels, count in re.findall(r"^apiserver_request_total\{(.+)\} (\d+)", text, re.MULTILINE):
            parts = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            if parts["resource"] in ("workspaces", "dynamographdeployments", "rayservices", "modeldeployments"):
                key = (parts["resource"], parts["verb"])
                result[key] = result.get(key, 0) + float(count)
        return result

    before = requested()
    phases(deployed)
    created = {key: count - before.get(key, 0) for key, count in requested().items() if count != before.get(key, 0)}
    assert created == {
        (LISTS[kind].rsplit("/", 1)[1], "LIST"): 1
        for kind in ("Workspace", "DynamoGraphDeployment", "RayService", "ModelDeployment")
    }


def test_operators_are_healthy_once_release_and_deployment_are_there(
    cluster: Cluster, node: Node, deployed: Path
) -> None:
    def operators() -> dict[str, Any]:
        done = airunway(deployed, "status", "--stack", "own", "--format", "json")
        return {o["provider"]: o for o in json.loads(done.stdout)[0]["operators"]}

    assert operators()["kaito"]["healthy"] is False
    missing = "release kaito-workspace is missing; its release has no Deployment"
    assert (
        operators()["kaito"]["message"]
        == f"{missing}; its provider shim is not ready, so the controller does not select it"
    )
    configs = "/apis/airunway.ai/v1alpha1/inferenceproviderconfigs"
    config = {"apiVersion": "airunway.ai/v1alpha1", "kind": "InferenceProviderConfig", "metadata": {"name": "kaito"}}
    cluster.send("POST", configs, config)
    cluster.send("PATCH", f"{configs}/kaito/status", {"status": {"ready": True}}, "application/merge-patch+json")
    assert operators()["kaito"]["message"] == missing
    cluster.namespace("kaito-workspace")
    labels = {
        "owner": "helm",
        "name": "kaito-workspace",
        "version": "1",
        "status": "deployed",
        "airunway.ai/managed-by": "test",
    }
    secret = {
        "metadata": {"name": "sh.helm.release.v1.kaito-workspace.v1", "labels": labels},
        "stringData": {"release": "do-not-read"},
    }
    cluster.send("POST", "/api/v1/namespaces/kaito-workspace/secrets", {"apiVersion": "v1", "kind": "Secret", **secret})
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    annotations = {"meta.helm.sh/release-name": "kaito-workspace", "meta.helm.sh/release-namespace": "kaito-workspace"}
    metadata = {"name": "kaito-workspace", "annotations": annotations, "labels": {"airunway.ai/managed-by": "test"}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": pod}
    node.unready = "kaito-workspace"
    cluster.send("POST", "/apis/apps/v1/namespaces/kaito-workspace/deployments", {"metadata": metadata, "spec": spec})
    assert operators()["kaito"]["message"] == "kaito-workspace is not ready"
    node.unready = "-"
    cluster.send("DELETE", "/api/v1/namespaces/kaito-workspace/pods")
    until(lambda: operators()["kaito"]["healthy"])
    result = operators()["kaito"]
    assert (result["healthy"], result["release"], result["deployments"]) == (
        True,
        "deployed",
        {"ready": 1, "desired": 1},
    )
    cluster.send("DELETE", f"{configs}/kaito")


def test_an_account_with_rights_in_the_namespace_only_sees_its_deployments(cluster: Cluster, deployed: Path) -> None:
    token = cluster.token_for("live", f"reader-{time.time_ns()}")
    kubeconfig = yaml.safe_load(cluster.kubeconfig().read_text())
    kubeconfig["users"][0]["user"]["token"] = token
    own = deployed / "kubeconfig"
    own.write_text(yaml.safe_dump(kubeconfig))
    stack = deployed / "stacks" / "Pulumi.own.yaml"
    config = json.loads(stack.read_text())
    config["config"]["airunway:cluster"] = {"kubeconfig": str(own)}
    stack.write_text(json.dumps(config))
    refused = airunway(deployed, "status", "--stack", "own")
    assert refused.returncode == 1
    assert "may not be read" in refused.stderr
    rules = [{"apiGroups": ["*"], "resources": [LISTS[k].rsplit("/", 1)[1] for k in LISTS], "verbs": ["list"]}]
    role = {"metadata": {"name": "reader"}, "rules": rules}
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/live"
    cluster.send("POST", f"{rbac}/roles", role)
    binding = {
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
    }
    subjects = [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:serviceaccounts:live"}]
    cluster.send("POST", f"{rbac}/rolebindings", binding | {"subjects": subjects})
    try:
        until(lambda: airunway(deployed, "status", "--stack", "own").returncode == 3)
        (stack_status,) = json.loads(airunway(deployed, "status", "--stack", "own", "--format", "json").stdout)
        assert [d["phase"] for d in stack_status["deployments"]] == ["Pending"] * 4
        assert {o["healthy"] for o in stack_status["operators"]} == {None}
        (obj,) = [o for o in cluster.items(LISTS["ModelDeployment"]) if o["metadata"]["namespace"] == "live"]
        set_status(cluster, "ModelDeployment", obj, {"phase": "Failed", "message": "no GPU is left"})
        failed = airunway(deployed, "status", "--stack", "own")
        says = "Without events: events of live may not be read; `airunway rbac own --operate` prints the right"
        assert (failed.returncode, says in failed.stdout) == (3, True), failed.stdout + failed.stderr
    finally:
        cluster.send("DELETE", f"{rbac}/rolebindings/reader")
        cluster.send("DELETE", f"{rbac}/roles/reader")


def test_several_stacks_are_shown_and_one_that_can_not_be_reached_hides_no_other(deployed: Path) -> None:
    config = json.loads((deployed / "stacks" / "Pulumi.own.yaml").read_text())
    (deployed / "stacks" / "Pulumi.also.yaml").write_text(json.dumps(config))
    both = airunway(deployed, "status", "--stack", "own", "also")
    assert (both.returncode, both.stdout.count("0 of 4 running")) == (3, 2)
    config["config"]["airunway:cluster"] = {"context": "gone"}
    (deployed / "stacks" / "Pulumi.also.yaml").write_text(json.dumps(config))
    one = airunway(deployed, "status", "--stack", "own", "--stack", "also")
    assert (one.returncode, one.stdout.count("0 of 4 running")) == (1, 1)
    assert "error: stack also: cluster gone: can't be opened" in one.stderr
    data = airunway(deployed, "status", "--stack", "own", "also", "--format", "json")
    assert (data.returncode, [s["stack"] for s in json.loads(data.stdout)]) == (1, ["own"])
