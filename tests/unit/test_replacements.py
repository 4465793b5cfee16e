"""Unit (pure): what a change of a field means for its object: updated in place, replaced, refused or kept."""

from typing import Any

import pytest

from airunway.report.compare import compare
from airunway.report.difference_text import field_sentence
from airunway.report.markdown import differences_markdown


@pytest.mark.parametrize(
    ("kind", "path", "operation"),
    [
        ("kubernetes:batch/v1:Job", "spec.backoffLimit", "replace"),
        ("kubernetes:core/v1:PersistentVolumeClaim", "spec.accessModes", "replace"),
        ("kubernetes:core/v1:PersistentVolumeClaim", "spec.resources", "update"),
        ("pulumi:providers:kubernetes", "kubeconfig", "update"),
        ("pulumi:providers:kubernetes", "context", "update"),
        ("pulumi:providers:kubernetes", "clusterIdentifier", "replace"),
        ("kubernetes:apps/v1:Deployment", "spec.selector.matchLabels", "replace"),
        ("kubernetes:kaito.sh/v1beta1:Workspace", "metadata.namespace", "replace"),
        ("kubernetes:kaito.sh/v1beta1:Workspace", "resource.count", "replace"),
        ("kubernetes:kaito.sh/v1beta1:Workspace", "inference.template.spec", "replace"),
        ("kubernetes:kaito.sh/v1beta1:Workspace", "resource.partition.mode", "replace"),
        ("kubernetes:kaito.sh/v1beta1:Workspace", "inference.config", "update"),
        ("kubernetes:nvidia.com/v1beta1:DynamoGraphDeployment", "spec.backendFramework", "replace"),
        ("kubernetes:ray.io/v1:RayService", "spec.serveConfigV2", "update"),
    ],
)
def test_a_field_that_can_t_be_changed_in_place_forces_a_replacement_and_is_named(
    kind: str, path: str, operation: str
) -> None:
    def document(value: int) -> dict[str, Any]:
        inputs: Any = value
        for part in reversed(path.split(".")):
            inputs = {part: inputs}
        resource = {"urn": "u", "type": kind, "name": "n", "parent": "", "dependencies": [], "inputs": inputs}
        return {"stack": "s", "deployments": [], "resources": [resource]}

    (change,) = compare(document(1), document(2)).resources
    assert change.operation == operation
    serves = kind.endswith(("Workspace", "DynamoGraphDeployment", "RayService", "apps/v1:Deployment"))
    assert change.interrupts == (serves and operation == "replace")
    output = "forces replacement: deleted, then created again, and not served meanwhile" in field_sentence(
        change.fields[0], change
    )
    assert output == change.interrupts
    assert change.forced_by == ((path,) if operation == "replace" else ())


@pytest.mark.parametrize(
    ("path", "old", "new", "refused"),
    [
        ("spec.storageClassName", "a", "b", True),
        ("spec.storageClassName", None, "b", True),
        ("spec.storageClassName", "a", None, False),
        ("spec.resources.requests.storage", "50Gi", "40Gi", True),
        ("spec.resources.requests.storage", "50Gi", "51201Mi", False),
        ("spec.resources.requests.storage", "50Gi", "60Gi", False),
    ],
)
def test_what_a_volume_can_t_become_is_told_to_be_refused(
    path: str, old: str | None, new: str | None, refused: bool
) -> None:
    def document(value: str | None) -> dict[str, Any]:
        inputs: Any = value
        for part in reversed(path.split(".")):
            inputs = {part: inputs} if inputs is not None else {}
        kind = "kubernetes:core/v1:PersistentVolumeClaim"
        resource = {"urn": "u", "type": kind, "name": "n", "parent": "", "dependencies": [], "inputs": inputs}
        return {"stack": "s", "deployments": [], "resources": [resource]}

    difference = compare(document(old), document(new))
    assert difference.resources[0].refused == ((path,) if refused else ())
    assert ("(refused: volumes" in differences_markdown([difference])) == refused


def test_an_operator_that_is_kept_is_not_said_to_be_removed() -> None:
    release = {
        "urn": "u",
        "type": "kubernetes:helm.sh/v3:Release",
        "name": "kaito-workspace",
        "parent": "",
        "dependencies": [],
    }
    before = {
        "stack": "s",
        "deployments": [],
        "resources": [release | {"inputs": {"version": "0.12.0"}, "retained": True}],
    }
    difference = compare(before, {"stack": "s", "deployments": [], "resources": []})
    assert difference.counts["forget"] == 1
    assert difference.operators == (
        "operator kaito-workspace 0.12.0 stays in the cluster: uninstalling it would delete its CRDs"
        " and all their objects",
    )
