"""Cluster (real kube-apiserver; kubelet stood in for, and servers by what real ones told, recorded in
tests/unit/metrics): the metrics of a deployment are those of the server behind its Service, and of its engine.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from airunway.live.api_server.connection import connect
from airunway.live.deployment_metrics import DeploymentMetrics, deployment_metrics
from airunway.live.engine_metrics import Metrics
from airunway.program.stack_plan import stack_plan
from airunway.text.problems import InputError
from tests.cluster.apiserver import Cluster
from tests.cluster.kubelet import node as forwarding_node
from tests.cluster.serving import serving

RECORDED = Path(__file__).parents[1] / "unit" / "metrics"
CORE = "/api/v1/namespaces/live"
WORKER = {"ray.io/node-type": "worker"}


class _Told(BaseHTTPRequestHandler):
    """Answers /metrics with what its server has, and as FastAPI does where that is nothing."""

    server: Any

    def do_GET(self) -> None:
        text = self.server.told if self.path == "/metrics" else None
        body = (text or '{"detail":"Not Found"}').encode()
        self.send_response(200 if text else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


class Pods:
    """Pods of deployments on a node that forwards their ports to servers here."""

    def __init__(self, cluster: Cluster, node: str, opened: ExitStack) -> None:
        self._cluster, self._node, self._opened = cluster, node, opened

    def add(self, name: str, of: str, port: str, recorded: str | None, **more: Any) -> None:
        """Have a pod ``name`` of the deployment ``of``, whose port of that name has what was ``recorded``."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Told)
        server.told = (RECORDED / f"{recorded}.txt").read_text() if recorded else None  # type: ignore[attr-defined]
        self._opened.enter_context(serving(server))
        ports = [{"name": port, "containerPort": server.server_port}]
        labels = {"airunway.ai/managed-by": "test", "airunway.ai/deployment": of, **more.get("labels", {})}
        spec = {"nodeName": self._node, "containers": [{"name": "main", "image": "x", "ports": ports}]}
        self._cluster.send("POST", f"{CORE}/pods", {"metadata": {"name": name, "labels": labels}, "spec": spec})
        ready = "True" if more.get("ready", True) else "False"
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}
        path = f"{CORE}/pods/{name}/status"
        self._cluster.send("PATCH", path, {"status": status}, "application/merge-patch+json")

    def serve(self, service: str, selector: Mapping[str, str]) -> None:
        """Have a Service for the pods with these labels."""
        spec = {"selector": selector, "ports": [{"port": 8000, "targetPort": "http"}], "clusterIP": "None"}
        metadata = {"name": service, "labels": {"airunway.ai/managed-by": "test"}}
        self._cluster.send("POST", f"{CORE}/services", {"metadata": metadata, "spec": spec})


@pytest.fixture
def pods(cluster: Cluster, deployed: Path, tmp_path: Path) -> Iterator[Pods]:
    """Servers behind the Services of the deployments ``ray`` and ``gpu``, which is Dynamo's."""
    with ExitStack() as opened, _removed(cluster):
        running = Pods(cluster, opened.enter_context(forwarding_node(cluster, tmp_path)), opened)
        running.add("ray-head", "ray", "http", None, labels={"role": "serve", "ray.io/node-type": "head"})
        running.serve("ray-serve-svc", {"role": "serve"})
        running.add("gpu-frontend-0", "gpu", "http", "dynamo-frontend", labels={"role": "frontend"})
        running.serve("gpu-frontend", {"role": "frontend"})
        yield running


@contextmanager
def _removed(cluster: Cluster) -> Iterator[None]:
    yield
    for pod in cluster.items(f"{CORE}/pods"):
        path = f"{cluster.url}{CORE}/pods/{pod['metadata']['name']}"
        cluster.session.delete(path, json={"gracePeriodSeconds": 0}, timeout=30)


@pytest.fixture
def read(deployed: Path) -> Callable[[str], DeploymentMetrics]:
    plan = stack_plan(deployed, "own")

    async def reading(name: str) -> DeploymentMetrics:
        async with connect(plan.settings.cluster, deployed) as connection:
            return await deployment_metrics(connection, next(d for d in plan.deployments if d.name == name))

    return lambda name: asyncio.run(reading(name))


def test_of_ray_the_worker_tells_and_not_serve_s_own_port(pods: Pods, read: Callable[[str], DeploymentMetrics]) -> None:
    pods.add("ray-a-worker", "ray", "metrics", "ray", labels=WORKER, ready=False)
    pods.add("ray-b-worker", "ray", "metrics", "ray", labels=WORKER)
    pods.add("ray-0-head", "ray", "metrics", None, labels={"ray.io/node-type": "head"})
    told = read("ray")
    assert told.metrics is not None
    assert (told.metrics.server, told.metrics.running, told.metrics.cache) == ("vLLM in Ray", 3, 0.25)
    assert (told.answers, told.note, told.unread) == (True, "", "")


def test_ray_s_worker_that_is_not_ready_is_named_as_the_reason(
    pods: Pods, read: Callable[[str], DeploymentMetrics]
) -> None:
    pods.add("ray-a-worker", "ray", "metrics", "ray", labels=WORKER, ready=False)
    with pytest.raises(InputError, match="RayService live/ray: no ready pod of it has a port metrics"):
        read("ray")


def test_servers_that_have_no_metrics_are_not_asked_again(pods: Pods, read: Callable[[str], DeploymentMetrics]) -> None:
    pods.add("ray-a-worker", "ray", "metrics", None, labels=WORKER)
    assert read("ray") == DeploymentMetrics(None, answers=False)


def test_dynamo_s_frontend_is_completed_by_a_worker(pods: Pods, read: Callable[[str], DeploymentMetrics]) -> None:
    alone = read("gpu")
    assert alone.metrics == Metrics("Dynamo's frontend", 0, 0, None, 30, 22, 1)
    assert "DynamoGraphDeployment live/gpu: no ready pod of it has a port system" in alone.unread
    pods.add("gpu-worker-0", "gpu", "system", "dynamo-worker")
    told = read("gpu")
    assert told.metrics == Metrics("Dynamo's frontend and vLLM", 0, 0, 0, 30, 22, 1)
    assert told.unread == ""
