"""Previews and differences as Mermaid flowcharts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from airunway.report.compare import CREATE, DELETE, FORGET, OPERATIONS, REPLACE, UPDATE, Difference
from airunway.report.graph import Graph, Node, graph_of, marks, union
from airunway.text.terminal import printable

_COLOURS = {CREATE: "#2da44e", UPDATE: "#bf8700", REPLACE: "#8250df", DELETE: "#cf222e", FORGET: "#59636e"}


def preview_mermaid(document: Mapping[str, Any]) -> str:
    """The graph of a stack."""
    return _flowchart([(str(document["stack"]), graph_of(document))], {})


def differences_mermaid(
    differences: Sequence[Difference], documents: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> str:
    """The graphs of what changes, and of what the changed waits for; each node coloured by what happens to it."""
    changed: dict[str, str] = {}
    graphs = []
    for difference, (old, new) in zip(differences, documents, strict=True):
        graph = graph_of(union(difference, old, new))
        changed |= marks(graph, difference)
        near = {to for one, to in graph.edges if one in changed} | set(changed)
        nodes = {urn: n for urn, n in graph.nodes.items() if urn in near}
        graphs.append(
            (difference.stack, Graph(nodes, tuple(e for e in graph.edges if e[0] in changed and e[1] in near)))
        )
    return _flowchart(graphs, changed)


def _flowchart(graphs: Sequence[tuple[str, Graph]], changed: Mapping[str, str]) -> str:
    lines = ["flowchart RL"]
    ids: dict[str, str] = {}
    for number, (stack, graph) in enumerate(graphs):
        if not graph.nodes:
            continue
        lines.append(f'    subgraph s{number}["{_escaped(stack)}"]')
        for node in graph.nodes.values():
            ids[node.urn] = f"n{len(ids)}"
            mark = f":::{changed[node.urn]}" if node.urn in changed else ""
            lines.append(f'        {ids[node.urn]}["{_label(node)}"]{mark}')
        lines += [f"        {ids[one]} --> {ids[to]}" for one, to in graph.edges]
        lines.append("    end")
    lines += [f"    classDef {o} stroke:{_COLOURS[o]},stroke-width:3px" for o in OPERATIONS if o in changed.values()]
    return "\n".join(lines) + "\n"


def _label(node: Node) -> str:
    return f"{_escaped(node.name)}<br/>{_escaped(node.kind)}"


def _escaped(text: str) -> str:
    """``text`` as it is, in a label between quotes."""
    return re.sub(r"[\"#<>&`]", lambda found: f"#{ord(found[0])};", printable(" ".join(text.splitlines())))
