"""Cluster (real kube-apiserver; kubelet and model stood in for): `endpoint` and `chat` from a Service to the pod
behind it, and what a wrong call of a live command is told.
"""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from tests.cluster.apiserver import Cluster
from tests.cluster.kubelet import node as forwarding_node
from tests.cluster.openai_server import openai_server
from tests.cluster.stacks import until
from tests.command import airunway, running_airunway


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
    with running_airunway(served, "endpoint", "cpu", "--stack", "own", "--port-forward") as forwarding:
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
    with running_airunway(served, "endpoint", "cpu", "--stack", "own", "--port-forward") as forwarding:
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
    assert "Service live/gpu-frontend: does not exist" in done.stderr or arguments[0] != "endpoint"


def test_the_endpoint_inside_the_cluster_needs_no_cluster(project: Path) -> None:
    assert airunway(project, "endpoint", "ray", "--stack", "own").stdout == "http://ray-serve-svc.live.svc:8000/v1\n"


@pytest.mark.parametrize(
    ("arguments", "status", "output"),
    [
        (("chat", "gpu", "hi", "--stack", "own"), 1, "Service live/gpu-frontend: does not exist"),
        (("chat", "gpu", "hi", "--stack", "own", "--url", "http://127.0.0.1:9/v1"), 1, "can't be reached"),
        (("endpoint", "gpx", "--stack", "own"), 1, "did you mean 'gpu'?"),
        (("wait", "nope", "--stack", "own"), 1, "no deployment 'nope'; valid: cpu, gpu, ray, via"),
        (("wait", "--stack", "own", "--timeout", "soon"), 2, "90s, 45m or 1h30m"),
        (("status", "--stack", "nope"), 1, "no stack 'nope'"),
        (("status",), 1, "no stack 'dev'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_input_is_told(deployed: Path, arguments: tuple[str, ...], status: int, output: str) -> None:
    done = airunway(deployed, *arguments)
    assert done.returncode == status, done.stderr
    assert output in done.stderr
    assert "Traceback" not in done.stderr
