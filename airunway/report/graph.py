"""The graph that pictures show: components as nodes, what waits for what as edges."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airunway.program.type_token import is_provider, kind_of
from airunway.report.compare import DELETE, FORGET, UPDATE, Difference


@dataclass
class Node:
    """One component, or one resource that is not below a component but the platform; ``members`` are its resources'
    URNs.
    """

    urn: str
    name: str
    kind: str
    members: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Graph:
    """Nodes by URN, and edges from what waits to what it waits for, without those that follow from others."""

    nodes: dict[str, Node]
    edges: tuple[tuple[str, str], ...]


def graph_of(document: Mapping[str, Any]) -> Graph:
    """The graph of a preview as ``preview.document`` writes it."""
    resources = {r["urn"]: r for r in document["resources"] if not is_provider(r["type"])}
    nodes: dict[str, Node] = {}
    home: dict[str, str] = {}
    for urn, resource in resources.items():
        parent = resources.get(resource["parent"])
        if kind_of(resource["type"]) == "Platform":
            continue
        if parent is None or kind_of(parent["type"]) == "Platform":
            nodes[urn] = Node(urn, resource["name"], kind_of(resource["type"]))
            home[urn] = urn
        else:
            home[urn] = home[resource["parent"]]
        nodes[home[urn]].members.append(urn)
    direct: dict[str, set[str]] = {urn: set() for urn in nodes}
    for urn, at in home.items():
        direct[at] |= {home[d] for d in resources[urn]["dependencies"] if d in home} - {at}
    reach: dict[str, set[str]] = {}

    def reached(urn: str) -> set[str]:
        if urn not in reach:
            reach[urn] = direct[urn].union(*(reached(d) for d in direct[urn]))
        return reach[urn]

    edges = [
        (urn, to)
        for urn, waits in direct.items()
        for to in sorted(waits)
        if not any(to in reached(o) for o in waits - {to})
    ]
    return Graph(nodes, tuple(edges))


def union(difference: Difference, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The resources of the ``new`` preview, and those of the ``old`` one that go."""
    gone = {r.urn for r in difference.resources if r.operation in (DELETE, FORGET)}
    return {"resources": [*new["resources"], *(r for r in old["resources"] if r["urn"] in gone)]}


def marks(graph: Graph, difference: Difference) -> dict[str, str]:
    """What happens to each node that changes, by URN: what happens to all its changed members, or an update."""
    operations = {r.urn: r.operation for r in difference.resources}
    found = {node.urn: {operations[m] for m in node.members if m in operations} for node in graph.nodes.values()}
    return {urn: some.pop() if len(some) == 1 else UPDATE for urn, some in found.items() if some}
