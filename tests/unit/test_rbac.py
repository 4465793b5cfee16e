"""Unit (pure): the rights that a stack's update needs. What the real API server and provider say of them is in
tests/cluster.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.live.api_server.resource_names import plural
from airunway.report.chart_objects import chart_objects
from airunway.report.rbac import rbac_objects, rules_of
from airunway.report.rights import Release, Right
from airunway.text.problems import InputError
from tests.unit.samples import plan

ACCOUNT = ("ci", "deployer")


def objects() -> list[dict[str, Any]]:
    rendered = plan({"resources": {"gpu": {"count": 1}}}).rendered
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}}
    return rbac_objects([*rendered.supporting, rendered.resource], "test", ACCOUNT, retained=[namespace])


def manifest(version: str, kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name} | ({"namespace": namespace} if namespace else {}),
        **more,
    }


def can(
    granted: Sequence[dict[str, Any]], verb: str, group: str, resource: str, namespace: str = "", name: str = ""
) -> bool:
    """What the RBAC authorizer says; a request without a name is for all objects."""
    rules = [
        rule
        for role in granted
        if role["kind"] == "ClusterRole" or (role["kind"] == "Role" and role["metadata"]["namespace"] == namespace)
        for rule in role["rules"]
    ]
    return any(
        verb in rule["verbs"]
        and group in rule["apiGroups"]
        and resource in rule["resources"]
        and ("resourceNames" not in rule or name in rule["resourceNames"])
        for rule in rules
    )


def test_an_object_is_written_by_its_name_and_only_what_has_no_name_yet_is_granted_for_all() -> None:
    (role,) = [o for o in objects() if o["kind"] == "Role"]
    assert role["metadata"]["namespace"] == "ml"
    location = {"apiGroups": ["nvidia.com"], "resources": ["dynamographdeployments"]}
    assert [r for r in role["rules"] if r["apiGroups"] == ["nvidia.com"]] == [
        location | {"verbs": ["list", "watch", "create"]},
        location | {"resourceNames": ["demo"], "verbs": ["get", "patch", "delete"]},
    ]
    assert can(objects(), "watch", "", "events", "ml")


def test_what_is_not_waited_for_is_not_observed() -> None:
    service = manifest("v1", "Service", "demo", "ml")
    assert can(rbac_objects([service], "test", ACCOUNT), "watch", "", "endpoints", "ml")
    service["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    result = rbac_objects([service], "test", ACCOUNT)
    assert not any(can(result, "watch", "", resource, "ml") for resource in ("endpoints", "events"))
    assert can(result, "watch", "", "services", "ml"), "that it is gone is waited for"


def test_of_the_cluster_the_stack_s_namespaces_are_patched_and_kube_system_is_read_and_nothing_else() -> None:
    (role,) = [o for o in objects() if o["kind"] == "ClusterRole"]
    location = {"apiGroups": [""], "resources": ["namespaces"]}
    assert role["rules"] == [
        location | {"resourceNames": ["kube-system"], "verbs": ["get"]},
        location | {"resourceNames": ["ml"], "verbs": ["get", "patch"]},
    ]


def test_namespaces_come_first_so_that_the_output_can_be_applied_as_it_is() -> None:
    kinds = [o["kind"] for o in objects()]
    assert kinds[:2] == ["Namespace", "Namespace"]
    bound = {(s["namespace"], s["name"]) for o in objects() for s in o.get("subjects", [])}
    assert bound == {("ci", "deployer")}


def test_a_namespace_that_every_cluster_has_is_not_applied() -> None:
    granted = rbac_objects([manifest("v1", "ConfigMap", "a", "default")], "test", ("kube-system", "deployer"))
    assert [o["metadata"]["name"] for o in granted if o["kind"] == "Namespace"] == []
    assert can(granted, "patch", "", "configmaps", "default", "a")


def test_an_object_without_a_namespace_is_written_by_its_name_only() -> None:
    granted = rbac_objects([manifest("airunway.ai/v1alpha1", "InferenceProviderConfig", "kaito")], "test", ACCOUNT)
    (role,) = [o for o in granted if o["kind"] == "ClusterRole"]
    rules = [r for r in role["rules"] if r["resources"] == ["inferenceproviderconfigs"]]
    assert [r["verbs"] for r in rules if "resourceNames" not in r] == [["list", "watch", "create"]]
    assert [(r["resourceNames"], r["verbs"]) for r in rules if "resourceNames" in r] == [
        (["kaito"], ["get", "patch", "delete"])
    ]


@pytest.mark.parametrize(
    ("kind", "version", "watched"),
    [
        ("Service", "v1", [("", "endpoints")]),
        ("Deployment", "apps/v1", [("apps", "replicasets"), ("", "pods"), ("", "persistentvolumeclaims")]),
        ("Job", "batch/v1", [("", "pods")]),
    ],
)
def test_what_the_provider_watches_to_await_a_kind_is_granted_where_the_kind_is_and_nowhere_else(
    kind: str, version: str, watched: list[tuple[str, str]]
) -> None:
    granted = rbac_objects(
        [manifest(version, kind, "a", "ml"), manifest("v1", "ConfigMap", "b", "other")], "test", ACCOUNT
    )
    assert all(can(granted, verb, group, resource, "ml") for group, resource in watched for verb in ("list", "watch"))
    assert not any(
        can(granted, verb, group, resource, "other") for group, resource in watched for verb in ("list", "watch")
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [({}, ("any", "fast")), ({"storageClassName": "fast"}, ("fast",)), ({"storageClassName": ""}, ())],
)
def test_a_claim_s_storage_class_is_read_by_name_or_any_where_it_is_the_default(
    spec: Any, expected: Sequence[str]
) -> None:
    granted = rbac_objects([manifest("v1", "PersistentVolumeClaim", "a", "ml", spec=spec)], "test", ACCOUNT)
    read = [name for name in ("any", "fast") if can(granted, "get", "storage.k8s.io", "storageclasses", name=name)]
    assert read == [*expected]


def test_a_changed_definition_is_replaced_by_put_and_one_that_is_kept_never_deleted() -> None:
    crd = manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "boxes.example")
    granted = rbac_objects([], "test", ACCOUNT, retained=[crd])
    location = ("apiextensions.k8s.io", "customresourcedefinitions", "", "boxes.example")
    assert [verb for verb in ("create", "get", "update", "patch", "delete") if can(granted, verb, *location)] == [
        "create",
        "get",
        "update",
        "patch",
    ]


ROLE = manifest(
    "rbac.authorization.k8s.io/v1",
    "Role",
    "leader",
    "ops",
    rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
)
CLUSTER_ROLE = manifest(
    "rbac.authorization.k8s.io/v1",
    "ClusterRole",
    "operator",
    rules=[{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}],
)


def binding(kind: str, namespace: str, role: dict[str, Any]) -> dict[str, Any]:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": role["metadata"]["name"]}
    return manifest("rbac.authorization.k8s.io/v1", kind, "bound", namespace, roleRef=reference)


@pytest.mark.parametrize("by_helm", [True, False])
def test_who_writes_roles_holds_what_they_grant_as_the_verb_escalate_would_be_for_any_role(by_helm: bool) -> None:
    roles = [ROLE, CLUSTER_ROLE, binding("RoleBinding", "ops", ROLE), binding("ClusterRoleBinding", "", CLUSTER_ROLE)]
    if by_helm:
        granted = rbac_objects([], "test", ACCOUNT, releases=[Release("operator", "ops", roles)])
    else:
        granted = rbac_objects(roles, "test", ACCOUNT)
    assert can(granted, "get", "", "pods", "ops")
    assert not can(granted, "get", "", "pods", "ml")
    assert can(granted, "list", "", "nodes")
    assert "escalate" not in str(granted)


def test_a_role_is_bound_by_its_name_and_where_the_binding_is() -> None:
    view = manifest("rbac.authorization.k8s.io/v1", "ClusterRole", "view")
    granted = rbac_objects(
        [], "test", ACCOUNT, releases=[Release("operator", "ops", [binding("RoleBinding", "kube-system", view)])]
    )
    location = ("rbac.authorization.k8s.io", "clusterroles", "kube-system")
    assert can(granted, "bind", *location, "view")
    assert not can(granted, "bind", *location, "cluster-admin")
    assert not can(granted, "bind", "rbac.authorization.k8s.io", "clusterroles", "ops", "view")


def test_an_object_of_a_chart_is_in_the_release_s_namespace_unless_it_says_otherwise_or_has_none() -> None:
    config = manifest("nfd.example/v1", "Rule", "rule")
    names = {"kind": "Rule", "plural": "rules"}
    crd = manifest(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "x",
        spec={"group": "nfd.example", "scope": "Cluster", "names": names},
    )
    chart = [
        manifest("v1", "Service", "webhook"),
        manifest("v1", "ConfigMap", "there", "other"),
        CLUSTER_ROLE,
        config,
        crd,
    ]
    granted = rbac_objects([], "test", ACCOUNT, releases=[Release("operator", "ops", chart)])
    assert can(granted, "patch", "", "services", "ops", "webhook")
    assert can(granted, "patch", "", "configmaps", "other", "there")
    assert not can(granted, "patch", "", "configmaps", "ops", "there")
    assert can(granted, "patch", "nfd.example", "rules", "", "rule")
    assert can(granted, "patch", "rbac.authorization.k8s.io", "clusterroles", "", "operator")


def test_a_chart_s_definition_is_not_deleted_as_every_object_of_its_kind_would_go_with_it() -> None:
    crd = manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "boxes.example")
    granted = rbac_objects([], "test", ACCOUNT, releases=[Release("operator", "ops", [crd])])
    location = ("apiextensions.k8s.io", "customresourcedefinitions", "", "boxes.example")
    assert [verb for verb in ("create", "get", "patch", "delete") if can(granted, verb, *location)] == [
        "create",
        "get",
        "patch",
    ]


def test_what_a_chart_keeps_is_not_deleted_and_a_hook_is_watched_by_its_name() -> None:
    remaining = manifest("v1", "ConfigMap", "remaining")
    remaining["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    hook = manifest("batch/v1", "Job", "hook")
    hook["metadata"]["annotations"] = {"helm.sh/hook": "pre-install"}
    granted = rbac_objects([], "test", ACCOUNT, releases=[Release("operator", "ops", [remaining, hook])])
    assert not can(granted, "delete", "", "configmaps", "ops", "remaining")
    assert can(granted, "watch", "batch", "jobs", "ops", "hook")
    assert not can(granted, "watch", "batch", "jobs", "ops", "other")


def test_a_kind_of_a_chart_that_nobody_defines_is_an_error_with_the_way_out() -> None:
    with pytest.raises(InputError) as raised:
        rbac_objects([], "test", ACCOUNT, releases=[Release("operator", "ops", [manifest("x.example/v1", "Odd", "a")])])
    assert (
        str(raised.value)
        == "operator: kind Odd: its resource name is unknown; add its CustomResourceDefinition, as `helm template"
        " --include-crds` does"
    )


NAMES = st.sampled_from(["a", "b", "c"])
NAMESPACES = st.sampled_from(["ml", "ops", "web"])
KINDS = [
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "PersistentVolumeClaim"),
    ("apps/v1", "Deployment"),
    ("batch/v1", "Job"),
    ("kaito.sh/v1beta1", "Workspace"),
    ("nvidia.com/v1alpha1", "DynamoGraphDeployment"),
]
GLOBAL = [
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("airunway.ai/v1alpha1", "InferenceProviderConfig"),
    ("v1", "Namespace"),
]
MANIFESTS = st.lists(
    st.builds(
        lambda kind, name, namespace: manifest(kind[0], kind[1], name, namespace),
        st.sampled_from(KINDS),
        NAMES,
        NAMESPACES,
    )
    | st.builds(lambda kind, name: manifest(kind[0], kind[1], name), st.sampled_from(GLOBAL), NAMES),
    max_size=8,
    unique_by=lambda m: (m["kind"], m["metadata"]["name"], m["metadata"].get("namespace")),
)
RELEASES = st.lists(st.builds(Release, NAMES, NAMESPACES, MANIFESTS), max_size=2)


@given(MANIFESTS, MANIFESTS, RELEASES)
def test_whatever_the_objects_each_can_be_written_and_secrets_are_read_only_by_name_but_where_helm_keeps_its_own(
    manifests: list[Any], remaining: list[Any], releases: list[Release]
) -> None:
    granted = rbac_objects(manifests, "test", ACCOUNT, retained=remaining, releases=releases)
    assert "*" not in str(granted)
    for written in (manifests, remaining, *(release.objects for release in releases)):
        for obj in written:
            location = (obj["apiVersion"].rpartition("/")[0], plural(obj["kind"]), obj["metadata"].get("namespace", ""))
            verbs = (
                ["get", "patch"]
                if obj["kind"] == "Namespace" and written in (manifests, remaining)
                else ["create", "get", "patch"]
            )
            verbs += ["delete"] if written is not remaining and obj["kind"] != "Namespace" else []
            assert [verb for verb in verbs if not can(granted, verb, *location, obj["metadata"]["name"])] == []
    there = {release.namespace for release in releases}
    for namespace in {"", "ci", "ml", "ops", "web"} - there:
        assert [
            verb
            for verb in ("get", "list", "watch", "patch", "delete", "update")
            if can(granted, verb, "", "secrets", namespace)
        ] == []
    assert not any(can(granted, "watch", "", "secrets", namespace) for namespace in there)


@given(MANIFESTS, MANIFESTS, RELEASES)
def test_whatever_the_objects_nothing_that_is_not_among_them_can_be_changed(
    manifests: list[Any], remaining: list[Any], releases: list[Release]
) -> None:
    granted = rbac_objects(manifests, "test", ACCOUNT, retained=remaining, releases=releases)
    records = {("", "secrets", release.namespace) for release in releases}
    for version, kind in [*KINDS, *GLOBAL]:
        for namespace in ("", "ci", "ml", "ops", "web"):
            location = (version.rpartition("/")[0], plural(kind), namespace)
            verbs = ("get", "patch", "update", "delete", "deletecollection")
            assert location in records or [verb for verb in verbs if can(granted, verb, *location, "foreign")] == []


RIGHTS = st.builds(
    Right,
    st.just("ml"),
    st.sampled_from(["", "apps"]),
    st.sampled_from(["x", "y"]),
    st.sampled_from(["get", "list"]),
    st.sampled_from(["", "a", "b"]),
)


@given(st.sets(RIGHTS))
def test_rules_grant_the_rights_they_are_made_of_and_no_others(rights: set[Right]) -> None:
    role = {"kind": "ClusterRole", "rules": rules_of(rights)}
    for group in ("", "apps"):
        for resource in ("x", "y"):
            for verb in ("get", "list"):
                for name in ("", "a", "b"):
                    expected_value = {
                        Right("ml", group, resource, verb, name),
                        Right("ml", group, resource, verb),
                    } & rights
                    assert can([role], verb, group, resource, name=name) == bool(expected_value)


def test_the_objects_of_a_chart_are_read_from_lists_too_and_empty_documents_left_out() -> None:
    text = (
        "# Source: x\n---\napiVersion: v1\nkind: ConfigMapList\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata:"
        " {name: a}}\n---\n"
    )
    assert [o["metadata"]["name"] for o in chart_objects(text, "chart.yaml")] == ["a"]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("", "chart.yaml: contains no objects; must be the output of `helm template`"),
        ("Error", "chart.yaml[0]: 'Error' given, must be an object with apiVersion"),
        ("kind: Pod\nmetadata: {name: a}", "chart.yaml[0].apiVersion: null given, must be a string"),
        ("apiVersion: v1\nkind: Pod", "chart.yaml[0].metadata: null given, must be a map with a name"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: 3}", "chart.yaml[0].metadata.name: 3 given, must be a string"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: []}", "chart.yaml[0].metadata.namespace: [] given"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: [b]}",
            "chart.yaml[0].metadata.annotations: ['b'] given",
        ),
        ("apiVersion: v1\nkind: Role\nmetadata: {name: a}\nrules: {}", None),
        (
            "apiVersion: v1\nkind: Role\nmetadata: {name: a}\nrules: x",
            "chart.yaml[0].rules: 'x' given, must be a list",
        ),
        (
            "apiVersion: v1\nkind: Role\nmetadata: {name: a}\nrules: [x]",
            "chart.yaml[0].rules[0]: 'x' given, must be lists of strings under verbs",
        ),
        (
            "apiVersion: v1\nkind: Role\nmetadata: {name: a}\nrules: [{verbs: get}]",
            "chart.yaml[0].rules[0]: {'verbs': 'get'} given",
        ),
        (
            "apiVersion: v1\nkind: RoleBinding\nmetadata: {name: a}",
            "chart.yaml[0].roleRef: null given, must have the kind Role or ClusterRole",
        ),
        (
            "apiVersion: v1\nkind: ClusterRole\nmetadata: {name: a}\naggregationRule: {x: 1}",
            "chart.yaml[0].aggregationRule: only a cluster administrator may create an aggregated role",
        ),
    ],
)
def test_what_is_no_object_is_refused_with_its_place(text: str, output: str | None) -> None:
    if output is None:
        assert chart_objects(text, "chart.yaml")
        return
    with pytest.raises(InputError) as raised:
        chart_objects(text, "chart.yaml")
    assert str(raised.value).startswith(output)
