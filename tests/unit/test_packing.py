"""Unit (pure): which nodes pods go to, and why some find none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airunway.assessment.capacity import capacity_findings
from airunway.assessment.cost import Cost, cost_of
from airunway.assessment.node_match import matching_pools, mismatches, tolerates
from airunway.assessment.node_pool import NodePool, Taint
from airunway.assessment.packing import Claim, Packing
from airunway.provider.pod_groups import PodGroup
from airunway.spec.model import Toleration


def pool(name: str = "a", *, count: int = 8, product: str = "NVIDIA-L4", **others: Any) -> NodePool:
    size = {} if {"nodes", "maxNodes"} & others.keys() else {"nodes": 1}
    return NodePool.model_validate({"name": name, "gpu": {"product": product, "count": count}, **size, **others})


def claim(deployment: str, gpus: int, replicas: int = 1, stack: str = "own", **others: Any) -> Claim:
    return Claim(stack, deployment, PodGroup("", replicas, gpus, **others))


def packed(pools: list[NodePool], *claims: Claim) -> Packing:
    packing = Packing(pools)
    packing.place(claims)
    return packing


def findings(pools: list[NodePool], *claims: Claim) -> list[str]:
    return [str(finding) for finding in capacity_findings(packed(pools, *claims), "own")]


def test_large_pods_are_placed_first_so_that_small_ones_fill_what_is_left() -> None:
    packing = packed([pool(count=8, nodes=2)], claim("small", 2, 4), claim("large", 8))
    assert [(p.claim.deployment, p.pods, p.missing) for p in packing.placements] == [
        ("large", {"a": 1}, 0),
        ("small", {"a": 4}, 0),
    ]


def test_a_pod_is_not_spread_over_two_nodes() -> None:
    pools = [pool(count=4, nodes=2)]
    assert findings(pools, claim("x", 3, 2)) == []
    assert findings(pools, claim("x", 3, 3)) == [
        "x: 1 of its 3 pods with 3 GPUs each find no free node: a has 8 GPUs (2 free)"
    ]


def test_what_no_pool_can_hold_is_told_with_the_reason_of_each_pool() -> None:
    pools = [
        pool("big", taints=[{"key": "dedicated", "value": "x", "effect": "NoSchedule"}]),
        pool("small", count=1),
        NodePool.model_validate({"name": "cpu", "nodes": 3}),
        pool("amd", gpu={"product": "AMD-MI300X", "count": 8, "resource": "amd.com/gpu"}),
    ]
    assert findings(pools, claim("x", 2)) == [
        "x: no node pool takes its pods with 2 GPUs each: big has the taint dedicated=x:NoSchedule, which is not"
        " tolerated; small has 1 per node; cpu has no GPUs; amd has amd.com/gpu, not nvidia.com/gpu"
    ]


def test_a_label_that_no_pool_has_is_named_with_the_value_there() -> None:
    pools = [pool("a", labels={"zone": "east"}), pool("b")]
    assert findings(pools, claim("x", 1, node_selector={"zone": "west"})) == [
        "x: no node pool takes its pods with 1 GPU each: a has the label zone=east, not west; b has no label zone=west"
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("nvidia.com/gpu.present", "true"),
        ("nvidia.com/gpu.product", "NVIDIA-L4"),
        ("nvidia.com/gpu.count", "8"),
        ("kubernetes.io/os", "linux"),
    ],
)
def test_nodes_have_the_labels_of_gpu_feature_discovery(key: str, value: str) -> None:
    assert not list(mismatches(pool(), PodGroup("", 1, 1, node_selector={key: value})))
    assert list(mismatches(pool(), PodGroup("", 1, 1, node_selector={key: "other"})))


def test_memory_and_cpu_of_a_node_count_where_they_are_known() -> None:
    pools = [pool(cpu="16", memory="100Gi")]
    assert findings(pools, claim("x", 1, 2, memory="50Gi", cpu="8")) == []
    assert findings(pools, claim("x", 1, 3, memory="50Gi")) == [
        "x: 1 of its 3 pods with 1 GPU each find no free node: a has 8 GPUs (6 free)"
    ]
    assert (
        "a has nodes with 100Gi of memory, and a pod asks for 200Gi"
        in findings(pools, claim("x", 1, memory="200Gi"))[0]
    )
    assert "a has nodes with 16 of CPU, and a pod asks for 17" in findings(pools, claim("x", 1, cpu="17"))[0]


def test_a_preset_takes_every_gpu_of_its_node() -> None:
    pools = [pool(count=8)]
    assert findings(pools, claim("preset", 2, whole_node=True)) == []
    assert findings(pools, claim("preset", 2, whole_node=True), claim("other", 1)) == [
        "other: 1 of its 1 pods with 1 GPU each find no free node: a has 8 GPUs (6 free, 2 for preset)"
    ]


def test_other_stacks_of_the_cluster_were_there_first() -> None:
    packing = Packing([pool(count=8)])
    packing.place([claim("theirs", 6, stack="prod")])
    packing.place([claim("ours", 8)])
    assert [str(finding) for finding in capacity_findings(packing, "own")] == [
        "ours: 1 of its 1 pods with 8 GPUs each find no free node: a has 8 GPUs (2 free, 6 for theirs of stack prod)"
    ]
    assert (packing.used("a"), packing.used("a", "own")) == (6, 0)


@pytest.mark.parametrize("order", [("b", "a"), ("a", "b")])
def test_of_equal_pods_those_that_were_named_last_find_no_place(order: tuple[str, str]) -> None:
    (finding,) = findings([pool(count=1)], *(claim(name, 1) for name in order))
    assert finding.startswith(f"{order[1]}: ")


def test_pods_without_gpus_are_not_placed() -> None:
    assert packed([pool()], claim("cpu", 0)).placements == []


TAINT = Taint.model_validate({"key": "k", "value": "v", "effect": "NoSchedule"})


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "k", "value": "w"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"value": "v"}, False),
        ({"key": "k"}, False),
    ],
)
def test_a_toleration_matches_as_the_scheduler_says(toleration: dict[str, str], expected: bool) -> None:
    assert tolerates(Toleration.model_validate(toleration), TAINT) is expected


def test_a_preference_keeps_no_pod_away() -> None:
    pools = [pool(taints=[{"key": "k", "effect": "PreferNoSchedule"}])]
    assert findings(pools, claim("x", 1)) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "a"}, "give nodes, or maxNodes"),
        ({"name": "a", "nodes": 1, "maxNodes": 2}, "give nodes, or maxNodes"),
        ({"name": "a", "minNodes": 3, "maxNodes": 2}, "minNodes 3 given, must be at most maxNodes, 2"),
        ({"name": "a", "nodes": -1}, "greater than or equal to 0"),
        ({"name": "a", "nodes": 1, "gpu": {"product": "x", "count": 0}}, "greater than or equal to 1"),
        ({"name": "a", "nodes": 1, "pricePerHour": -1}, "greater than or equal to 0"),
        ({"name": "a", "nodes": 1, "pricePerHour": float("inf")}, "finite"),
        ({"name": "a", "nodes": 1, "pricePerHour": True}, "number"),
        ({"name": "a", "nodes": 1, "taints": [{"key": "k", "effect": "Never"}]}, "NoSchedule"),
        ({"nodes": 1}, "required"),
        ({"name": "a", "nodes": 1, "node": 1}, "not permitted"),
    ],
)
def test_a_pool_that_makes_no_sense_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        NodePool.model_validate(data)


PRICED = [pool("a", count=8, nodes=2, pricePerHour=80), pool("b", count=1, maxNodes=4, pricePerHour=1.5), pool("c")]


def test_a_deployment_pays_for_its_share_of_a_node() -> None:
    placements = packed(PRICED, claim("x", 4)).placements
    assert cost_of(placements, PRICED) == Cost(4 * 10 * 730, 4 * 10 * 730)


def test_what_scales_costs_from_its_fewest_to_its_most_replicas() -> None:
    placements = packed(PRICED[1:2], claim("x", 1, 1, most_replicas=4)).placements
    assert cost_of(placements, PRICED) == Cost(1.5 * 730, 4 * 1.5 * 730)


def test_the_cost_of_what_has_no_price_or_no_place_is_unknown() -> None:
    assert cost_of(packed(PRICED[2:], claim("x", 1)).placements, PRICED) is None
    assert cost_of(packed(PRICED[:1], claim("x", 16)).placements, PRICED) is None


groups = st.builds(
    PodGroup,
    st.just(""),
    st.integers(0, 5),
    st.integers(0, 9),
    memory=st.sampled_from([None, "8Gi", "64Gi"]),
    whole_node=st.booleans(),
    node_selector=st.sampled_from([{}, {"zone": "a"}]),
)
pools = st.lists(
    st.builds(
        lambda count, nodes, zone, memory: pool(
            count=count, nodes=nodes, labels={"zone": zone}, **({"memory": memory} if memory else {})
        ),
        st.integers(1, 8),
        st.integers(0, 4),
        st.sampled_from("ab"),
        st.sampled_from([None, "64Gi"]),
    ),
    max_size=3,
).map(lambda made: [one.model_copy(update={"name": str(index)}) for index, one in enumerate(made)])


@given(pools, st.lists(groups, max_size=6))
def test_no_node_is_given_more_than_it_has_and_every_pod_is_counted(
    made: list[NodePool], asked: list[PodGroup]
) -> None:
    packing = packed(made, *(Claim("own", str(index), group) for index, group in enumerate(asked)))
    for one in made:
        assert 0 <= packing.used(one.name) <= one.gpus
    for placement in packing.placements:
        assert sum(placement.pods.values()) + placement.missing == placement.claim.group.pods
        assert set(placement.pods) <= {one.name for one in matching_pools(made, placement.claim.group)}
    placed = {p.claim.deployment for p in packing.placements}
    assert placed == {str(index) for index, group in enumerate(asked) if group.gpus}


@given(pools.filter(bool), st.lists(groups, max_size=6))
def test_more_nodes_of_one_pool_never_leave_more_pods_without_a_place(
    made: list[NodePool], asked: list[PodGroup]
) -> None:
    claims = [Claim("own", str(index), group) for index, group in enumerate(asked)]
    larger = made[0].model_copy(update={"nodes": made[0].size + 1})
    before, after = (sum(p.missing for p in packed([one], *claims).placements) for one in (made[0], larger))
    assert after <= before
