"""Previews and differences as a self-contained HTML page: tables, and the graph with each node's YAML.

The page embeds Cytoscape.js and its dagre extension (both MIT, in ``page/``).
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from airunway.program.record import Preview
from airunway.program.type_token import is_component
from airunway.report.assessment_sentences import (
    MEMORY_COLUMNS,
    deployment_rows,
    findings_by_severity,
    memory_rows,
    pool_sentence,
    total_sentence,
)
from airunway.report.compare import Difference
from airunway.report.difference_text import field_sentence, summary
from airunway.report.graph import graph_of, merged_resources, node_operations
from airunway.report.impact import change_groups, deployment_changes
from airunway.report.model_and_gpus import planned_gpus
from airunway.report.preview_text import selection_reason
from airunway.text.yaml_writing import order_keys, to_documents

_SOURCE_MAP = re.compile(r"\n//# sourceMappingURL=\S+\s*$")
_PAGE = Path(__file__).parent / "page"

Documents = Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]


def preview_html(preview: Preview, document: Mapping[str, Any]) -> str:
    """Render the page of a stack."""
    deployments = [
        {
            "name": planned.name,
            "model": planned.model,
            "gpus": planned_gpus(planned),
            "engine": str(planned.request.selection.engine),
            "provider": planned.request.selection.provider,
            "why": selection_reason(planned),
        }
        for planned in preview.plan.deployments
    ]
    nodes, edges = _graph_elements(document, None)
    return _page(
        title=f"airunway: stack {preview.stack}",
        summary=preview.sentence,
        warnings=preview.plan.warnings,
        deployments=deployments,
        **_assessed(document),
        differences=[],
        nodes=nodes,
        edges=edges,
    )


def differences_html(differences: Sequence[Difference], documents: Documents) -> str:
    """Render the page of what changes; the graph includes removed nodes."""
    nodes: list[dict[str, Any]] = []
    edges: list[tuple[str, str]] = []
    for difference, (old, new) in zip(differences, documents, strict=True):
        stack_nodes, stack_edges = _graph_elements(merged_resources(difference, old, new), difference)
        if len(differences) > 1:
            for node in stack_nodes:
                node["kind"] = f"{node['kind']}, {difference.stack}"
        nodes += stack_nodes
        edges += stack_edges
    sections = [
        {
            "stack": d.stack,
            "summary": summary(d),
            "mandatory": d.assessment.mandatory,
            "advisory": d.assessment.advisory,
            "totals": d.assessment.totals,
            "deployments": deployment_changes(d),
            "operators": d.operators,
            "changes": [
                {
                    "operation": group.first.operation,
                    "name": group.names,
                    "kind": group.first.kind,
                    "fields": [field_sentence(f, group.first) for f in group.first.fields],
                }
                for group in change_groups(d)
            ],
        }
        for d in differences
    ]
    stacks = ", ".join(d.stack for d in differences)
    return _page(
        title=f"airunway: what changes in {stacks}",
        summary="; ".join(f"{d.stack}: {summary(d)}" for d in differences),
        warnings=[],
        deployments=[],
        differences=sections,
        nodes=nodes,
        edges=edges,
    )


def _assessed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The page's values of an assessment; empty ones where there is none."""
    assessment = document.get("assessment") or {"pools": [], "cost": None, "currency": ""}
    mandatory, advisory = findings_by_severity(document)
    rows = list(deployment_rows(document))
    return {
        "mandatory": mandatory,
        "advisory": advisory,
        "assessed": rows,
        "memory_columns": MEMORY_COLUMNS,
        "memory": list(memory_rows(document)),
        "total": total_sentence(assessment) if rows else "",
        "pools": [pool_sentence(pool) for pool in assessment["pools"]],
    }


def _graph_elements(
    document: Mapping[str, Any], difference: Difference | None
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    graph = graph_of(document)
    operations = node_operations(graph, difference) if difference is not None else {}
    resources = {r["urn"]: r for r in document["resources"]}
    nodes = []
    for node in graph.nodes.values():
        objects = [order_keys(resources[m]["inputs"]) for m in node.members if not is_component(resources[m]["type"])]
        nodes.append(
            {
                "id": node.urn,
                "label": node.name,
                "kind": node.kind,
                "operation": operations.get(node.urn, ""),
                "yaml": to_documents(objects or [resources[node.urn]["inputs"]]),
            }
        )
    return nodes, list(graph.edges)


def _page(**values: Any) -> str:
    template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        _asset("page.html")
    )
    data = {"nodes": values["nodes"], "edges": values["edges"]}
    # Only "<" could close the script element.
    embedded = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return template.render(
        **values,
        data=Markup(embedded),  # noqa: S704
        style=_trusted("page.css"),
        script=_trusted("page.js"),
        cytoscape=_trusted("cytoscape.min.js"),
        dagre=_trusted("cytoscape-dagre.min.js"),
    )


def _trusted(name: str) -> Markup:
    return Markup(script_text(name))  # noqa: S704


def script_text(name: str) -> str:
    """Return one of the page's own files so that it can stand inside the page, whose source map is nowhere."""
    return _SOURCE_MAP.sub("", _asset(name)).replace("</script", "<\\/script")


def _asset(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")
