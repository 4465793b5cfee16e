"""Cluster (the real registry, distribution 3.1.2, on loopback; the server of its tokens is a test's own): the digests
that `airunway lock` finds, by TLS of an own authority, with logins and with tokens.
"""

import base64
import json
import ssl
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from airunway.live.image_registry import look_up
from airunway.live.registry_logins import Login
from airunway.program.stack_plan import stack_plan
from airunway.text.problems import InputError
from tests.cluster.real_registry import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    PASSWORD,
    USER,
    RealRegistry,
    certified,
    htpasswd,
    real_registry,
)
from tests.cluster.serving import serving
from tests.cluster.token_server import TokenServer
from tests.command import run
from tests.graph.projects import write_project

OWN = Login(USER, PASSWORD)
WRONG = Login(USER, "wrong")
PUBLIC = "org/public"


@pytest.fixture(autouse=True)
def _tidy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cluster is needed; nobody is logged in, and no proxy is on the way."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return certified(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with real_registry(tmp_path_factory.mktemp("plain") / "registry") as running:
        yield running


@pytest.fixture(scope="module")
def with_login(files: tuple[Path, Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    folder = tmp_path_factory.mktemp("login")
    with real_registry(folder / "registry", files, htpasswd(folder), (USER, PASSWORD)) as running:
        running.push("org/image", "v1", kind=OCI_INDEX)
        yield running


class _Pusher(httpx.Auth):
    """Pushes with tokens for whatever is asked."""

    def __init__(self, server: TokenServer) -> None:
        self._server = server

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        name = "/".join(request.url.path.split("/")[2:4])
        access = [{"type": "repository", "name": name, "actions": ["pull", "push"]}]
        request.headers["Authorization"] = f"Bearer {self._server.token(access)}"
        yield request


@dataclass
class WithTokens:
    """A registry, and who gives its tokens."""

    registry: RealRegistry
    tokens: TokenServer


@pytest.fixture(scope="module")
def with_tokens(files: tuple[Path, Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithTokens]:
    folder = tmp_path_factory.mktemp("tokens") / "registry"
    server = TokenServer(files, (USER, PASSWORD), frozenset({PUBLIC}))
    with serving(server), real_registry(folder, files, server.auth(files[0]), _Pusher(server)) as running:
        for repository in (PUBLIC, "org/private"):
            running.push(repository, "v1", kind=OCI_INDEX)
        yield WithTokens(running, server)


def refused(image: str, login: Login | None = None) -> str:
    with pytest.raises(InputError) as error:
        look_up(image, login)
    return str(error.value)


@pytest.mark.parametrize("kind", [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST])
def test_the_digest_is_that_of_what_the_tag_names_index_or_image(plain: RealRegistry, kind: str) -> None:
    pushed = plain.push("org/image", "v1", kind=kind)
    assert look_up(f"{plain.host}/org/image:v1", None) == pushed
    found = plain.client.head("/v2/org/image/manifests/v1", headers={"Accept": kind})
    assert (found.headers["Content-Type"], found.headers["Docker-Content-Digest"]) == (kind, pushed)


def test_an_image_without_a_tag_is_the_latest(plain: RealRegistry) -> None:
    pushed = plain.push("deep/er/image", "latest")
    assert look_up(f"{plain.host}/deep/er/image", None) == pushed


@pytest.mark.parametrize("name", ["org/image:none", "org/none:v1"])
def test_what_is_not_there_is_told(plain: RealRegistry, name: str) -> None:
    plain.push("org/image", "v1")
    told = f"{plain.host} has no such tag, or shows it to others: docker login {plain.host}"
    assert refused(f"{plain.host}/{name}") == f"{plain.host}/{name}: {told}"


def test_an_authority_that_is_not_named_is_not_trusted_and_nothing_is_sent_without_tls(
    with_login: RealRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    told = refused(f"{with_login.host}/org/image:v1", OWN)
    assert f"{with_login.host} has no certificate that is trusted; SSL_CERT_FILE names other authorities" in told


def test_a_login_by_password_is_sent_to_a_registry_of_an_own_authority(
    with_login: RealRegistry, files: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    image = f"{with_login.host}/org/image:v1"
    found = with_login.client.head("/v2/org/image/manifests/v1", headers={"Accept": OCI_INDEX})
    assert look_up(image, OWN) == found.headers["Docker-Content-Digest"]
    assert "wants a login, or has no such image: docker login" in refused(image)
    assert f"refused the login of `docker login {with_login.host}`" in refused(image, WRONG)
    assert "is an identity token, which is not used here" in refused(image, Login())


def test_a_login_is_not_sent_without_tls(tmp_path: Path) -> None:
    with real_registry(tmp_path / "registry", None, htpasswd(tmp_path), (USER, PASSWORD)) as running:
        running.push("org/image", "v1")
        told = refused(f"{running.host}/org/image:v1", OWN)
        log = (tmp_path / "registry" / "log").read_text()
    assert f"{running.host} asks for a login, and has no HTTPS to send it by" in told
    assert '"HEAD /v2/org/image/manifests/v1 HTTP/1.1" 401' in log
    assert 'HTTP/1.1" 200' not in log.split('"HEAD')[-1]


def test_tokens_are_asked_for_as_the_registry_says_with_the_login_where_there_is_one(
    with_tokens: WithTokens, files: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    host, scopes = with_tokens.registry.host, with_tokens.tokens.scopes
    scopes.clear()
    digest = look_up(f"{host}/{PUBLIC}:v1", None)
    assert digest.startswith("sha256:")
    assert look_up(f"{host}/org/private:v1", OWN) == digest
    assert scopes == [(f"repository:{PUBLIC}:pull", False), ("repository:org/private:pull", True)]
    assert "wants a login, or has no such image" in refused(f"{host}/org/private:v1")
    assert "refused the login of" in refused(f"{host}/org/private:v1", WRONG)
    assert refused(f"{host}/org/private:v2", OWN).endswith("has no such tag")


def test_the_command_locks_what_stacks_pull_by_the_logins_of_docker(
    with_tokens: WithTokens,
    files: tuple[Path, Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    host = with_tokens.registry.host
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": login}}}))
    image = f"{host}/org/private:v1"
    entry: dict[str, Any] = {
        "name": "own",
        "model": {"source": "custom"},
        "engine": {"type": "llamacpp", "image": image},
    }
    project = write_project(tmp_path / "project", [entry])
    assert run(monkeypatch, "lock", "--cwd", str(project)) == 0
    first = yaml.safe_load((project / "stacks" / "models.lock.yaml").read_text())["images"]
    (deployment,) = stack_plan(project, "own").deployments
    assert f"{image}@{first[image]}" in json.dumps(deployment.rendered.resource)
    capsys.readouterr()
    moved = with_tokens.registry.push("org/private", "v1", note="moved")
    assert run(monkeypatch, "lock", "--check", "--cwd", str(project)) == 1
    output = capsys.readouterr()
    assert output.out.splitlines() == [f"{image}: moved from {first[image][:19]} to {moved[:19]}"]
    assert PASSWORD not in output.out + output.err
    assert login not in output.out + output.err
    assert run(monkeypatch, "lock", "--update", image, "--cwd", str(project)) == 0
    assert yaml.safe_load((project / "stacks" / "models.lock.yaml").read_text())["images"] == {image: moved}


def test_what_the_stand_in_of_the_default_tests_answers_was_seen(plain: RealRegistry) -> None:
    """tests/graph/image_registry.py copies these."""
    plain.push("org/image", "v1", kind=OCI_INDEX)
    found = plain.client.head("/v2/org/image/manifests/v1", headers={"Accept": OCI_INDEX})
    missing = plain.client.get("/v2/org/image/manifests/none", headers={"Accept": OCI_INDEX})
    assert sorted(found.headers) == [
        "content-length",
        "content-type",
        "date",
        "docker-content-digest",
        "docker-distribution-api-version",
        "etag",
    ]
    assert found.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert (missing.status_code, missing.headers["Content-Type"]) == (404, "application/json")
    (error,) = missing.json()["errors"]
    assert (error["code"], error["message"]) == ("MANIFEST_UNKNOWN", "manifest unknown")


def test_the_challenges_are_those_of_the_stand_in(
    with_login: RealRegistry, with_tokens: WithTokens, files: tuple[Path, Path, Path]
) -> None:
    trusted = ssl.create_default_context(cafile=str(files[0]))
    challenges = []
    for host in (with_login.host, with_tokens.registry.host):
        answer = httpx.head(f"https://{host}/v2/org/image/manifests/v1", verify=trusted, trust_env=False)
        assert answer.status_code == 401
        challenges.append(answer.headers["WWW-Authenticate"])
    realm = f"https://localhost:{with_tokens.tokens.server_port}/token"
    scope = 'scope="repository:org/image:pull"'
    assert challenges == ['Basic realm="tests"', f'Bearer realm="{realm}",service="registry.tests",{scope}']
