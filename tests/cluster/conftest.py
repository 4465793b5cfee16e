"""Fixtures of the tier that runs the real engine against a real API server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.apiserver import Cluster, running_cluster
from tests.cluster.engine import Engine


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path)
    yield made
    if made.standin:
        made.standin.server.stop(None)
