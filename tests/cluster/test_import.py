"""Cluster (real engine, real kube-apiserver): what a cluster serves already is taken over by a stack, without a
replacement.
"""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.program.stack_plan import stack_plan
from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.operator import collection, operator
from tests.cluster.stacks import Steps, settings
from tests.deployments import CPU, GPU, RAY
from tests.graph.projects import write_project

ROOT = Path(__file__).parents[2]
NAMESPACE = "result"


def objects(folder: Path) -> dict[str, dict[str, Any]]:
    """An object of each kind as somebody else might have made it: without our labels, some with fields that no spec
    has.
    """
    kinds = [d | {"namespace": NAMESPACE} for d in (CPU, GPU, RAY, CPU | {"name": "kept"})]
    result = {}
    for planned in stack_plan(write_project(folder, kinds), "own").deployments:
        obj = copy.deepcopy(planned.rendered.resource)
        del obj["metadata"]["labels"]
        result[planned.name] = obj
    result["gpu"]["spec"]["components"][1]["sharedMemorySize"] = "20Gi"
    result["kept"]["metadata"]["name"] = "foreign"
    result["kept"]["inference"]["template"]["spec"]["hostNetwork"] = True
    return result


@pytest.fixture
def existing(cluster: Cluster, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """They are in the cluster, made by somebody else."""
    cluster.namespace(NAMESPACE)
    (tmp_path / "theirs").mkdir()
    created = {
        name: cluster.send("POST", collection(obj["kind"], NAMESPACE), obj)
        for name, obj in objects(tmp_path / "theirs").items()
    }
    yield created
    for obj in created.values():
        cluster.session.delete(
            f"{cluster.url}{collection(obj['kind'], NAMESPACE)}/{obj['metadata']['name']}", timeout=30
        )


def live(cluster: Cluster, obj: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = cluster.get(f"{collection(obj['kind'], NAMESPACE)}/{obj['metadata']['name']}")
    return result


def imported(cluster: Cluster, folder: Path) -> tuple[list[Any], str, dict[str, Any]]:
    """Entries, all that was printed, and the file of ids."""
    folder.mkdir()
    project = write_project(folder, [], cluster={"kubeconfig": str(cluster.kubeconfig())})
    ids = folder / "ids.json"
    command = [
        sys.executable,
        "-m",
        "airunway.cli",
        "import",
        "--stack",
        "own",
        "--ids",
        str(ids),
        "--cwd",
        str(project),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    own = [e for e in yaml.safe_load(done.stdout) if e.get("namespace") == NAMESPACE]
    return own, done.stdout + done.stderr, json.loads(ids.read_text())


def test_entries_are_proposed_for_what_can_be_expressed_and_the_rest_is_listed(
    cluster: Cluster, existing: dict[str, Any], tmp_path: Path
) -> None:
    entries, output, ids = imported(cluster, tmp_path / "ours")
    assert {e["name"] for e in entries} == {"cpu", "gpu", "ray"}
    (gpu,) = [e for e in entries if e["name"] == "gpu"]
    assert gpu["provider"] == {
        "overrides": {"spec": {"components": [{"name": "VllmWorker", "sharedMemorySize": "20Gi"}]}}
    }
    assert (
        f"# Workspace {NAMESPACE}/foreign has no matching stack entry:\n#  "
        " inference.template.spec.hostNetwork: is true; a deployment renders none" in output
    )
    assert {r["id"] for r in ids["resources"] if "id" in r} >= {f"{NAMESPACE}/{name}" for name in ("cpu", "gpu")}


def test_an_update_takes_them_over_without_a_replacement_or_a_change_of_what_they_say(
    cluster: Cluster, engine: Engine, existing: dict[str, Any], tmp_path: Path
) -> None:
    entries, _, _ = imported(cluster, tmp_path / "ours")
    expected = settings(cluster, *entries, namespace=NAMESPACE)
    steps = Steps()
    with operator(cluster):
        stack = engine.stack("import", expected)
        stack.up(on_event=steps)
    assert [step for step in steps.changes() if "delete" in step[0] or "replace" in step[0]] == []
    for name in ("cpu", "gpu", "ray"):
        before, after = existing[name], live(cluster, existing[name])
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert after["metadata"]["generation"] == before["metadata"]["generation"], "nothing that it says has changed"
    again_steps = Steps()
    stack.preview(on_event=again_steps)
    assert again_steps.changes() == []
    again, *_ = imported(cluster, tmp_path / "again")
    assert len(again) == 3, "another stack sees them still"
    stack.destroy()


def test_the_ids_are_those_that_the_state_has_after_the_objects_were_taken_over(
    cluster: Cluster, engine: Engine, existing: dict[str, Any], tmp_path: Path
) -> None:
    """The state is what `pulumi import --file` would make; that itself takes Pulumi's language host, which is no Go
    module to build.
    """
    entries, _, ids = imported(cluster, tmp_path / "ours")
    with operator(cluster):
        stack = engine.stack("own", settings(cluster, *entries, namespace=NAMESPACE))
        stack.up()
    state = {r["urn"]: r for r in (stack.export_stack().deployment or {})["resources"]}
    named = {r["name"]: r for r in ids["resources"]}
    for expected in (r for r in ids["resources"] if r.get("id", "").startswith(f"{NAMESPACE}/")):
        (result,) = [r for r in state.values() if (r["type"], r.get("id")) == (expected["type"], expected["id"])]
        parent, listed = state[result["parent"]], named[expected["parent"]]
        assert (parent["type"], parent["urn"].rsplit("::", 1)[1]) == (listed["type"], listed["logicalName"])
        assert result["urn"].rsplit("::", 1)[1] == expected["name"]
        assert result["provider"].rpartition("::")[0] == ids["nameTable"][expected["provider"]]
    stack.destroy()
