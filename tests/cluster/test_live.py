"""Cluster (real kube-apiserver, operators stood in for): what ``status``, ``wait``, ``endpoint`` and ``chat`` say of a
live cluster.
"""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
import requests
import yaml

from airunway.program.stack_plan import stack_plan
from tests.cluster.apiserver import Cluster
from tests.cluster.controller import install
from tests.cluster.kubelet import node as forwarding_node
from tests.cluster.node import Node
from tests.cluster.openai_server import openai_server
from tests.cluster.operator import LISTS, collection, operator, ready_status, set_status
from tests.cluster.proxy import fault_proxy
from tests.cluster.stacks import CPU, GPU, RAY, until
from tests.graph.projects import write_project

ROOT = Path(__file__).parents[2]
VIA = CPU | {"name": "via", "delivery": "modeldeployment"}


def airunway(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "airunway.cli", *arguments, "--cwd", str(project)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def project(cluster: Cluster, tmp_path: Path) -> Path:
    """A project whose stack ``own`` has a deployment of each kind, none of which is in the cluster."""
    install(cluster)
    return write_project(
        tmp_path,
        [d | {"namespace": "live"} for d in (CPU, GPU, RAY, VIA)],
        cluster={"kubeconfig": str(cluster.kubeconfig())},
    )


@pytest.fixture
def deployed(cluster: Cluster, project: Path) -> Path:
    """The same with its objects in the cluster, of which no operator has said anything."""
    cluster.namespace("live")
    for planned in stack_plan(project, "own").deployments:
        resource = planned.rendered.resource
        cluster.send("POST", collection(resource["kind"], "live"), resource)
    return project


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
    assert re.search(r"via +Failed +kaito +llamacpp +0/0 +http://via-md.live.svc/v1 +no GPU is left", text.stdout)
    assert "\x1b" not in text.stdout


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


def test_watch_prints_each_change_until_interrupted(cluster: Cluster, deployed: Path) -> None:
    command = [sys.executable, "-m", "airunway.cli", "status", "--stack", "own", "--watch", "--cwd", str(deployed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        with operator(cluster):
            for line in watching.stdout:
                if "4 of 4 running" in line:
                    break
        watching.send_signal(signal.SIGINT)
        _, stderr = watching.communicate(timeout=20)
    assert "0 of 4 running" in first
    assert "Traceback" not in stderr
    assert watching.returncode == 130


@pytest.mark.parametrize("command", [["status", "--watch"], ["wait", "--timeout", "1m"]], ids=" ".join)
def test_what_goes_on_waits_for_an_api_server_that_is_away_for_a_while(
    cluster: Cluster, deployed: Path, command: list[str]
) -> None:
    with fault_proxy(cluster) as proxy, operator(cluster):
        file = deployed / "stacks" / "Pulumi.own.yaml"
        config = json.loads(file.read_text())
        config["config"]["airunway:cluster"] = {"kubeconfig": str(cluster.kubeconfig(server=proxy.url))}
        resource = next(d.rendered.resource for d in stack_plan(deployed, "own").deployments if d.name == "cpu")
        cluster.session.delete(f"{cluster.url}{collection(resource['kind'], 'live')}/cpu", timeout=30)
        file.write_text(json.dumps(config))
        arguments = [sys.executable, "-m", "airunway.cli", *command, "--stack", "own", "--cwd", str(deployed)]
        with subprocess.Popen(
            arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            output = running.stdout if command[0] == "status" else running.stderr
            until_line(output, "not in the cluster")
            proxy.away = True
            until_line(running.stderr, "retrying")
            proxy.away = False
            cluster.send("POST", collection(resource["kind"], "live"), resource)
            until_line(output, "cpu.* Running")
            if command[0] == "status":
                running.send_signal(signal.SIGINT)
            _, stderr = running.communicate(timeout=20)
    assert "Traceback" not in stderr


def until_line(lines: IO[str], pattern: str) -> None:
    """Read until a line matches."""
    read = []
    for line in lines:
        read.append(line)
        if re.search(pattern, line):
            return
    raise AssertionError(f"no {pattern!r} in {read}")


def test_wait_ends_when_all_run_and_tells_each_change(cluster: Cluster, deployed: Path) -> None:
    late = airunway(deployed, "wait", "cpu", "--stack", "own", "--timeout", "1s")
    assert late.returncode == 3
    assert "timed out: cpu  Pending  0/1  no status yet" in late.stderr
    command = [
        sys.executable,
        "-m",
        "airunway.cli",
        "wait",
        "--stack",
        "own",
        "--timeout",
        "1m",
        "--cwd",
        str(deployed),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        until_line(waiting.stderr, r"\ds  cpu  Pending  0/1  no status yet")
        with operator(cluster):
            _, stderr = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, stderr
    assert re.search(r"\ds  cpu  Running  1/1\n", stderr)


@pytest.fixture
def served(cluster: Cluster, deployed: Path, tmp_path: Path) -> Iterator[Path]:
    """The deployment ``cpu`` has a Service, and a pod behind it that answers."""
    with forwarding_node(cluster, tmp_path) as name, openai_server() as port:
        labels = {"airunway.ai/managed-by": "test", "app": "cpu"}
        ports = [{"port": 80, "targetPort": "http"}]
        service = {"metadata": {"name": "cpu", "labels": labels}, "spec": {"selector": {"app": "cpu"}, "ports": ports}}
        cluster.send("POST", "/api/v1/namespaces/live/services", {"apiVersion": "v1", "kind": "Service", **service})
        container = {"name": "model", "image": "x", "ports": [{"name": "http", "containerPort": port}]}
        pod = {"metadata": {"name": "cpu-0", "labels": labels}, "spec": {"nodeName": name, "containers": [container]}}
        cluster.send("POST", "/api/v1/namespaces/live/pods", {"apiVersion": "v1", "kind": "Pod", **pod})
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        cluster.send(
            "PATCH", "/api/v1/namespaces/live/pods/cpu-0/status", {"status": status}, "application/merge-patch+json"
        )
        yield deployed
        cluster.session.delete(
            f"{cluster.url}/api/v1/namespaces/live/pods/cpu-0", json={"gracePeriodSeconds": 0}, timeout=30
        )


def test_a_deployment_is_talked_to_through_its_service(served: Path) -> None:
    done = airunway(served, "chat", "cpu", "hello there", "--stack", "own")
    assert (done.returncode, done.stdout) == (0, "[31myou said: hello there\n"), done.stderr
    wrong = airunway(served, "chat", "cpu", "hello", "--stack", "own", "--model", "other")
    assert wrong.returncode == 1
    assert "no model other" in wrong.stderr


def test_a_forwarded_endpoint_serves_until_interrupted(served: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "airunway.cli",
        "endpoint",
        "cpu",
        "--stack",
        "own",
        "--port-forward",
        "--cwd",
        str(served),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as forwarding:
        assert forwarding.stdout is not None
        url = forwarding.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", url)
        with requests.Session() as session:
            session.trust_env = False
            for _ in range(3):
                assert session.get(f"{url}/models", timeout=20).json()["data"][0]["id"] == "echo"
        taken = airunway(
            served, "endpoint", "cpu", "--stack", "own", "--port-forward", "--port", url.split(":")[2].split("/")[0]
        )
        forwarding.send_signal(signal.SIGINT)
        _, stderr = forwarding.communicate(timeout=20)
    assert "Traceback" not in stderr
    assert forwarding.returncode == 130
    assert (taken.returncode, "can't be listened on" in taken.stderr) == (1, True), taken.stderr


def test_a_forward_whose_pod_is_gone_ends_each_connection_and_says_why(cluster: Cluster, served: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "airunway.cli",
        "endpoint",
        "cpu",
        "--stack",
        "own",
        "--port-forward",
        "--cwd",
        str(served),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as forwarding:
        assert forwarding.stdout is not None
        url = forwarding.stdout.readline().strip()
        path = "/api/v1/namespaces/live/pods/cpu-0"
        cluster.session.delete(f"{cluster.url}{path}", json={"gracePeriodSeconds": 0}, timeout=30)
        until(lambda: cluster.get(path) is None)
        with requests.Session() as session:
            session.trust_env = False
            with pytest.raises(requests.ConnectionError):
                session.get(f"{url}/models", timeout=20)
        forwarding.send_signal(signal.SIGINT)
        _, stderr = forwarding.communicate(timeout=20)
    assert stderr.count("a forwarded connection failed: the API server answered 404") == 1
    assert "Traceback" not in stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("wait", "--timeout", "1s"),
        ("endpoint", "gpu", "--port-forward"),
        ("chat", "cpu", "hello"),
        ("import",),
    ],
    ids=lambda a: str(a[0]),
)
def test_a_named_context_needs_no_current_one(
    cluster: Cluster, served: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = yaml.safe_load(cluster.kubeconfig().read_text())
    parts = {
        "gone": None,
        "clusters": {"clusters": config["clusters"]},
        "rest": {k: config[k] for k in ("users", "contexts")},
    }
    for name, part in parts.items():
        if part is not None:
            (served / name).write_text(yaml.safe_dump(part))
    monkeypatch.setenv("KUBECONFIG", ":".join(str(served / name) for name in parts))
    stack = served / "stacks" / "Pulumi.own.yaml"
    settings = json.loads(stack.read_text())
    settings["config"]["airunway:cluster"] = {"context": "test"}
    stack.write_text(json.dumps(settings))
    done = airunway(served, *arguments, "--stack", "own")
    expected = {"status": 3, "wait": 3, "endpoint": 1, "chat": 0, "import": 0}[arguments[0]]
    assert done.returncode == expected, done.stderr
    assert "can't be opened" not in done.stderr
    assert "Service live/gpu-frontend: is not there" in done.stderr or arguments[0] != "endpoint"


def test_the_endpoint_inside_the_cluster_needs_no_cluster(project: Path) -> None:
    assert airunway(project, "endpoint", "ray", "--stack", "own").stdout == "http://ray-serve-svc.live.svc:8000/v1\n"


@pytest.mark.parametrize(
    ("arguments", "status", "output"),
    [
        (("chat", "gpu", "hi", "--stack", "own"), 1, "Service live/gpu-frontend: is not there"),
        (("chat", "gpu", "hi", "--stack", "own", "--url", "http://127.0.0.1:9/v1"), 1, "can't be reached"),
        (("endpoint", "gpx", "--stack", "own"), 1, "did you mean 'gpu'?"),
        (("wait", "nope", "--stack", "own"), 1, "no deployment 'nope'; valid: cpu, gpu, ray, via"),
        (("wait", "--stack", "own", "--timeout", "soon"), 2, "90s, 45m or 1h30m"),
        (("status", "--stack", "nope"), 1, "no stack 'nope'"),
        (("status",), 2, "--stack"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_input_is_told(deployed: Path, arguments: tuple[str, ...], status: int, output: str) -> None:
    done = airunway(deployed, *arguments)
    assert done.returncode == status, done.stderr
    assert output in done.stderr
    assert "Traceback" not in done.stderr
