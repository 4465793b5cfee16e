"""Cluster (real kube-apiserver with upstream's CRDs): what an API server makes of an object is as planned, and a change
that someone made, or that nobody has applied, is told.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.live.plan_difference import fields_not_as_planned
from tests.cluster.apiserver import ROOT, Cluster
from tests.cluster.operator import LISTS, collection
from tests.command import airunway

GOLDEN = ROOT / "tests" / "unit" / "golden"
PATHS = {kind: path for kind, path in LISTS.items() if kind != "ModelDeployment"} | {
    "Deployment": "/apis/apps/v1/deployments",
}
OBJECTS = {
    f"{path.stem} {obj['kind']}": obj
    for path in sorted(GOLDEN.glob("*.yaml"))
    if path.stem != "cases"
    for obj in yaml.safe_load_all(path.read_text())
    if obj["kind"] in PATHS
}


def stored(cluster: Cluster, obj: dict[str, Any]) -> Any:
    """What the API server would store of an object: with its defaults, and written in its own way."""
    group, plural = PATHS[obj["kind"]].rsplit("/", 1)
    path = f"{group}/namespaces/{obj['metadata']['namespace']}/{plural}"
    return cluster.send("POST", f"{path}?dryRun=All&fieldValidation=Strict", obj)


@pytest.mark.parametrize("name", OBJECTS)
def test_what_the_api_server_stores_is_as_planned(name: str, cluster: Cluster) -> None:
    cluster.namespace("ml")
    live = stored(cluster, OBJECTS[name])
    assert live["metadata"]["uid"]
    assert fields_not_as_planned(OBJECTS[name], live) == ()


def test_every_provider_has_objects_here() -> None:
    assert {obj["kind"] for obj in OBJECTS.values()} == set(PATHS)


@pytest.mark.parametrize(
    ("written", "value"), [("1000m", "1"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("1e3", "1e3"), (2, "2")]
)
def test_amounts_that_the_api_server_writes_in_its_own_way_are_as_planned(
    written: Any, value: str, cluster: Cluster
) -> None:
    cluster.namespace("ml")
    planned = next(obj for obj in OBJECTS.values() if obj["kind"] == "Deployment")
    planned = json.loads(json.dumps(planned))
    container = planned["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"limits": {"example.com/amount": "1", "memory": written}}
    live = stored(cluster, planned)
    assert live["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] == value
    assert fields_not_as_planned(planned, live) == ()


def differences(project: Path) -> dict[str, list[str]]:
    done = airunway(project, "status", "--stack", "own", "--format", "json")
    (stack,) = json.loads(done.stdout)
    return {d["name"]: d["notAsPlanned"] for d in stack["deployments"] if d["notAsPlanned"]}


def test_a_change_that_was_not_applied_or_not_planned_is_told(cluster: Cluster, deployed: Path) -> None:
    assert differences(deployed) == {}
    path = collection("DynamoGraphDeployment", "live")
    (graph,) = cluster.items(path)
    patch = {"metadata": {"labels": {"airunway.ai/deployment": "other", "team": "a"}}}
    cluster.send("PATCH", f"{path}/{graph['metadata']['name']}", patch, "application/merge-patch+json")
    file = deployed / "stacks" / "Pulumi.own.yaml"
    content = yaml.safe_load(file.read_text())
    (via,) = [d for d in content["config"]["airunway:deployments"] if d["name"] == "via"]
    via["scaling"] = {"replicas": 3}
    file.write_text(json.dumps(content))
    assert differences(deployed) == {
        "gpu": ["metadata.labels['airunway.ai/deployment']"],
        "via": ["spec.scaling"],
    }
