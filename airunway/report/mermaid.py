"""Previews and differences as Mermaid flowcharts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from airunway.report.compare import CREATE, DELETE, FORGET, OPERATIONS, REPLACE, UPDATE, Difference
from airunway.report.graph import Graph, Node, graph_of, merged_resources, node_operations
from airunway.text.terminal import printable

_COLOURS = {CREATE: "#2da44e", UPDATE: "#bf8700", REPLACE: "#8250df", DELETE: "#cf222e", FORGET: "#59636e"}


def preview_mermaid(document: Mapping[str, Any]) -> str:
    """Render the graph of a stack."""
    return _flowchart([(str(document["stack"]), graph_of(document))], {})


def differences_mermaid(
    differences: Sequence[Difference], documents: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> str:
    """Render changed nodes and their dependencies, coloured by operation."""
    operations: dict[str, str] = {}
    graphs = []
    for difference, (old, new) in zip(differences, documents, strict=True):
        graph = graph_of(merged_resources(difference, old, new))
        operations |= node_operations(graph, difference)
        visible = {target for source, target in graph.edges if source in operations} | set(operations)
        nodes = {urn: n for urn, n in graph.nodes.items() if urn in visible}
        graphs.append(
            (
                difference.stack,
                Graph(nodes, tuple(e for e in graph.edges if e[0] in operations and e[1] in visible)),
            )
        )
    return _flowchart(graphs, operations)


def _flowchart(graphs: Sequence[tuple[str, Graph]], operations: Mapping[str, str]) -> str:
    lines = ["flowchart RL"]
    ids: dict[str, str] = {}
    for number, (stack, graph) in enumerate(graphs):
        if not graph.nodes:
            continue
        lines.append(f'    subgraph s{number}["{_escape(stack)}"]')
        for node in graph.nodes.values():
            ids[node.urn] = f"n{len(ids)}"
            css_class = f":::{operations[node.urn]}" if node.urn in operations else ""
            lines.append(f'        {ids[node.urn]}["{_label(node)}"]{css_class}')
        lines += [f"        {ids[source]} --> {ids[target]}" for source, target in graph.edges]
        lines.append("    end")
    lines += [f"    classDef {o} stroke:{_COLOURS[o]},stroke-width:3px" for o in OPERATIONS if o in operations.values()]
    return "\n".join(lines) + "\n"


def _label(node: Node) -> str:
    return f"{_escape(node.name)}<br/>{_escape(node.kind)}"


def _escape(text: str) -> str:
    """Escape ``text`` for a quoted label."""
    return re.sub(r"[\"#<>&`]", lambda match: f"#{ord(match[0])};", printable(" ".join(text.splitlines())))
