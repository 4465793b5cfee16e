"""Unit (pure): what leads out of a pod's isolation, and the namespaces of the system, are for stacks that allow it."""

from typing import Any

import pytest

from airunway.planning.files import Files
from airunway.planning.isolation import guarded
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError
from providers import PROVIDERS
from tests.unit.samples import GPU

RAY: dict[str, Any] = {"name": "a", "model": {"id": "org/model"}, "provider": {"name": "kuberay"}, **GPU}


def planned(entry: dict[str, Any], **settings: Any) -> Plan:
    base = {"cluster": {"context": "kind"}, "namespace": "ml", "deployments": [entry]}
    return plan_stack(parse_settings(base | settings), Files.from_texts({}), PROVIDERS)


def problems(entry: dict[str, Any], **settings: Any) -> list[str]:
    with pytest.raises(InputError) as refused:
        planned(entry, **settings)
    return [str(problem) for problem in refused.value.problems]


def overriding(head: dict[str, Any]) -> dict[str, Any]:
    """A Ray deployment whose head pod has ``head`` in its spec."""
    pod = {"rayClusterConfig": {"headGroupSpec": {"template": {"spec": head}}}}
    result: dict[str, Any] = merge_patch(RAY, {"provider": {"overrides": {"spec": pod}}})
    return result


HEAD = "deployments[0].provider.overrides.spec.rayClusterConfig.headGroupSpec.template.spec"


@pytest.mark.parametrize(
    ("head", "path"),
    [
        ({"hostUsers": True}, "hostUsers"),
        ({"shareProcessNamespace": True}, "shareProcessNamespace"),
        ({"volumes": [{"name": "node", "hostPath": {"path": "/"}}]}, "volumes[0].hostPath"),
        (
            {"containers": [{"name": "ray-head", "ports": [{"containerPort": 1, "hostPort": 1}]}]},
            "containers[0].ports[0].hostPort",
        ),
        (
            {"initContainers": [{"name": "i", "image": "i", "securityContext": {"privileged": True}}]},
            "initContainers[0].securityContext",
        ),
        (
            {"volumes": [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]},
            "volumes[0].projected.sources[0].serviceAccountToken",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_leads_out_of_the_pod_is_refused_where_it_stands_until_the_stack_allows_it(
    head: dict[str, Any], path: str
) -> None:
    key = path.rpartition(".")[2]
    entry = overriding(head)
    assert problems(entry) == [
        f"{HEAD}.{path}: can't be overridden for security reasons, unless airunway:allowed.overrides lists {key}"
    ]
    plan = planned(entry, allowed={"overrides": [key]})
    assert [w for w in plan.warnings if "allowed by" in w] == [
        f"a: {HEAD.partition('.')[2]}.{path}: allowed by airunway:allowed.overrides"
    ]


@pytest.mark.parametrize("key", ["serviceType", "authOptions", "networkPolicy"])
def test_what_is_closed_of_a_ray_cluster_is_opened_by_the_stack_only(key: str) -> None:
    group = {"headGroupSpec": {key: "LoadBalancer"}} if key == "serviceType" else {key: {"mode": "x"}}
    entry = RAY | {"provider": {"name": "kuberay", "overrides": {"spec": {"rayClusterConfig": group}}}}
    (problem,) = problems(entry)
    assert problem.endswith(f"unless airunway:allowed.overrides lists {key}")


@pytest.mark.parametrize("key", guarded()["overrides"])
def test_every_guarded_key_is_refused_at_any_depth_and_names_what_opens_it(key: str) -> None:
    entry = RAY | {"provider": {"name": "kuberay", "overrides": {"spec": {"x": [{"y": {key: "z"}}]}}}}
    assert f"deployments[0].provider.overrides.spec.x[0].y.{key}: can't be overridden" in problems(entry)[0]


def test_an_allowed_key_opens_no_other() -> None:
    entry = overriding({"hostUsers": True, "volumes": [{"name": "node", "hostPath": {"path": "/"}}]})
    assert [p.partition(": ")[0] for p in problems(entry, allowed={"overrides": ["hostUsers"]})] == [
        f"{HEAD}.volumes[0].hostPath"
    ]


def test_a_key_that_is_not_guarded_can_t_be_allowed() -> None:
    assert problems(RAY, allowed={"overrides": ["hostpath"]})[0].startswith(
        "allowed.overrides[0]: no guarded key 'hostpath'; did you mean 'hostPath'?"
    )
    assert problems(RAY, allowed={"override": []})[0].startswith("allowed.override: unknown key")


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "airunway-system", "ray-system", "dynamo-system"])
def test_a_namespace_of_the_system_or_of_an_operator_is_refused_until_the_stack_allows_it(namespace: str) -> None:
    reason = "is reserved for the system, unless airunway:allowed.namespaces lists it"
    expected = [f"deployments[0].namespace: '{namespace}' {reason}"]
    assert problems(RAY | {"namespace": namespace}) == expected
    assert problems(RAY, namespace=namespace) == expected
    assert planned(RAY | {"namespace": namespace}, allowed={"namespaces": [namespace]}).deployments


def test_a_namespace_of_an_operator_that_others_installed_is_theirs_to_guard() -> None:
    existing = {"kuberay": {"installation": "existing"}}
    assert planned(RAY | {"namespace": "ray-system"}, providers=existing).deployments
