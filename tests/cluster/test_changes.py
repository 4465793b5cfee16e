"""Cluster (real engine, real kube-apiserver): changes of a running stack, and states that earlier releases recorded."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation as auto

from airunway.text.yaml_reading import load_data
from tests.cluster.apiserver import Cluster
from tests.cluster.charts import local_charts
from tests.cluster.engine import Engine
from tests.cluster.operator import LISTS, operator
from tests.cluster.stacks import CPU, GPU, RAY, Steps, everything, forget, names, settings

UPGRADE = Path(__file__).parents[1] / "upgrade"
RELEASES = sorted(UPGRADE.glob("*.json"))
BUILT = {"name": "built", "model": {"id": "org/gguf", "gguf": {"file": "m-Q4_0.gguf", "build": True}}}


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


def recorded(engine: Engine, cluster: dict[str, str]) -> dict[str, Any]:
    """The settings of the recorded stack, which uses every kind of resource, with charts in the project."""
    preset = GPU | {"name": "preset", "provider": {"name": "kaito"}, "engine": {"contextLength": 4096}}
    return {
        "cluster": cluster,
        "namespace": "upgrade",
        "providers": local_charts(engine.project / "charts", engine.project),
        "registry": {"managed": {"nodeCidrs": ["10.0.0.0/16"]}},
        "deployments": [CPU, GPU, RAY, preset, BUILT],
    }


@pytest.mark.skipif(
    os.environ.get("UPGRADE") != "record", reason="records a release's state; `make upgrade-state` runs it"
)
def test_record_the_state_of_this_release(cluster: Cluster, engine: Engine) -> None:
    shutil.copy(cluster.kubeconfig(), engine.project / "kubeconfig")
    stack = engine.stack("upgrade", recorded(engine, {"kubeconfig": "kubeconfig"}), {"huggingFaceToken": "hf_recorded"})
    with operator(cluster):
        stack.up()
    # As it lies on disk: secrets stay encrypted with the tests' passphrase. Where the program lay when it made a
    # resource is left out.
    latest = json.loads(engine.state("upgrade"))["checkpoint"]["latest"]
    for resource in latest["resources"]:
        for key in ("created", "modified", "sourcePosition", "stackTrace"):
            resource.pop(key, None)
    (UPGRADE / f"{os.environ['RELEASE']}.json").write_text(json.dumps(latest, indent=1) + "\n")
    stack.destroy()


def test_there_is_a_recorded_state() -> None:
    assert RELEASES


@pytest.mark.parametrize("release", RELEASES, ids=lambda p: p.stem)
def test_today_s_program_replaces_and_deletes_nothing_of_a_release_s_stack(engine: Engine, release: Path) -> None:
    """By the state alone, as in a preview while the cluster is away: what is recorded is in no cluster. The stack keeps
    the release's images, as the objects that run and build GGUF models can't change theirs.
    """
    images = load_data(release.with_suffix(".images.yaml"))
    config = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
    }
    (engine.project / "kubeconfig").write_text(
        json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "c"} | config)
    )
    expected = recorded(engine, {"kubeconfig": "kubeconfig"}) | {"builder": images["builder"]}
    expected["providers"]["kaito"].setdefault("spec", {})["images"] = images["kaito"]
    stack = engine.stack("upgrade", expected, {"huggingFaceToken": "hf_recorded"})
    deployment = json.loads(release.read_text())
    stack.import_stack(auto.Deployment(version=3, deployment=deployment))
    steps = Steps()
    stack.preview(on_event=steps)
    assert steps.done
    gone = {"replace", "delete", "create-replacement", "delete-replaced", "discard", "discard-replaced"}
    assert not gone & {operation for operation, _, _ in steps.done}, steps.changes()
    kinds = {r["type"].rsplit(":", 1)[-1] for r in deployment["resources"]}
    assert {"Workspace", "DynamoGraphDeployment", "RayService", "Release", "Job", "Secret", "ConfigMap"} <= kinds


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
