"""Fixtures of the tier that runs the real engine and provider against a real API server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airunway.program.stack_plan import stack_plan
from tests.cluster.apiserver import Cluster, running_cluster
from tests.cluster.charts import local_charts
from tests.cluster.controller import install
from tests.cluster.engine import Engine
from tests.cluster.node import Node
from tests.cluster.operator import collection
from tests.cluster.stacks import VIA, sweep
from tests.cluster.tools import language_host
from tests.deployments import CPU, GPU, RAY
from tests.graph.projects import write_project


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="session", name="node")
def _node(cluster: Cluster) -> Iterator[Node]:
    running = Node(cluster)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _tidy(cluster: Cluster, node: Node) -> Iterator[None]:
    """After each test nothing is left but namespaces, and pods fare well."""
    yield
    node.failing = node.unready = "-"
    sweep(cluster)


@pytest.fixture(scope="session")
def charts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The setting ``providers`` whose operators come from charts of our own."""
    return local_charts(tmp_path_factory.mktemp("charts"))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


@pytest.fixture
def project(cluster: Cluster, tmp_path: Path) -> Path:
    """A project whose stack ``own`` has a deployment of each kind, none of which is in the cluster."""
    install(cluster)
    return write_project(
        tmp_path,
        [d | {"namespace": "live"} for d in (CPU, GPU, RAY, VIA)],
        cluster={"kubeconfig": str(cluster.kubeconfig())},
    )


@pytest.fixture
def deployed(cluster: Cluster, project: Path) -> Path:
    """The same with its objects in the cluster, of which no operator has said anything."""
    cluster.namespace("live")
    for planned in stack_plan(project, "own").deployments:
        resource = planned.rendered.resource
        cluster.send("POST", collection(resource["kind"], "live"), resource)
    return project


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if language_host() is None:
        terminalreporter.write_line(
            "WITHOUT pulumi-language-python on PATH: the program ran inline in the tests, and what needs the language"
            " host was skipped",
            yellow=True,
            bold=True,
        )
