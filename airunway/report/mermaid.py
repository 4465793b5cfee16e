"""Previews and differences as Mermaid flowcharts."""

from collections.abc import Mapping, Sequence
from typing import Any

from airunway.report.compare import CREATE, DELETE, FORGET, OPERATIONS, REPLACE, UPDATE, Difference
from airunway.report.graph import Graph, Node, graph_of

_COLOURS = {CREATE: "#2da44e", UPDATE: "#bf8700", REPLACE: "#8250df", DELETE: "#cf222e", FORGET: "#59636e"}


def preview_mermaid(document: Mapping[str, Any]) -> str:
    """The graph of a stack."""
    return _flowchart([(str(document["stack"]), graph_of(document))], {})


def differences_mermaid(differences: Sequence[Difference], documents: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> str:
    """The graphs of what changes, and of what the changed waits for; each node coloured by what happens to it."""
    marks: dict[str, str] = {}
    graphs = []
    for difference, (old, new) in zip(differences, documents, strict=True):
        operations = {r.urn: r.operation for r in difference.resources}
        union = {"resources": [*new["resources"], *(r for r in old["resources"] if operations.get(r["urn"]) in (DELETE, FORGET))]}
        graph = graph_of(union)
        for node in graph.nodes.values():
            found = [operations[m] for m in node.members if m in operations]
            if found:
                marks[node.urn] = found[0] if len(set(found)) == 1 else UPDATE
        near = {to for one, to in graph.edges if one in marks} | set(marks)
        nodes = {urn: n for urn, n in graph.nodes.items() if urn in near}
        graphs.append((difference.stack, Graph(nodes, tuple(e for e in graph.edges if e[0] in marks and e[1] in near))))
    return _flowchart(graphs, marks)


def _flowchart(graphs: Sequence[tuple[str, Graph]], marks: Mapping[str, str]) -> str:
    lines = ["flowchart RL"]
    ids: dict[str, str] = {}
    for number, (stack, graph) in enumerate(graphs):
        if not graph.nodes:
            continue
        lines.append(f'    subgraph s{number}["{stack}"]')
        for node in graph.nodes.values():
            ids[node.urn] = f"n{len(ids)}"
            mark = f":::{marks[node.urn]}" if node.urn in marks else ""
            lines.append(f'        {ids[node.urn]}["{_label(node)}"]{mark}')
        lines += [f"        {ids[one]} --> {ids[to]}" for one, to in graph.edges]
        lines.append("    end")
    lines += [f"    classDef {o} stroke:{_COLOURS[o]},stroke-width:3px" for o in OPERATIONS if o in marks.values()]
    return "\n".join(lines) + "\n"


def _label(node: Node) -> str:
    return f"{node.name}<br/>{node.kind}".replace('"', "#quot;")
