"""Fixtures of this tier."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.serving import serving
from tests.graph.api_server import ApiServer, api_server
from tests.graph.github_comments import TOKEN, GitHub
from tests.graph.hub_projects import small_hub, two_stacks
from tests.graph.image_projects import project_of
from tests.graph.image_registry import ImageRegistry
from tests.graph.live_commands import Commands, served_project
from tests.graph.model_hub import ModelHub


@pytest.fixture
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy is on the way to a server of the test."""
    for variable in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, without_proxies: None) -> Iterator[GitHub]:
    """What stands in for GitHub, and the environment of a job of it."""
    monkeypatch.delenv("GH_TOKEN", raising=False)
    with serving(GitHub()) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "org/models")
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield server


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


@pytest.fixture
def without_logins(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, without_proxies: None
) -> None:
    """Nobody is logged in to a registry, and no proxy is on the way to it."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path_factory.mktemp("docker")))
    for variable in ("https_proxy", "HTTPS_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def registry(without_logins: None) -> Iterator[ImageRegistry]:
    """A registry with two images."""
    with serving(ImageRegistry()) as server:
        for image in ("org/own:1", "org/other:1"):
            server.push(image)
        yield server


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_logins: None) -> Iterator[ImageRegistry]:
    """The same, which asks for tokens by TLS."""
    with serving(ImageRegistry(tmp_path)) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        server.push("org/own:1")
        server.push("org/other:1")
        yield server


@pytest.fixture(name="images_project")
def _images_project(registry: ImageRegistry, tmp_path: Path) -> Path:
    return project_of(tmp_path / "project", registry.host)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, without_proxies: None) -> Iterator[ModelHub]:
    """The hub that the client asks, with two models."""
    with small_hub(monkeypatch) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose stacks serve both models of ``hub``."""
    return two_stacks(tmp_path)
