"""Cluster (real engine, provider and kube-apiserver): states that earlier releases recorded, under today's program."""

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
from tests.cluster.operator import operator
from tests.cluster.stacks import Steps
from tests.deployments import BUILT, CPU, GPU, RAY

UPGRADE = Path(__file__).parents[1] / "upgrade"
RELEASES = sorted(UPGRADE.glob("*.json"))


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
