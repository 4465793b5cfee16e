"""Graph (the console's pages in process, against an API server that a test tells what to answer): the page of a stack
begins with what needs attention.
"""

import copy
import html
import re
from pathlib import Path
from typing import Any

import pytest

from airunway.console.app import Console
from airunway.console.project import Project
from airunway.program.stack_plan import stack_plan
from tests.graph.api_server import Answer, ApiServer
from tests.graph.live_commands import WORKSPACES, served_project
from tests.unit.console_pages import HOST, Browser

GRAPHS = "/apis/nvidia.com/v1beta1/dynamographdeployments"


class Page:
    """The page of a stack with a deployment on CPU and one on GPU, and their objects in the cluster."""

    def __init__(self, root: Path, server: ApiServer) -> None:
        self.server = server
        self.project = served_project(root, server.url)
        self.objects: dict[str, Any] = {}
        for planned in stack_plan(self.project, "own").deployments:
            self.objects[planned.name] = copy.deepcopy(dict(planned.rendered.resource))
            self.objects[planned.name]["metadata"] |= {"generation": 1}
        self.objects["cpu"]["status"] = {
            "conditions": [{"type": "WorkspaceSucceeded", "status": "True", "observedGeneration": 1}],
            "state": "Ready",
        }
        self.objects["gpu"]["status"] = {"state": "successful", "observedGeneration": 1}

    def text(self) -> str:
        return html.unescape(self.markup())

    def markup(self) -> str:
        self.server.rules[WORKSPACES] = Answer({"metadata": {}, "items": [self.objects["cpu"]]})
        self.server.rules[GRAPHS] = Answer({"metadata": {}, "items": [self.objects["gpu"]]})
        browser = Browser(Console(Project(self.project), "own").app([HOST]))
        answer = browser.get("/stacks/own/status")
        assert answer.status_code == 200
        return answer.text

    def needs(self) -> list[tuple[str, str]]:
        """What needs attention, and why."""
        items = re.findall(r'<span class="need">(.+?)</span> (.+?)</li>', self.text())
        return [(need, re.sub(r"<[^>]+>", "", rest).strip()) for need, rest in items]

    def names(self) -> list[str]:
        return re.findall(r'<th scope="row"><a href="[^"]+">(.+?)</a>', self.text())


@pytest.fixture
def page(tmp_path: Path, server: ApiServer, without_proxies: None) -> Page:
    return Page(tmp_path, server)


def operators(needs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [item for item in needs if item[1].startswith("operator of")]


def test_what_failed_comes_first_and_so_does_its_row(page: Page) -> None:
    page.objects["gpu"]["status"] = {"state": "failed", "conditions": []}
    needs = page.needs()
    assert needs[0][0] == "failed"
    assert needs[0][1].startswith("gpu")
    assert page.names() == ["gpu", "cpu"]


def test_a_change_that_nobody_applied_is_told_with_its_field(page: Page) -> None:
    page.objects["cpu"]["resource"]["instanceType"] = "other"
    page.objects["cpu"]["metadata"]["labels"].pop("airunway.ai/engine-type")
    assert ("not as planned", "cpu metadata.labels['airunway.ai/engine-type']") in page.needs()


def test_operators_that_were_not_installed_are_told_as_such(page: Page) -> None:
    assert operators(page.needs()) == [
        ("not applied", "operator of dynamo not installed yet"),
        ("not applied", "operator of kaito not installed yet"),
    ]


def test_what_a_cluster_says_is_text_and_no_markup(page: Page) -> None:
    page.objects["gpu"]["status"] = {
        "state": "failed",
        "conditions": [{"type": "Ready", "status": "False", "message": "<b>bold</b>\x1b[31m"}],
    }
    markup = page.markup()
    assert "&lt;b&gt;bold&lt;/b&gt;" in markup
    assert "<b>" not in markup
    assert "\x1b" not in markup


def test_a_stack_that_is_not_in_the_cluster_needs_nothing(page: Page) -> None:
    page.objects = {
        "cpu": {"metadata": {"name": "x", "namespace": "y"}},
        "gpu": {"metadata": {"name": "x", "namespace": "y"}},
    }
    assert page.needs() == []
    assert "Nothing of this stack is in the cluster yet" in page.text()


def test_without_a_cluster_the_plan_is_shown_and_nothing_needs_attention(page: Page) -> None:
    page.server.rules["*"] = Answer({}, status=503)
    browser = Browser(Console(Project(page.project), "own").app([HOST]))
    text = browser.get("/stacks/own/status").text
    assert "No status:" in text
    assert "Needs attention" not in text
