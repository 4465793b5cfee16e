"""Graph (the console without a socket; `airunway preview` in a process of its own): what the pages show of a plan
before the cluster is read, and where something is wrong with it.
"""

import html
import re
from pathlib import Path
from typing import Any

import pytest

from airunway.console.app import Console
from airunway.console.project import Project
from tests.graph.projects import many, write_project, write_stack
from tests.unit.console_pages import HOST, Browser

H100 = {"name": "h100", "gpu": {"product": "NVIDIA-H100-80GB-HBM3", "count": 8}, "nodes": 2, "pricePerHour": 80}
CHAT = {"name": "chat", "model": {"id": "org/m"}, "resources": {"gpu": {"count": 2}}, "engine": {"type": "vllm"}}
CPU = {"name": "cpu", "model": {"id": "llama3.2:1b", "source": "aikit"}}


def browser(project: Path) -> Browser:
    return Browser(Console(Project(project), "own").app([HOST]))


def shown(project: Path, path: str, status: int = 200) -> str:
    """What a page says, in one line."""
    page = browser(project).get(f"/stacks/own/{path}")
    assert page.status_code == status, page.text
    return " ".join(html.unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page.text, flags=re.S)).split())


def test_the_plan_is_there_before_the_cluster_is_read(tmp_path: Path) -> None:
    text = shown(write_project(tmp_path, [CHAT, CPU]), "")
    assert "Reading the cluster … This is the plan." in text
    assert "chat edit chat org/m 2 planned" in text
    assert "As of" not in text
    assert "Needs attention" not in text


@pytest.mark.parametrize(
    ("settings", "totals"),
    [
        ({}, "cluster x, 2 deployments, 2 GPUs, in namespace default"),
        ({"nodePools": [H100]}, "cluster x, 2 deployments, 2 GPUs, $14,600 a month, in namespace default"),
        ({"deployments": [CPU]}, "cluster x, 1 deployment, no GPU, in namespace default"),
        ({"deployments": [CPU, CHAT | {"namespace": "ml"}]}, "cluster x, 2 deployments, 2 GPUs Reading"),
        ({"deployments": []}, "cluster x, 0 deployments, no GPU Reading"),
    ],
)
def test_the_page_says_which_cluster_it_is_about_and_what_the_stack_takes(
    settings: dict[str, Any], totals: str, tmp_path: Path
) -> None:
    project = write_project(tmp_path, [])
    write_stack(project, **({"deployments": [CHAT, CPU]} | settings))
    assert totals in shown(project, "")


def test_namespaces_stand_beside_the_deployments_where_there_are_several(tmp_path: Path) -> None:
    project = write_project(tmp_path, [CPU, CHAT | {"namespace": "ml"}])
    assert "chat edit chat ml org/m" in shown(project, "")


def test_what_stops_the_update_is_told_before_the_cluster_is_read(tmp_path: Path) -> None:
    project = write_project(tmp_path, [])
    write_stack(project, nodePools=[H100], deployments=[CHAT | {"resources": {"gpu": {"count": 16}}}, CPU])
    assert "Needs attention stops the update chat" in shown(project, "")


def test_a_stack_with_many_deployments_has_a_filter(tmp_path: Path) -> None:
    assert 'data-filter="deployments"' in browser(write_project(tmp_path / "a", many(21))).get("/stacks/own/").text
    assert "data-filter" not in browser(write_project(tmp_path / "b", many(20))).get("/stacks/own/").text


def test_only_the_forms_of_what_is_wrong_are_offered(tmp_path: Path) -> None:
    wrong = {"name": "wrong", "model": {"id": "org/m"}, "engine": {"type": "vlm"}}
    page = browser(write_project(tmp_path, [CHAT, wrong, CPU])).get("/stacks/own/")
    assert page.status_code == 400
    assert re.findall(r'href="/stacks/own/edit/([^"]+)"', page.text) == ["wrong"]
    write_stack(tmp_path, deployments=[CHAT], readyTimeout=7)
    assert "/edit/" not in browser(tmp_path).get("/stacks/own/").text


def test_a_page_that_is_none_is_called_so(tmp_path: Path) -> None:
    assert "/stacks/own/nothing is no page of this console" in shown(write_project(tmp_path, []), "nothing", 404)


def test_the_graph_leads_back_and_is_there_for_a_stack_that_is_stopped_too(tmp_path: Path) -> None:
    project = write_project(tmp_path, [])
    for gpus in (1, 16):
        write_stack(project, nodePools=[H100], deployments=[CHAT | {"resources": {"gpu": {"count": gpus}}}])
        page = browser(project).get("/stacks/own/graph")
        assert page.status_code == 200
        assert "&lt;body" not in page.text
        assert '<a href="/stacks/own/">Back to the deployments of own</a>' in page.text
        assert "cytoscape" in page.text


def test_a_graph_that_can_t_be_made_is_told_on_a_page_of_the_console(tmp_path: Path) -> None:
    project = write_project(tmp_path, [{"name": "No", "model": {"id": "org/m"}}])
    text = shown(project, "graph", 400)
    assert "New deployment" in text
    assert "'No' given" in text
    assert "nothing was done" not in text
