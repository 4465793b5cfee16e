"""Graph (command line and the real registry client; the registry stood in for): what `airunway lock` makes of answers
that are odd, and of logins.
"""

import base64
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.serving import serving
from tests.graph.image_projects import LOCK, lock, project_of
from tests.graph.image_registry import Answer, ImageRegistry, digest_of


@pytest.fixture
def project(images_project: Path) -> Path:
    return images_project


def locked(project: Path) -> dict[str, str]:
    content: dict[str, str] = yaml.safe_load((project / LOCK).read_text())["images"]
    return content


def test_a_registry_that_has_no_head_is_asked_for_the_manifest(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.has_head = False
    assert lock(monkeypatch, project) == 0
    assert locked(project)[f"{registry.host}/org/own:1"] == digest_of(registry.images["org/own:1"])


PAGE = b"<!doctype html><title>Welcome</title>"
DIGEST = digest_of(b"")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(200, PAGE), "does not answer as a registry does"),
        (Answer(200, b"[" * 100_000), "does not answer as a registry does"),
        (Answer(200, b'{"schemaVersion": 1}'), "does not answer as a registry does"),
        (Answer(200, b"[]"), "does not answer as a registry does"),
        (Answer(200, b"\xff\xfe"), "does not answer as a registry does"),
        (Answer(200, b'{"schemaVersion": 2}', Docker_Content_Digest=DIGEST + "0"), "does not answer as a registry"),
        (Answer(200, b"", Docker_Content_Digest="latest"), "does not answer as a registry does"),
        (Answer(200, b"", Docker_Content_Digest="sha512:" + "ab" * 64), "does not answer as a registry does"),
        (Answer(200, b"", Docker_Content_Digest="\x1b[31m::error::"), "does not answer as a registry does"),
        (Answer(302, b"", Location="/v2/org/own/manifests/1"), "does not answer as a registry does"),
        (Answer(302, b"", Location="gopher://x/"), "does not answer as a registry does"),
        (Answer(302, b"", Location="http://[/"), "does not answer as a registry does"),
        (Answer(401, b""), "has no HTTPS to send it by"),
        (Answer(401, b"", WWW_Authenticate="("), "has no HTTPS to send it by"),
        (Answer(403, b""), "wants a login, or has no such image: docker login localhost:"),
        (Answer(404, b""), "has no such tag, or shows it to others: docker login localhost:"),
        (Answer(429, b""), "was asked too often; try again later, or log in: docker login localhost:"),
        (Answer(500, PAGE), "refused: status 500"),
        (Answer(503, b"", Retry_After="86400"), "refused: status 503"),
        (Answer(200, b"", Content_Encoding="gzip"), "does not answer as a registry does: its answer has the encoding"),
        (
            Answer(200, lambda: itertools.repeat(b" " * 2**20)),
            "does not answer as a registry does: its answer has more than 4,194,304 bytes",
        ),
    ],
)
def test_an_answer_that_is_no_registry_s_is_told_in_a_line(
    registry: ImageRegistry,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: Answer,
    told: str,
) -> None:
    monkeypatch.setattr("airunway.live.registry_session.BACKOFF", 0)
    registry.answer = answer
    assert lock(monkeypatch, project) == 1
    lines = capsys.readouterr().err.splitlines()
    (line,) = [line for line in lines if line.startswith(f"error: {registry.host}/org/own:1: ")]
    assert told in line
    assert not any("Traceback" in line or "::error::" in line for line in lines)
    assert "images" not in yaml.safe_load((project / LOCK).read_text())


@pytest.mark.parametrize("pieces", [b"x" * 10, b" "], ids=["long", "short"])
def test_an_answer_that_trickles_is_read_for_a_while(
    registry: ImageRegistry,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pieces: bytes,
) -> None:
    def trickle() -> Iterator[bytes]:
        while True:
            time.sleep(0.05)
            yield pieces

    registry.answer = Answer(200, trickle)
    monkeypatch.setattr("airunway.live.registry_session.MAX_SECONDS", 0.5)
    started = time.monotonic()
    assert lock(monkeypatch, project) == 1
    assert "its answer does not end within" in capsys.readouterr().err
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, PAGE),
        Answer(200, b"{}"),
        Answer(200, b"[]"),
        Answer(200, b'{"token": 5}'),
        Answer(200, b'{"token": "hidden\\nX: y"}'),
        Answer(200, b"[" * 100_000),
        Answer(200, lambda: itertools.repeat(b" " * 2**20)),
        Answer(403, b'{"token": "hidden"}'),
        Answer(500, b'{"token": "hidden"}'),
        Answer(200, b'{"token": "hidden"}'),
    ],
)
def test_a_server_of_tokens_that_gives_none_is_told_without_what_it_gave(
    secure: ImageRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: Answer,
) -> None:
    project = project_of(tmp_path / "project", secure.host)
    secure.token_answer = answer
    assert lock(monkeypatch, project) == 1
    told = capsys.readouterr().err
    assert f"error: {secure.host}/org/own:1: " in told
    assert "Traceback" not in told
    assert "hidden" not in told


def test_a_server_of_tokens_that_fails_is_told_by_its_name(
    secure: ImageRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = project_of(tmp_path / "project", secure.host)
    with serving(ImageRegistry(tmp_path)) as tokens:
        secure.tokens, tokens.token_answer = tokens.host, Answer(404)
        assert lock(monkeypatch, project) == 1
        told = f"{tokens.host}, which gives tokens for {secure.host}, refused: status 404"
        assert f"error: {secure.host}/org/own:1: {told}" in capsys.readouterr().err
    assert lock(monkeypatch, project) == 1
    assert f"error: {secure.host}/org/own:1: {tokens.host} can't be reached: " in capsys.readouterr().err


def test_a_login_goes_to_the_server_of_tokens_and_is_printed_nowhere(
    secure: ImageRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = project_of(tmp_path / "project", secure.host)
    login = base64.b64encode(b"puller:only-in-the-header").decode()
    docker = tmp_path / "docker"
    docker.mkdir()
    (docker / "config.json").write_text(json.dumps({"auths": {f"https://{secure.host}/v2/": {"auth": login}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(docker))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine localhost login other password other\n")
    assert lock(monkeypatch, project) == 0
    assert secure.logins == {f"Basic {login}"}
    output = capsys.readouterr()
    for hidden in (login, "only-in-the-header", "granted"):
        assert hidden not in output.out + output.err + (project / LOCK).read_text()


def test_logins_that_can_t_be_read_are_told_without_them(
    registry: ImageRegistry,
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.host: {"auth": "hidden"}}}))
    assert lock(monkeypatch, project) == 1
    told = capsys.readouterr().err
    assert f"error: {registry.host}: its login can't be read from Docker's config.json" in told
    assert "hidden" not in told
