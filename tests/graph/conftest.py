"""Fixtures of this tier."""

from collections.abc import Iterator

import pytest

from tests.graph.api_server import ApiServer, api_server


@pytest.fixture(scope="module")
def running() -> Iterator[ApiServer]:
    """A server that answers as its rules say; they are of the test before until it is told to forget them."""
    with api_server() as server:
        yield server
