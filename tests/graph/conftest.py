"""Fixtures of this tier."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.graph.api_server import ApiServer, api_server
from tests.graph.live_commands import Commands, served_project


@pytest.fixture
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy is on the way to a server of the test."""
    for variable in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="module")
def running() -> Iterator[ApiServer]:
    """A server that answers as its rules say; they are of the test before until it is told to forget them."""
    with api_server() as server:
        yield server


@pytest.fixture
def server(running: ApiServer) -> ApiServer:
    """The same without any rule."""
    running.forget()
    return running


@pytest.fixture
def command(
    tmp_path: Path, server: ApiServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    """Commands about a stack on the server."""
    return Commands(served_project(tmp_path, server.url), monkeypatch, capsys)
