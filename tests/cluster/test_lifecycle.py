"""Cluster (real engine, provider and kube-apiserver; charts, operators and node stood in for): preview, up, no change,
refresh, destroy.
"""

import json
from typing import Any

import pytest
from pulumi import automation as auto

from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine, shipped
from tests.cluster.operator import MODELS, operator
from tests.cluster.stacks import Steps, everything, settings, until
from tests.deployments import CPU

TOKEN = "hf_only_the_secret_may_say_this"


@pytest.fixture
def dev(cluster: Cluster, engine: Engine, charts: dict[str, Any]) -> auto.Stack:
    own = {"cluster": {"kubeconfig": str(cluster.kubeconfig())}, "providers": charts}
    return engine.stack("dev", shipped("dev") | own, {"huggingFaceToken": TOKEN})


def test_the_dev_stack_lives_and_dies(cluster: Cluster, engine: Engine, dev: auto.Stack) -> None:
    before = everything(cluster)
    planned = dev.preview().change_summary[auto.OpType.CREATE]
    assert everything(cluster) == before, "a preview changes nothing"

    output: list[str] = []
    created = Steps()
    with operator(cluster):
        result = dev.up(on_event=created, on_output=output.append)
    assert (result.summary.resource_changes or {})[auto.OpType.CREATE] == planned
    assert set(result.outputs["deployments"].value) == {d["name"] for d in shipped("dev")["deployments"]}
    order = [name for _, _, name in created.done]
    (image,) = [name for name in order if name.startswith("aikit-qwen-qwen3-0-6b-gguf-")]
    assert order.index("airunway-builder-deployment") < order.index(image) < order.index("qwen-built")

    assert set(dev.preview().change_summary) == {auto.OpType.SAME}, "a second up changes nothing"
    assert set(dev.up().summary.resource_changes or {}) == {"same"}
    refreshed = Steps()
    dev.refresh(on_event=refreshed)
    assert refreshed.changes() == []

    secrets = [o for path, o in everything(cluster).items() if "/secrets/" in path]
    assert sorted((s["metadata"]["namespace"], s["metadata"]["name"]) for s in secrets) == [
        ("airunway-system", "airunway-registry-login"),
        ("models", "huggingface-token"),
    ]
    texts = {path: json.dumps(o) for path, o in everything(cluster).items() if "/secrets/" not in path}
    texts |= {"output": "".join(output), "messages": "".join(created.messages), "state": engine.state("dev")}
    texts |= {"events": json.dumps(cluster.items("/api/v1/events"))}
    assert [location for location, text in texts.items() if TOKEN in text] == []

    gone = Steps()
    dev.destroy(on_event=gone)
    deleted = gone.kinds("delete")
    assert max(i for i, kind in enumerate(deleted) if kind in MODELS) < min(
        i for i, kind in enumerate(deleted) if kind == "Release"
    )
    until(lambda: not cluster.get("/api/v1/namespaces/models/secrets/huggingface-token"))  # the garbage collector's
    left = {path.rsplit("/", 3)[-3] + "/" + path.rsplit("/", 1)[-1] for path in everything(cluster)}
    remaining = {"airunway-system", "dynamo-system", "kaito-workspace", "models", "ray-system"}
    assert {f"namespaces/{name}" for name in remaining} <= left
    assert {path for path in left if not path.startswith("namespaces/")} == {"persistentvolumeclaims/airunway-registry"}


def test_a_stack_comes_up_again_over_what_an_earlier_one_left(cluster: Cluster, engine: Engine) -> None:
    stack = engine.stack("again", settings(cluster, CPU, namespace="again"))
    with operator(cluster):
        stack.up()
        stack.destroy()
        assert cluster.get("/api/v1/namespaces/again") is not None
        assert (stack.up().summary.resource_changes or {})[auto.OpType.CREATE] > 0
    stack.destroy()
