"""Take the pictures in docs/ of a stack that runs: `make live-pictures`. Needs Chromium, and Go once.

Real are the API server, its etcd and what the console reads of them. Stood in for, as in tests/cluster: operators, by
statuses that were seen of real ones (tests/unit/status_cases.yaml); the scheduler and kubelets, by pods and events that
are written here; the model, by a server that answers the same to every question and has vLLM's metrics.
"""

import json
import math
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airunway.planning.plan import PlannedProvider
from airunway.program.stack_plan import stack_plan
from airunway.text.yaml_reading import load_data
from tests.chromium import ROOT, console, launched
from tests.cluster.apiserver import Cluster, running_cluster
from tests.cluster.kubelet import node as forwarding_node
from tests.cluster.openai_server import Model, model_server
from tests.cluster.operator import collection, set_status
from tests.graph.projects import write_project

_STACK, _NAMESPACE, _CHAT = "prod", "models", "phi-chat"
_CORE = f"/api/v1/namespaces/{_NAMESPACE}"
_DEPLOYMENTS: list[dict[str, Any]] = [
    {"name": _CHAT, "model": {"id": "microsoft/Phi-4-mini-instruct"}, "provider": {"name": "kaito"}},
    {"name": "llama-chat", "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"}, "scaling": {"replicas": 2}},
    {"name": "mistral-ray", "model": {"id": "mistralai/Mistral-7B-Instruct-v0.3"}, "provider": {"name": "kuberay"}},
    {"name": "qwen-cpu", "model": {"id": "Qwen/Qwen3-0.6B-GGUF", "gguf": {"file": "Qwen3-0.6B-Q8_0.gguf"}}},
]
_ON_CPU = ("qwen-cpu",)
_ANSWER = "The keys and values of the tokens so far, so that they need not be computed again for each next one."
_WATCHED = 150
"""Seconds for which the page is open before its picture is taken: the plots are of this time."""


def main() -> None:
    """Take the pictures of the overview and of a deployment's page. Raises what goes wrong."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        (folder / "cluster").mkdir()
        cluster = opened.enter_context(running_cluster(folder / "cluster"))
        project = _project(folder / "project", cluster)
        model = opened.enter_context(model_server())
        node = opened.enter_context(forwarding_node(cluster, folder))
        model.answer = _ANSWER
        _have(cluster, project, node, model)
        opened.enter_context(_work(model))
        url = opened.enter_context(console(project, stack=_STACK))
        page = opened.enter_context(launched()).new_page(viewport={"width": 1280, "height": 760})
        page.goto(url)
        page.locator("#status .phase", has_text="Running").first.wait_for()
        page.screenshot(path=ROOT / "docs" / "overview.png")
        page.set_viewport_size({"width": 1280, "height": 1320})
        page.goto(f"{url.split('/stacks/')[0]}/stacks/{_STACK}/deployments/{_CHAT}")
        page.locator("#live[data-state=running]").wait_for()
        page.click("#conditions summary")
        page.wait_for_timeout(_WATCHED * 1000)
        page.fill("#question", "What does a KV cache hold?")
        page.click("#send")
        page.locator("#conversation .assistant", has_text="computed again").wait_for()
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        end = page.locator("h2", has_text="Why kaito").bounding_box()["y"]
        clip = {"x": 0, "y": 0, "width": 1280, "height": end}
        page.screenshot(path=ROOT / "docs" / "deployment.png", full_page=True, clip=clip)


def _project(folder: Path, cluster: Cluster) -> Path:
    """A project whose stack has the deployments, and whose operators another team runs."""
    folder.mkdir()
    on_gpu = {"resources": {"gpu": {"count": 1}}}
    deployments = [d | ({} if d["name"] in _ON_CPU else on_gpu) | {"namespace": _NAMESPACE} for d in _DEPLOYMENTS]
    project = write_project(folder, deployments, cluster={"kubeconfig": str(cluster.kubeconfig())})
    file = project / "stacks" / "Pulumi.own.yaml"
    config = load_data(file)
    config["config"]["airunway:providers"] = {p: {"installation": "existing"} for p in ("kaito", "dynamo", "kuberay")}
    file.with_name(f"Pulumi.{_STACK}.yaml").write_text(json.dumps(config))
    file.unlink()
    return project


def _have(cluster: Cluster, project: Path, node: str, model: Model) -> None:
    """Have the objects with their statuses, the pods of one, and events."""
    cluster.namespace(_NAMESPACE)
    cases = load_data(ROOT / "tests" / "unit" / "status_cases.yaml")
    healthy = cases["Workspace"]["healthy"]["status"] | {"targetNodeCount": 1, "workerNodes": ["gpu-1"]}
    statuses = {
        _CHAT: healthy,
        "qwen-cpu": healthy,
        "llama-chat": {"state": "successful", "components": {"VllmWorker": _ready(2), "Frontend": _ready(1)}},
        "mistral-ray": cases["RayService"]["progressing"]["status"],
    }
    for planned in stack_plan(project, _STACK).deployments:
        resource = planned.rendered.resource
        for obj in (*planned.rendered.supporting, resource):
            if obj["kind"] == "ConfigMap":
                cluster.send("POST", f"{_CORE}/configmaps", obj)
        live = cluster.send("POST", collection(resource["kind"], _NAMESPACE), resource)
        set_status(cluster, resource["kind"], live or resource, _dated(statuses[planned.name]))
    labels = {"airunway.ai/deployment": _CHAT}
    ports = [{"port": 80, "targetPort": "http"}]
    service = {"selector": labels, "ports": ports, "clusterIP": "None"}
    cluster.send("POST", f"{_CORE}/services", {"metadata": {"name": _CHAT}, "spec": service})
    container = {"name": _CHAT, "image": "x", "ports": [{"name": "http", "containerPort": model.server_port}]}
    spec = {"nodeName": node, "containers": [container]}
    cluster.send("POST", f"{_CORE}/pods", {"metadata": {"name": f"{_CHAT}-0", "labels": labels}, "spec": spec})
    running = {"name": _CHAT, "image": "x", "imageID": "x", "restartCount": 0, "ready": True}
    running["state"] = {"running": {"startedAt": _ago(minutes=50)}}
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [running]}
    cluster.send("PATCH", f"{_CORE}/pods/{_CHAT}-0/status", {"status": status}, "application/merge-patch+json")
    _have_events(cluster)
    _have_operators(cluster, stack_plan(project, _STACK).providers)


def _have_operators(cluster: Cluster, providers: Iterable[PlannedProvider]) -> None:
    """Have the record of each operator's release, and a Deployment of it, which here has no pods."""
    for chart in (chart for provider in providers for chart in provider.config.spec.installation.helm_charts):
        cluster.namespace(chart.namespace)
        labels = {"owner": "helm", "name": chart.name, "version": "1", "status": "deployed"}
        secret = {"metadata": {"name": f"sh.helm.release.v1.{chart.name}.v1", "labels": labels}}
        cluster.send("POST", f"/api/v1/namespaces/{chart.namespace}/secrets", secret)
        release = {"meta.helm.sh/release-name": chart.name, "meta.helm.sh/release-namespace": chart.namespace}
        pod = {"metadata": {"labels": {"app": chart.name}}, "spec": {"containers": [{"name": "manager", "image": "x"}]}}
        spec = {"replicas": 0, "selector": {"matchLabels": {"app": chart.name}}, "template": pod}
        deployment = {"metadata": {"name": chart.name, "annotations": release}, "spec": spec}
        cluster.send("POST", f"/apis/apps/v1/namespaces/{chart.namespace}/deployments", deployment)


def _have_events(cluster: Cluster) -> None:
    told = [
        (_CHAT, "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 44, 9),
        (_CHAT, "Normal", "Started", "Container started", 50, 1),
        (_CHAT, "Normal", "Pulled", "Container image already present on machine and can be accessed by the pod", 50, 1),
        (_CHAT, "Normal", "Scheduled", f"Successfully assigned {_NAMESPACE}/{_CHAT}-0 to gpu-1", 51, 1),
        ("mistral-ray", "Warning", "FailedScheduling", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", 4, 7),
    ]
    for number, (name, kind, reason, message, minutes, count) in enumerate(told):
        involved = {"kind": "Pod", "namespace": _NAMESPACE, "name": f"{name}-0"}
        event = {"metadata": {"name": f"{name}-0.{number}"}, "involvedObject": involved, "type": kind, "count": count}
        event |= {"reason": reason, "message": message, "lastTimestamp": _ago(minutes=minutes)}
        cluster.send("POST", f"{_CORE}/events", event | {"source": {"component": "kubelet"}})


def _ready(replicas: int) -> dict[str, Any]:
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), replicas)
    return {"componentKind": "Deployment", "componentNames": [], **counts}


def _dated(status: dict[str, Any]) -> dict[str, Any]:
    """The status with what the CRDs require of its conditions."""
    conditions = status.get("conditions")
    dated = [{"reason": "Test", "lastTransitionTime": _ago(minutes=44), **c} for c in conditions or ()]
    return status | ({"conditions": dated} if conditions else {})


def _ago(**since: float) -> str:
    return (datetime.now(UTC) - timedelta(**since)).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def _work(model: Model) -> Iterator[None]:
    """Meanwhile the model is as if it had requests, as many as in waves."""
    over = threading.Event()

    def work() -> None:
        started = time.monotonic()
        while not over.wait(1):
            wave = 0.5 + 0.5 * math.sin((time.monotonic() - started) / 12)
            running = round(2 + 14 * wave)
            model.running.set(running)
            model.waiting.set(max(0, running - 13))
            model.cache.set(0.08 + 0.5 * wave)
            model.generated.inc(38 * running)
            model.prompted.inc(110 * running)
            model.answered.inc(0.3 * running)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


if __name__ == "__main__":
    main()
