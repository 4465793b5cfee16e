"""Cluster (real engine, real kube-apiserver): waiting until a model serves, and what is said when it does not."""

import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.node import Node
from tests.cluster.operator import operator, ready_status, set_status
from tests.cluster.stacks import failed, settings, until
from tests.deployments import CPU, GPU, RAY


@pytest.mark.parametrize(
    ("deployment", "kind", "path"),
    [
        (CPU, "Workspace", "/apis/kaito.sh/v1beta1/namespaces/wait/workspaces/cpu"),
        (GPU, "DynamoGraphDeployment", "/apis/nvidia.com/v1beta1/namespaces/wait/dynamographdeployments/gpu"),
        (RAY, "RayService", "/apis/ray.io/v1/namespaces/wait/rayservices/ray"),
    ],
)
def test_up_ends_when_the_object_is_ready_and_not_before(
    cluster: Cluster, engine: Engine, deployment: object, kind: str, path: str
) -> None:
    stack = engine.stack("wait", settings(cluster, deployment, namespace="wait"))
    made_ready: list[float] = []

    def serve_after_a_while() -> None:
        result = until(lambda: cluster.get(path))
        time.sleep(2)
        made_ready.append(time.monotonic())
        set_status(cluster, kind, result, ready_status(kind, result["metadata"]["generation"]))

    helper = threading.Thread(target=serve_after_a_while)
    helper.start()
    stack.up()
    ended = time.monotonic()
    helper.join()
    assert made_ready
    assert made_ready[0] < ended
    stack.destroy()


def test_what_never_gets_ready_times_out_and_says_who_what_and_where_to_look(cluster: Cluster, engine: Engine) -> None:
    stack = engine.stack("slow", settings(cluster, CPU | {"readyTimeout": "2s"}, namespace="slow"))
    output = failed(stack.up).text
    assert "deployment cpu: Workspace slow/cpu did not get ready" in output
    assert "last status: Pending: no status yet: is its operator running?" in output
    assert "kubectl describe -n slow workspace/cpu" in output
    with operator(cluster):
        stack.up()
    stack.destroy()


POLICY = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
REASON = "This preset does not require a modelAccessSecret"


@pytest.fixture
def refusing(cluster: Cluster) -> Iterator[None]:
    """While it is there, the API server denies Workspaces whose context length is 4096, as an operator's webhook
    does.
    """
    rule = {
        "apiGroups": ["kaito.sh"],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["workspaces"],
    }
    says = "!object.inference.template.spec.containers[0].args.exists(a, a == '--context-size=4096')"
    version = {"apiVersion": "admissionregistration.k8s.io/v1"}
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": says, "message": REASON}]}
    cluster.send(
        "POST", POLICY, version | {"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "test"}, "spec": spec}
    )
    binding = {"metadata": {"name": "test"}, "spec": {"policyName": "test", "validationActions": ["Deny"]}}
    cluster.send("POST", BINDINGS, version | {"kind": "ValidatingAdmissionPolicyBinding"} | binding)
    time.sleep(2)  # the API server compiles it on its own time
    yield
    cluster.send("DELETE", f"{BINDINGS}/test")
    cluster.send("DELETE", f"{POLICY}/test")


def test_a_refusal_is_called_that_and_gives_the_server_s_reason(
    cluster: Cluster, engine: Engine, refusing: None
) -> None:
    stack = engine.stack("refused", settings(cluster, CPU | {"engine": {"contextLength": 4096}}, namespace="refused"))
    text = failed(stack.up).text
    assert "deployment cpu: Workspace refused/cpu was refused by the API server" in text
    assert REASON in text
    assert "did not get ready" not in text
    stack.destroy()


def test_a_conflict_is_called_that_and_says_how_to_win(cluster: Cluster, engine: Engine) -> None:
    path = "/apis/nvidia.com/v1beta1/namespaces/conflict/dynamographdeployments/gpu"
    with operator(cluster):
        stack = engine.stack("conflict", settings(cluster, GPU, namespace="conflict"))
        stack.up()
        theirs: Any = {"apiVersion": "nvidia.com/v1beta1", "kind": "DynamoGraphDeployment"}
        worker = cluster.get(path)["spec"]["components"][1]
        worker["podTemplate"]["spec"]["containers"][0]["args"].append("--theirs")
        theirs |= {"spec": {"components": [worker]}}
        cluster.send("PATCH", f"{path}?fieldManager=somebody&force=true", theirs, "application/apply-patch+yaml")
        changed = GPU | {"engine": {"contextLength": 4096}}
        other = engine.stack("conflict", settings(cluster, changed, namespace="conflict"))
        text = failed(other.up).text
        assert (
            "deployment gpu: DynamoGraphDeployment conflict/gpu was not changed: its fields have other owners" in text
        )
        assert 'conflict with "somebody"' in text
        assert "takeOver: true" in text
        engine.stack("conflict", settings(cluster, changed | {"takeOver": True}, namespace="conflict")).up()
        stack.destroy()


def test_skip_await_returns_at_once(cluster: Cluster, engine: Engine) -> None:
    stack = engine.stack("skip", settings(cluster, CPU | {"skipAwait": True}, namespace="skip"))
    stack.up()
    assert "status" not in cluster.get("/apis/kaito.sh/v1beta1/namespaces/skip/workspaces/cpu")
    stack.destroy()


def test_a_failed_build_says_where_its_log_is(cluster: Cluster, engine: Engine, node: Node) -> None:
    node.failing = "aikit-org-gguf"
    built = {"name": "built", "model": {"id": "org/gguf", "gguf": {"file": "m-Q4_0.gguf", "build": True}}}
    registry = {"managed": {"nodeCidrs": ["10.0.0.0/16"]}}
    stack = engine.stack("build", settings(cluster, built, namespace="build", registry=registry))
    output = failed(stack.up).text
    assert re.search(r"Job airunway-system/aikit-org-gguf-[0-9a-f]+ did not build it", output)
    assert "no such file: m-Q4_0.gguf" in output
    assert "kubectl logs -n airunway-system job/aikit-org-gguf" in output
    assert cluster.get("/apis/kaito.sh/v1beta1/namespaces/build/workspaces/built") is None, (
        "the Workspace comes after its image"
    )
    stack.destroy()
