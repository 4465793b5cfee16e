"""The node pools of a live cluster: its nodes, grouped by what they have."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import Field

from airunway.assessment.node_pool import NodePool, PoolGpu, Taint
from airunway.live.api_server.connection import Connection
from airunway.live.objects import AnyObject
from airunway.provider.live_object import LiveModel, Quantity, UnreadableError, read_as
from airunway.spec.quantities import parse_quantity
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import load_data

_DATA = load_data(Path(__file__).with_suffix(".yaml"))
_HOST = "kubernetes.io/hostname"


class NodeSpec(LiveModel):
    """The spec of a Node."""

    taints: list[dict[str, Any]] = Field([])


class NodeStatus(LiveModel):
    """The status of a Node: what pods can have of it."""

    allocatable: dict[str, Quantity] = Field({})


class Node(AnyObject):
    """A Node."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


async def live_node_pools(connection: Connection) -> list[NodePool]:
    """Read the cluster's nodes as pools. Raises ``InputError`` without the right to, or if there are none."""
    nodes = await connection.items_of("v1", "Node", [""])
    if not nodes:
        raise InputError([Problem(connection.name, "the cluster has no nodes")])
    try:
        return node_pools([read_as(Node, node) for node in nodes])
    except UnreadableError as error:
        raise InputError([Problem(connection.name, f"a Node can't be read: {error}")]) from error


def node_pools(nodes: Iterable[Node]) -> list[NodePool]:
    """Group nodes by their pool's label, GPUs and taints; sorted by name."""
    groups: dict[tuple[str, str, str], list[Node]] = {}
    for node in nodes:
        gpu, taints = gpu_of(node), taints_of(node)
        groups.setdefault((_pool_name(node), str(gpu), " ".join(map(str, taints))), []).append(node)
    names = [name for name, _, _ in groups]
    pools = []
    for index, ((name, _, _), members) in enumerate(sorted(groups.items())):
        unique = name if names.count(name) == 1 else f"{name}-{index}"
        pools.append(_pool(unique, members))
    return pools


def merged(pools: Sequence[NodePool], written: Iterable[NodePool]) -> list[NodePool]:
    """``pools`` with the prices and the sizes of autoscaled pools that were ``written`` before, by name."""
    before = {pool.name: pool for pool in written}
    return [_with_written(pool, before.get(pool.name)) for pool in pools]


def _with_written(pool: NodePool, before: NodePool | None) -> NodePool:
    if before is None:
        return pool
    size = (
        {"nodes": None, "min_nodes": before.min_nodes, "max_nodes": before.max_nodes}
        if before.max_nodes is not None
        else {}
    )
    return pool.model_copy(update={"price_per_hour": before.price_per_hour, **size})


def _pool(name: str, members: Sequence[Node]) -> NodePool:
    first = members[0].metadata.labels
    shared = {
        key: value
        for key, value in sorted(first.items())
        if key != _HOST and all(node.metadata.labels.get(key) == value for node in members)
    }
    gpu = gpu_of(members[0])
    implied = NodePool(name=name, nodes=len(members), gpu=gpu).node_labels
    return NodePool(
        name=name,
        nodes=len(members),
        gpu=gpu,
        cpu=_least(members, "cpu"),
        memory=_least(members, "memory"),
        labels={key: value for key, value in shared.items() if implied.get(key) != value},
        taints=taints_of(members[0]),
    )


def _pool_name(node: Node) -> str:
    labels = node.metadata.labels
    return next((labels[key] for key in _DATA["pool"] if labels.get(key)), "nodes")


def gpu_of(node: Node) -> PoolGpu | None:
    """The GPUs of a node; those without a product label are named by their resource."""
    for resource, label in _DATA["gpus"].items():
        text = node.status.allocatable.get(resource, "0")
        count = int(text) if text.isdecimal() and len(text) < 5 else 0
        if count:
            return PoolGpu(product=node.metadata.labels.get(label) or resource, count=count, resource=resource)
    return None


def taints_of(node: Node) -> list[Taint]:
    """The taints of a node that last."""
    lasting = (t for t in node.spec.taints if not str(t.get("key", "")).startswith(tuple(_DATA["temporaryTaints"])))
    fields = ({key: t[key] for key in ("key", "value", "effect") if t.get(key)} for t in lasting)
    return sorted((read_as(Taint, taint, "spec.taints[]") for taint in fields), key=str)


def _least(members: Sequence[Node], resource: str) -> str | None:
    """The least quantity that a node has, as it was written."""
    texts = [node.status.allocatable[resource] for node in members if resource in node.status.allocatable]
    amounts: Mapping[str, Decimal] = {text: parse_quantity(text) or Decimal(0) for text in texts}
    return min(amounts, key=lambda text: amounts[text]) if amounts else None
