"""Tier 1 (pure): the rights that a stack's update needs."""

from typing import Any

from providers.rbac import rbac_objects
from tests.unit.samples import plan


def objects() -> list[dict[str, Any]]:
    rendered = plan({"resources": {"gpu": {"count": 1}}}).rendered
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}
    return rbac_objects([namespace, *rendered.supporting, rendered.resource], "test", ("ci", "deployer"))


def test_every_right_is_for_what_the_stack_holds() -> None:
    (role,) = [o for o in objects() if o["kind"] == "Role"]
    assert role["metadata"]["namespace"] == "ml"
    written = [r for r in role["rules"] if "create" in r["verbs"]]
    assert [(r["apiGroups"], r["resources"]) for r in written] == [(["nvidia.com"], ["dynamographdeployments"])]


def test_nothing_is_granted_cluster_wide_but_the_named_namespaces_and_no_deletion_of_them() -> None:
    (role,) = [o for o in objects() if o["kind"] == "ClusterRole"]
    (rule,) = role["rules"]
    assert rule["resourceNames"] == ["ci", "ml"]
    assert "delete" not in rule["verbs"]
    assert "create" not in rule["verbs"]


def test_no_rule_has_a_wildcard() -> None:
    assert "*" not in str(objects())


def test_namespaces_come_first_so_that_the_output_can_be_applied_as_it_is() -> None:
    kinds = [o["kind"] for o in objects()]
    assert kinds[:2] == ["Namespace", "Namespace"]
    bound = {(s["namespace"], s["name"]) for o in objects() for s in o.get("subjects", [])}
    assert bound == {("ci", "deployer")}


def test_an_object_without_a_namespace_is_written_by_its_name_only() -> None:
    config = {"apiVersion": "airunway.ai/v1alpha1", "kind": "InferenceProviderConfig", "metadata": {"name": "kaito"}}
    (role,) = [o for o in rbac_objects([config], "test", ("ci", "deployer")) if o["kind"] == "ClusterRole"]
    rules = [r for r in role["rules"] if r["resources"] == ["inferenceproviderconfigs"]]
    assert [r["verbs"] for r in rules if "resourceNames" not in r] == [["create", "list", "watch"]]
    assert [(r["resourceNames"], r["verbs"]) for r in rules if "resourceNames" in r] == [(["kaito"], ["get", "patch", "delete"])]
