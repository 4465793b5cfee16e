"""Cluster (real engine, provider and kube-apiserver): changes of a running stack."""

from typing import Any

import pytest

from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.operator import LISTS, operator
from tests.cluster.stacks import Steps, everything, forget, names, settings
from tests.deployments import CPU, GPU, RAY


def test_a_deployment_that_the_rules_move_is_first_served_by_the_new_provider_then_gone_from_the_old(
    cluster: Cluster, engine: Engine
) -> None:
    moving = {"name": "moving", "model": {"id": "org/model"}}
    with operator(cluster):
        engine.stack("move", settings(cluster, moving, GPU, namespace="move")).up()
        untouched = cluster.get("/apis/nvidia.com/v1beta1/namespaces/move/dynamographdeployments/gpu")["metadata"]
        steps = Steps()
        stack = engine.stack(
            "move", settings(cluster, moving | {"resources": {"gpu": {"count": 1}}}, GPU, namespace="move")
        )
        stack.up(on_event=steps)
    models = [step for step in steps.changes() if step[2] == "moving"]
    assert models == [("create", "DynamoGraphDeployment", "moving"), ("delete", "Workspace", "moving")]
    assert {name for _, _, name in steps.changes()} <= {"moving", "kaito-workspace"}, (
        "only its old operator goes with it"
    )
    assert names(cluster, "Workspace", "move") == []
    assert (
        cluster.get("/apis/nvidia.com/v1beta1/namespaces/move/dynamographdeployments/gpu")["metadata"]["uid"]
        == untouched["uid"]
    )
    stack.destroy()


def test_a_changed_field_is_an_update_in_place(cluster: Cluster, engine: Engine) -> None:
    with operator(cluster):
        stack = engine.stack("field", settings(cluster, GPU, namespace="field"))
        stack.up()
        steps = Steps()
        engine.stack("field", settings(cluster, GPU | {"engine": {"contextLength": 4096}}, namespace="field")).up(
            on_event=steps
        )
    assert steps.changes() == [("update", "DynamoGraphDeployment", "gpu")]
    stack.destroy()


REPLACED = [("delete-replaced", "Workspace", "cpu"), ("replace", "Workspace", "cpu")]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"nodeSelector": {"pool": "cpu"}}, id="that the operator refuses"),
        pytest.param({"engine": {"contextLength": 4096}}, id="of the template, which the operator ignores"),
    ],
)
def test_a_change_that_the_operator_would_not_bring_to_the_pods_makes_the_object_anew(
    cluster: Cluster, engine: Engine, change: Any
) -> None:
    with operator(cluster):
        engine.stack("anew", settings(cluster, CPU, namespace="anew")).up()
        path = "/apis/kaito.sh/v1beta1/namespaces/anew/workspaces/cpu"
        before = cluster.get(path)["metadata"]["uid"]
        previewed, steps = Steps(), Steps()
        stack = engine.stack("anew", settings(cluster, CPU | change, namespace="anew"))
        stack.preview(on_event=previewed)
        stack.up(on_event=steps)
        assert (stack.up().summary.resource_changes or {}).keys() == {"same"}
    assert "replace" in {operation for operation, _, _ in previewed.changes()}
    assert [step for step in steps.changes() if step[0] != "create-replacement"] == REPLACED
    assert cluster.get(path)["metadata"]["uid"] != before
    stack.destroy()


@pytest.mark.parametrize("deployment", [CPU, GPU, RAY], ids=lambda d: d["name"])
def test_an_object_that_the_state_has_lost_is_taken_over_and_can_be_changed(
    cluster: Cluster, engine: Engine, deployment: Any
) -> None:
    """The operator has written its status meanwhile, the API server its defaults; a killed update leaves just this."""
    kind = {"cpu": "Workspace", "gpu": "DynamoGraphDeployment", "ray": "RayService"}[deployment["name"]]

    def uid() -> str:
        (obj,) = [o for o in cluster.items(LISTS[kind]) if o["metadata"]["namespace"] == "lost"]
        return str(obj["metadata"]["uid"])

    with operator(cluster):
        stack = engine.stack("lost", settings(cluster, deployment, namespace="lost"))
        stack.up()
        before = uid()
        forget(stack, kind)
        stack = engine.stack(
            "lost", settings(cluster, deployment | {"engine": {"contextLength": 4096}}, namespace="lost")
        )
        stack.preview()
        stack.up()
        assert (stack.up().summary.resource_changes or {}).keys() == {"same"}
    assert uid() == before
    stack.destroy()


def test_an_object_edited_by_hand_is_drift_that_refresh_shows_and_up_corrects(cluster: Cluster, engine: Engine) -> None:
    path = "/apis/kaito.sh/v1beta1/namespaces/drift/workspaces/cpu"
    stack = engine.stack("drift", settings(cluster, CPU, namespace="drift"))
    with operator(cluster):
        stack.up()
        edit = {"inference": {"template": {"metadata": {"labels": {"airunway.ai/deployment": "edited"}}}}}
        cluster.send("PATCH", path, edit, "application/merge-patch+json")
        refreshed, corrected = Steps(), Steps()
        stack.refresh(on_event=refreshed)
        assert refreshed.changes() == [("update", "Workspace", "cpu")]
        # The hand's edit owns the field now; taking it back is a conflict that Pulumi names, until the hand lets go.
        live = cluster.get(path)
        live["metadata"]["managedFields"] = [
            m for m in live["metadata"]["managedFields"] if m["operation"] == "Apply" or m.get("subresource")
        ]
        cluster.send("PUT", path, live)
        stack.up(on_event=corrected)
    # What was edited reached no pod, but that can't be told from a change of the program's.
    assert [step for step in corrected.changes() if step[0] != "create-replacement"] == REPLACED
    assert cluster.get(path)["inference"]["template"]["metadata"]["labels"]["airunway.ai/deployment"] == "cpu"
    stack.destroy()


def test_an_object_deleted_by_hand_comes_back(cluster: Cluster, engine: Engine) -> None:
    path = "/apis/kaito.sh/v1beta1/namespaces/lost/workspaces/cpu"
    stack = engine.stack("lost", settings(cluster, CPU, namespace="lost"))
    with operator(cluster):
        stack.up()
        cluster.send("DELETE", path)
        stack.refresh()
        steps = Steps()
        stack.up(on_event=steps)
    assert steps.changes() == [("create", "Workspace", "cpu")]
    stack.destroy()


def test_a_namespace_that_exists_is_taken_over_and_kept(cluster: Cluster, engine: Engine) -> None:
    cluster.namespace("ray-system")
    before = cluster.get("/api/v1/namespaces/ray-system")["metadata"]["uid"]
    stack = engine.stack("taken", settings(cluster, RAY, namespace="taken"))
    with operator(cluster):
        stack.up()
    stack.destroy()
    assert cluster.get("/api/v1/namespaces/ray-system")["metadata"]["uid"] == before
    assert not any("/taken/" in path for path in everything(cluster) if "namespaces" not in path)
