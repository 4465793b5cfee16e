"""A deployment that people operate: it runs, has pods with logs and events, and a model behind its Service."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.apiserver import Cluster
from tests.cluster.kubelet import node as node_with_logs
from tests.cluster.openai_server import Model, model_server
from tests.cluster.operator import LISTS, ready_status, set_status

TOKEN = "hf_" + "Ab1" * 12
STARTED = "".join(
    f"2026-11-27T08:30:{second:02}.{second:09}Z INFO loading shard {second} of 60\n" for second in range(60)
)
WRITTEN = STARTED + "".join(
    f"2026-11-27T08:{31 + index // 60}:{index % 60:02}.000000001Z {line}\n"
    for index, line in enumerate(
        [
            *(f'INFO:     10.1.0.4:{40000 + i} - "POST /v1/chat/completions HTTP/1.1" 200 OK' for i in range(180)),
            "Loading weights:   0%\r Loading weights:  50%\r Loading weights: 100%",
            "\x1b[33mWARNING\x1b[0m \x1b]0;owned\x07the token " + TOKEN + " expires soon",
            "<script>document.title = 'owned'</script>",
        ]
    )
)
CRASHED = "2026-11-27T08:29:59.000000001Z torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n"


@dataclass(frozen=True)
class Operated:
    """The deployment ``name`` in ``namespace``, its model, and what its container has written."""

    cluster: Cluster
    namespace: str
    name: str
    model: Model
    logs: dict[tuple[str, str, bool], str]

    def event(self, reason: str, message: str, *, warning: bool = False, **more: Any) -> None:
        """Have an event of one of its pods, as its reporter writes it."""
        number = len(self.cluster.items(f"/api/v1/namespaces/{self.namespace}/events"))
        involved = {"kind": "Pod", "namespace": self.namespace, "name": f"{self.name}-0"}
        event = {
            "metadata": {"name": f"{self.name}-0.{number}"},
            "involvedObject": involved,
            "type": "Warning" if warning else "Normal",
            "reason": reason,
            "message": message,
            "source": {"component": "kubelet"},
        }
        self.cluster.send("POST", f"/api/v1/namespaces/{self.namespace}/events", event | more)


@contextmanager
def operated(cluster: Cluster, resource: Any, service: Any, folder: Path) -> Iterator[Operated]:
    """``resource`` runs, and the Service of ``service`` (name, port) has a model behind it; all is taken away again."""
    namespace, name = resource["metadata"]["namespace"], resource["metadata"]["name"]
    logs = {(f"{name}-0", "model", False): WRITTEN, (f"{name}-1", "model", True): CRASHED}
    live = cluster.get(f"{_collection(resource)}/{name}")
    set_status(cluster, resource["kind"], live, ready_status(resource["kind"], live["metadata"]["generation"]))
    with node_with_logs(cluster, folder, logs) as node, model_server() as model:
        core = f"/api/v1/namespaces/{namespace}"
        own = {"airunway.ai/managed-by": "test"}
        labels = own | {"airunway.ai/deployment": name, "app": name}
        ports = [{"port": service[1], "targetPort": "http"}]
        # With an address, the API server may tell an event of its own that it repairs the address.
        spec = {"selector": {"app": name}, "ports": ports, "clusterIP": "None"}
        cluster.send("POST", f"{core}/services", {"metadata": {"name": service[0], "labels": own}, "spec": spec})
        container = {"name": "model", "image": "x", "ports": [{"name": "http", "containerPort": model.server_port}]}
        pods = [f"{name}-0", f"{name}-1"]
        for pod in pods:
            metadata = {"name": pod, "labels": labels}
            cluster.send(
                "POST", f"{core}/pods", {"metadata": metadata, "spec": {"nodeName": node, "containers": [container]}}
            )
        for pod, status in zip(pods, (_running(), _crashing()), strict=True):
            cluster.send("PATCH", f"{core}/pods/{pod}/status", {"status": status}, "application/merge-patch+json")
        try:
            yield Operated(cluster, namespace, name, model, logs)
        finally:
            for pod in pods:
                with contextlib.suppress(OSError):
                    cluster.session.delete(
                        f"{cluster.url}{core}/pods/{pod}", json={"gracePeriodSeconds": 0}, timeout=30
                    )
            cluster.send("DELETE", f"{core}/events")


def _collection(resource: Any) -> str:
    group, plural = LISTS[resource["kind"]].rsplit("/", 1)
    return f"{group}/namespaces/{resource['metadata']['namespace']}/{plural}"


def _running() -> dict[str, Any]:
    state = {"running": {"startedAt": "2026-11-27T08:30:00Z"}}
    container = {"name": "model", "image": "x", "imageID": "x", "restartCount": 0, "ready": True, "state": state}
    conditions = [{"type": "Ready", "status": "True"}]
    return {"phase": "Running", "conditions": conditions, "containerStatuses": [container]}


def _crashing() -> dict[str, Any]:
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container=model"}
    ended = {"exitCode": 1, "reason": "Error", "containerID": "containerd://1", "finishedAt": "2026-11-27T08:29:59Z"}
    container = {"name": "model", "image": "x", "imageID": "x", "restartCount": 4, "ready": False}
    container |= {"state": {"waiting": waiting}, "lastState": {"terminated": ended}}
    return {"phase": "Running", "containerStatuses": [container]}


def with_kubeconfig(project: Path, kubeconfig: Path) -> None:
    """Have the stack's cluster by another kubeconfig."""
    stack = project / "stacks" / "Pulumi.own.yaml"
    config = json.loads(stack.read_text())
    config["config"]["airunway:cluster"] = {"kubeconfig": str(kubeconfig)}
    stack.write_text(json.dumps(config))
