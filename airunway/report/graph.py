"""The dependency graph for diagrams: components as nodes, dependencies as edges."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airunway.program.type_token import is_provider, kind_of
from airunway.report.compare import DELETE, FORGET, UPDATE, Difference


@dataclass
class Node:
    """A component, or a resource directly below the platform; ``members`` are the URNs of its resources."""

    urn: str
    name: str
    kind: str
    members: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Graph:
    """Nodes by URN, and edges from a node to its dependencies, without transitive ones."""

    nodes: dict[str, Node]
    edges: tuple[tuple[str, str], ...]


def graph_of(document: Mapping[str, Any]) -> Graph:
    """Build the graph of a document from ``preview_document``."""
    resources = {r["urn"]: r for r in document["resources"] if not is_provider(r["type"])}
    nodes: dict[str, Node] = {}
    node_of: dict[str, str] = {}
    for urn, resource in resources.items():
        parent = resources.get(resource["parent"])
        if kind_of(resource["type"]) == "Platform":
            continue
        if parent is None or kind_of(parent["type"]) == "Platform" or resource["parent"] not in node_of:
            nodes[urn] = Node(urn, resource["name"], kind_of(resource["type"]))
            node_of[urn] = urn
        else:
            node_of[urn] = node_of[resource["parent"]]
        nodes[node_of[urn]].members.append(urn)
    direct: dict[str, set[str]] = {urn: set() for urn in nodes}
    for urn, node in node_of.items():
        direct[node] |= {node_of[d] for d in resources[urn]["dependencies"] if d in node_of} - {node}
    reachable: dict[str, set[str]] = {}

    def reachable_from(urn: str) -> set[str]:
        if urn not in reachable:
            reachable[urn] = set()  # so that a circle, which a saved preview may have, ends
            reachable[urn] = direct[urn].union(*(reachable_from(d) for d in direct[urn]))
        return reachable[urn]

    edges = [
        (urn, target)
        for urn, dependencies in direct.items()
        for target in sorted(dependencies)
        if not any(target in reachable_from(o) for o in dependencies - {target})
    ]
    return Graph(nodes, tuple(edges))


def merged_resources(difference: Difference, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Combine the resources of the ``new`` preview with those that are removed from the ``old`` one."""
    removed = {r.urn for r in difference.resources if r.operation in (DELETE, FORGET)}
    return {"resources": [*new["resources"], *(r for r in old["resources"] if r["urn"] in removed)]}


def node_operations(graph: Graph, difference: Difference) -> dict[str, str]:
    """Return the operation of each changed node, by URN; members with different operations make an update."""
    operations = {r.urn: r.operation for r in difference.resources}
    by_node = {node.urn: {operations[m] for m in node.members if m in operations} for node in graph.nodes.values()}
    return {urn: changes.pop() if len(changes) == 1 else UPDATE for urn, changes in by_node.items() if changes}
