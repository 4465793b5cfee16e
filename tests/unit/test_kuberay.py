"""Unit (pure): what KubeRay's operator (1.7.0) makes of a changed RayService, foreseen when it is rendered."""

from typing import Any

import pytest

from airunway.report.compare import compare
from tests.unit.samples import plan

RAY = {"provider": {"name": "kuberay"}, "resources": {"gpu": {"count": 1}}}
GROUP = "spec.rayClusterConfig.workerGroupSpecs[0]"
HEAD = "spec.rayClusterConfig.headGroupSpec.template.spec"


def changed(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """What becomes of the RayService between two entries, and which fields force it."""

    def document(fields: dict[str, Any]) -> dict[str, Any]:
        resource = plan(RAY | fields).rendered.resource
        inputs = {key: value for key, value in resource.items() if key not in ("apiVersion", "kind")}
        result = {"urn": "u", "type": "kubernetes:ray.io/v1:RayService", "name": "demo", "inputs": inputs}
        return {"stack": "s", "deployments": [], "resources": [result]}

    (change,) = compare(document(old), document(new)).resources
    return change.operation, change.forced_by


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"scaling": {"replicas": 2}}, {f"{GROUP}.{field}" for field in ("replicas", "minReplicas", "maxReplicas")}),
        (
            {"tolerations": [{"key": "a", "operator": "Exists"}]},
            {f"{GROUP}.template.spec.tolerations", f"{HEAD}.tolerations"},
        ),
    ],
)
def test_a_change_that_reaches_no_pod_in_place_replaces_the_service(change: dict[str, Any], fields: set[str]) -> None:
    for old, new in (({}, change), (change, {})):
        operation, forced = changed(old, new)
        assert operation == "replace"
        assert set(forced) == fields


@pytest.mark.parametrize(
    "change",
    [
        {"engine": {"contextLength": 4096}},
        {"engine": {"image": "registry.example/ray:2"}},
        {"resources": {"gpu": {"count": 1}, "memory": "64Gi"}},
        {"env": [{"name": "A", "value": "b"}]},
        {"nodeSelector": {"pool": "a"}},
    ],
)
def test_a_change_that_a_new_cluster_or_the_application_takes_up_is_made_in_place(change: dict[str, Any]) -> None:
    assert changed({}, change) == ("update", ())
