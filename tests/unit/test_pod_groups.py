"""Unit (pure): the pods that each provider's objects make, with what overrides change of them."""

from typing import Any

import pytest

from airunway.planning import pod_demand
from airunway.planning.deployment import PlannedDeployment
from airunway.provider.live_object import UnreadableError
from airunway.provider.pod_groups import PodGroup
from providers import PROVIDERS
from tests.unit.smallest_deployments import BASES, CASES, planned

TOLERATION = {"key": "dedicated", "operator": "Equal", "value": "models", "effect": "NoSchedule"}


def pod_groups(deployment: PlannedDeployment) -> tuple[PodGroup, ...]:
    found = pod_demand.pod_groups(deployment)
    assert found is not None
    return found


def groups(base: str, **changes: Any) -> dict[str, PodGroup]:
    """The groups with GPUs of a smallest deployment with changes, by role."""
    found = pod_groups(planned(BASES[base] | changes))
    return {group.role: group for group in found if group.gpus}


@pytest.mark.parametrize(("base", "how"), CASES)
def test_every_deployment_asks_for_the_gpus_that_it_was_given(base: str, how: str) -> None:
    counts = [group.gpus for group in pod_groups(planned(BASES[base], how)) if group.gpus]
    spec = BASES[base]
    expected = [1, 1] if "scaling" in spec else [1] if "resources" in spec else []
    assert counts == expected


@pytest.mark.parametrize("base", ["dynamo-vllm-aggregated", "kuberay-vllm-aggregated", "vllm-vllm-aggregated"])
def test_replicas_resources_selectors_and_tolerations_reach_the_pods(base: str) -> None:
    resources = {"gpu": {"count": 4}, "cpu": "8", "memory": "64Gi"}
    changes = {"scaling": {"replicas": 3}, "resources": resources, "nodeSelector": {"zone": "a"}}
    (group,) = groups(base, **changes, tolerations=[TOLERATION]).values()
    assert (group.replicas, group.pods, group.total_gpus) == (3, 3, (12, 12))
    assert (group.cpu, group.memory) == ("8", "64Gi")
    assert group.node_selector == {"zone": "a"}
    assert [toleration.value for toleration in group.tolerations] == ["models"]


def test_a_kaito_preset_takes_a_whole_node_with_its_number_of_gpus() -> None:
    changes = {"model": {"id": "microsoft/phi-4"}, "resources": {"gpu": {"count": 2}}, "nodeSelector": {"zone": "a"}}
    (group,) = groups("kaito-vllm-aggregated", **changes).values()
    assert (group.gpus, group.whole_node, group.replicas) == (2, True, 1)
    assert group.node_selector == {
        "kubernetes.io/os": "linux",
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.count": "2",
        "zone": "a",
    }


def test_a_kaito_pod_tolerates_gpu_taints_beside_its_own() -> None:
    (group,) = groups("kaito-llamacpp-aggregated", tolerations=[TOLERATION]).values()
    assert [toleration.key for toleration in group.tolerations] == ["nvidia.com/gpu", "sku", "dedicated"]
    assert not group.whole_node


def test_a_disaggregated_deployment_has_a_group_for_each_role() -> None:
    scaling = {"prefill": {"replicas": 2, "gpu": {"count": 2}}, "decode": {"gpu": {"count": 4}}}
    found = groups("dynamo-vllm-disaggregated", scaling=scaling)
    assert sorted((group.replicas, group.gpus) for group in found.values()) == [(1, 4), (2, 2)]


def test_overrides_count_as_what_the_cluster_gets() -> None:
    overrides = {"spec": {"components": [{"name": "VllmWorker", "multinode": {"nodeCount": 2}}]}}
    provider = {"name": "dynamo", "overrides": overrides}
    (group,) = groups("dynamo-vllm-aggregated", provider=provider, scaling={"replicas": 5}).values()
    assert (group.replicas, group.nodes, group.pods, group.total_gpus) == (5, 2, 10, (10, 10))


def test_workers_that_scale_have_fewest_and_most() -> None:
    workers = [{"groupName": "gpu-workers", "minReplicas": 1, "maxReplicas": 4}]
    cluster = {"enableInTreeAutoscaling": True, "workerGroupSpecs": workers}
    overrides = {"spec": {"rayClusterConfig": cluster}}
    (group,) = groups("kuberay-vllm-aggregated", provider={"name": "kuberay", "overrides": overrides}).values()
    assert (group.replicas, group.most_replicas, group.total_gpus) == (1, 4, (1, 4))


def test_another_gpu_resource_is_asked_for_by_its_name() -> None:
    resources, engine = {"gpu": {"count": 1, "type": "amd.com/gpu"}}, {"type": "vllm", "image": "rocm/vllm:1"}
    (group,) = groups("dynamo-vllm-aggregated", resources=resources, engine=engine).values()
    assert (group.gpu_resource, group.gpus) == ("amd.com/gpu", 1)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.NAME)
@pytest.mark.parametrize("spec", ["text", [1], {"replicas": "many"}])
def test_an_object_of_another_shape_is_unreadable_or_has_no_gpus(provider: Any, spec: Any) -> None:
    try:
        found = provider.pods({"apiVersion": provider.API_VERSION, "kind": provider.KIND, "spec": spec})
    except UnreadableError:
        return
    assert sum(group.gpus for group in found) == 0
