"""Fixtures of the tier that runs the real engine against a real API server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.apiserver import Cluster, running_cluster
from tests.cluster.engine import Engine
from tests.cluster.stacks import everything


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(autouse=True)
def _tidy(cluster: Cluster) -> Iterator[None]:
    """After each test nothing is left but namespaces, which take a controller to go."""
    yield
    for path in everything(cluster):
        kind, namespace, name = path.rsplit("/", 2)
        if not kind.endswith("/namespaces"):
            group, plural = kind.rsplit("/", 1)
            cluster.session.delete(f"{cluster.url}{group}/namespaces/{namespace}/{plural}/{name}", timeout=30)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path)
    yield made
    if made.standin:
        made.standin.server.stop(None)
