"""Unit (pure, with upstream's CRDs): the resource name of each kind, from the table and from definitions among the
objects.
"""

from typing import Any

import pytest
import yaml

from airunway.live.api_server.resource_names import defined_names, plural, table
from airunway.report.rbac import rbac_objects
from airunway.text.problems import InputError
from tests.upstream_crds import crd_folder


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Gateway", "gateways"),
        ("Endpoints", "endpoints"),
        ("NetworkPolicy", "networkpolicies"),
        ("Ingress", "ingresses"),
        ("StorageClass", "storageclasses"),
        ("DynamoGraphDeployment", "dynamographdeployments"),
        ("InferenceProviderConfig", "inferenceproviderconfigs"),
    ],
)
def test_a_kind_has_the_name_that_the_api_gives_it(kind: str, name: str) -> None:
    assert plural(kind) == name


def test_no_kind_stands_in_the_table_with_two_names() -> None:
    pairs = {(kind, name) for kinds in table().values() for kind, name in kinds.items()}
    assert len(pairs) == len({kind for kind, _ in pairs})


def test_upstream_names_its_kinds_as_the_table_does() -> None:
    definitions = [yaml.load(path.read_text(), yaml.CSafeLoader) for path in sorted(crd_folder().rglob("*.yaml"))]
    known = {kind for kinds in table().values() for kind in kinds}
    names = {d["spec"]["names"]["kind"]: d["spec"]["names"]["plural"] for d in definitions}
    ours = {kind: name for kind, name in names.items() if kind in known}
    assert set(ours) >= {"Workspace", "DynamoGraphDeployment", "RayService"}
    assert {kind: plural(kind) for kind in ours} == ours


def test_an_unknown_kind_is_an_error_with_the_way_out() -> None:
    with pytest.raises(InputError) as raised:
        plural("Servise")
    assert str(raised.value) == (
        "kind Servise: its resource name is unknown, so no RBAC rule can name it; "
        "list its CustomResourceDefinition in airunway:controller.manifests"
    )


def crd(kind: str, name: Any) -> dict[str, Any]:
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x"}} | {
        "spec": {"names": {"kind": kind, "plural": name}}
    }


def test_a_definition_among_the_objects_names_its_kind() -> None:
    box = {"apiVersion": "boxes.example/v1", "kind": "Box", "metadata": {"name": "one", "namespace": "ml"}}
    (role,) = [o for o in rbac_objects([box, crd("Box", "boxen")], "test", ("ci", "deployer")) if o["kind"] == "Role"]
    assert (["boxes.example"], ["boxen"]) in [(r["apiGroups"], r["resources"]) for r in role["rules"]]


@pytest.mark.parametrize(
    "odd", [{}, {"spec": None}, {"spec": {"names": []}}, {"spec": {"names": {"kind": ["a"], "plural": 3}}}]
)
def test_a_definition_of_odd_shape_names_nothing(odd: dict[str, Any]) -> None:
    assert defined_names([{"kind": "CustomResourceDefinition", **odd}]) == {}
