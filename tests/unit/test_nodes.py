"""Unit (pure): nodes become pools by their pool's label, their GPUs and their taints."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.assessment.node_pool import NodePool
from airunway.live.nodes import Node, merged, node_pools
from airunway.planning.node_pools import pools_in
from airunway.provider.live_object import UnreadableError, read_as
from airunway.text.problems import InputError
from airunway.text.yaml_writing import to_yaml

GPU_LABELS = {
    "cloud.google.com/gke-nodepool": "h100",
    "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
    "nvidia.com/gpu.count": "8",
    "nvidia.com/gpu.present": "true",
    "kubernetes.io/os": "linux",
}


def node(name: str, labels: dict[str, str], *, gpus: str = "0", taints: Any = (), **allocatable: str) -> Node:
    amounts = {"cpu": "16", "memory": "64Gi", "nvidia.com/gpu": gpus} | allocatable
    return read_as(
        Node,
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels | {"kubernetes.io/hostname": name}},
            "spec": {"taints": list(taints)} if taints else {},
            "status": {"allocatable": amounts},
        },
    )


def test_nodes_of_one_pool_are_counted_with_what_the_smallest_has() -> None:
    nodes = [node("a", GPU_LABELS, gpus="8"), node("b", GPU_LABELS, gpus="8", memory="60Gi")]
    (pool,) = node_pools(nodes)
    assert (pool.name, pool.nodes, pool.gpus, pool.memory, pool.cpu) == ("h100", 2, 16, "60Gi", "16")
    assert pool.gpu
    assert pool.gpu.product == "NVIDIA-H100-80GB-HBM3"
    assert pool.labels == {"cloud.google.com/gke-nodepool": "h100"}  # the others are what such a pool has anyway


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("eks.amazonaws.com/nodegroup", "gpu"),
        ("kubernetes.azure.com/agentpool", "gpu"),
        ("karpenter.sh/nodepool", "gpu"),
        ("node.kubernetes.io/instance-type", "gpu"),
        ("example.com/other", "nodes"),
    ],
)
def test_a_pool_is_called_what_its_cloud_calls_it(label: str, name: str) -> None:
    assert [pool.name for pool in node_pools([node("a", {label: "gpu"})])] == [name]


def test_nodes_of_one_label_with_other_gpus_or_taints_are_pools_of_their_own() -> None:
    taint = {"key": "dedicated", "value": "x", "effect": "NoSchedule"}
    nodes = [
        node("a", GPU_LABELS, gpus="8"),
        node("b", GPU_LABELS, gpus="4"),
        node("c", GPU_LABELS, gpus="8", taints=[taint]),
    ]
    pools = node_pools(nodes)
    assert len({pool.name for pool in pools}) == 3
    assert sorted((pool.gpus, len(pool.taints)) for pool in pools) == [(4, 0), (8, 0), (8, 1)]


def test_a_taint_that_passes_is_none_of_the_pool() -> None:
    passing = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"}
    lasting = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule", "timeAdded": None}
    (pool,) = node_pools([node("a", {}, taints=[passing, lasting])])
    assert list(map(str, pool.taints)) == ["nvidia.com/gpu=present:NoSchedule"]


def test_gpus_of_other_makers_are_gpus() -> None:
    (pool,) = node_pools([node("a", {"amd.com/gpu.product-name": "MI300X"}, **{"amd.com/gpu": "4"})])
    assert pool.gpu
    assert (pool.gpu.product, pool.gpu.count, pool.gpu.resource) == ("MI300X", 4, "amd.com/gpu")


def test_prices_and_sizes_that_a_person_wrote_are_kept() -> None:
    found = node_pools([node("a", GPU_LABELS, gpus="8"), node("b", {"karpenter.sh/nodepool": "cpu"})])
    written = [
        NodePool.model_validate({"name": "h100", "minNodes": 0, "maxNodes": 9, "pricePerHour": 98.5}),
        NodePool.model_validate({"name": "gone", "nodes": 1}),
    ]
    by_name = {pool.name: pool for pool in merged(found, written)}
    assert by_name.keys() == {"h100", "cpu"}
    assert (by_name["h100"].nodes, by_name["h100"].size, by_name["h100"].price_per_hour) == (None, 9, 98.5)
    assert by_name["cpu"].nodes == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 8), st.booleans()), min_size=1, max_size=8))
def test_what_is_written_is_read_back(nodes: list[tuple[str, int, bool]]) -> None:
    taint = {"key": "k", "effect": "NoSchedule"}
    pools = node_pools(
        node(str(i), {"karpenter.sh/nodepool": name}, gpus=str(gpus), taints=[taint] if tainted else ())
        for i, (name, gpus, tainted) in enumerate(nodes)
    )
    data = [pool.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True) for pool in pools]
    assert pools_in(to_yaml(data), "x") == pools
    assert sum(pool.size for pool in pools) == len(nodes)
    assert sum(pool.gpus for pool in pools) == sum(gpus for _, gpus, _ in nodes)


@pytest.mark.parametrize("taints", [[{"key": "k", "effect": "Sometimes"}], [{"effect": "NoSchedule"}]])
def test_a_node_of_another_shape_is_unreadable(taints: Any) -> None:
    with pytest.raises(UnreadableError):
        node_pools([node("a", {}, taints=taints)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a", "must be a list, as under airunway:nodePools"),
        ("- {name: a, nodes: 1, gpus: 8}", r"x\[0\]\.gpus: unknown key; did you mean 'gpu'\?"),
        ("- {name: a}", r"x\[0\]: give nodes, or maxNodes"),
        ("- {name: a, nodes: two}", r"x\[0\]\.nodes: 'two' given, must be an integer"),
    ],
)
def test_a_file_of_pools_says_what_is_wrong_in_it(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pools_in(text, "x")
