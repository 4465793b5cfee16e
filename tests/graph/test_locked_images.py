"""Graph (command line and the real registry client; the registry stood in for): the images of `airunway lock`."""

import base64
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.program.record import record
from airunway.program.stack_file import read_stack
from airunway.report.preview_document import preview_document
from tests.cluster.serving import serving
from tests.command import run
from tests.graph.changes import write
from tests.graph.image_registry import Answer, ImageRegistry, digest_of
from tests.graph.model_hub import FIRST, ModelHub, model
from tests.graph.projects import copy_program

LOCK = "stacks/models.lock.yaml"
QWEN = "Qwen/Qwen3-0.6B"


@pytest.fixture(autouse=True)
def _without_logins(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, without_proxies: None
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path_factory.mktemp("docker")))
    for variable in ("https_proxy", "HTTPS_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def registry() -> Iterator[ImageRegistry]:
    with serving(ImageRegistry()) as server:
        for image in ("org/own:1", "org/other:1"):
            server.push(image)
        yield server


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImageRegistry]:
    """One that asks for tokens, by TLS."""
    with serving(ImageRegistry(tmp_path)) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        server.push("org/own:1")
        server.push("org/other:1")
        yield server


def entry(name: str, image: str) -> dict[str, Any]:
    return {"name": name, "model": {"source": "custom"}, "engine": {"type": "llamacpp", "image": image}}


def project_of(root: Path, host: str, **settings: Any) -> Path:
    """A project with two stacks; one image is in both."""
    copy_program(root)
    own, other = entry("own", f"{host}/org/own:1"), entry("other", f"{host}/org/other:1")
    base = {"airunway:cluster": {"context": "prod"}} | {f"airunway:{key}": value for key, value in settings.items()}
    write(root, "prod", base | {"airunway:deployments": [own, other]})
    write(root, "dev", base | {"airunway:deployments": [own]})
    return root


@pytest.fixture
def project(registry: ImageRegistry, tmp_path: Path) -> Path:
    return project_of(tmp_path / "project", registry.host)


def lock(monkeypatch: pytest.MonkeyPatch, project: Path, *arguments: str) -> int:
    return run(monkeypatch, "lock", *arguments, "--cwd", str(project), columns=400)


def locked(project: Path) -> dict[str, str]:
    content: dict[str, str] = yaml.safe_load((project / LOCK).read_text())["images"]
    return content


def deployed(project: Path, stack: str = "prod") -> dict[str, str]:
    """The image of each deployment's container, as the program registers it."""
    resources = record(project, read_stack(project, stack)).resources
    found = {r.name: r.inputs["inference"]["template"]["spec"] for r in resources if r.type.endswith(":Workspace")}
    return {name: spec["containers"][0]["image"] for name, spec in found.items()}


def test_the_digests_of_all_stacks_images_are_locked_and_deployed(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own, other = f"{registry.host}/org/own:1", f"{registry.host}/org/other:1"
    assert deployed(project) == {"own": own, "other": other}
    assert lock(monkeypatch, project) == 0
    output = capsys.readouterr()
    digests = {name: digest_of(registry.images[name.removeprefix(f"{registry.host}/")]) for name in (own, other)}
    assert output.out.splitlines() == [f"{name}: new at {digests[name][:19]}" for name in (other, own)]
    assert [line for line in output.err.splitlines() if " of 2: " in line] == [f"1 of 2: {other}", f"2 of 2: {own}"]
    assert locked(project) == digests
    assert list(locked(project)) == [other, own]
    assert deployed(project) == {"own": f"{own}@{digests[own]}", "other": f"{other}@{digests[other]}"}
    assert deployed(project, "dev") == {"own": f"{own}@{digests[own]}"}
    heads = [request for request in registry.requests if request.startswith("HEAD")]
    assert sorted(heads) == ["HEAD /v2/org/other/manifests/1", "HEAD /v2/org/own/manifests/1"]
    assert heads == registry.requests, "each is asked for once, and no manifest is fetched"


def test_a_locked_image_stays_until_it_is_updated(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock(monkeypatch, project)
    first, before = locked(project), (project / LOCK).read_bytes()
    own, other = f"{registry.host}/org/own:1", f"{registry.host}/org/other:1"
    moved = {own: registry.push("org/own:1", "moved"), other: registry.push("org/other:1", "moved")}
    registry.requests.clear()
    assert lock(monkeypatch, project) == 0
    assert (project / LOCK).read_bytes() == before
    assert registry.requests == []
    capsys.readouterr()
    assert lock(monkeypatch, project, "--check") == 1
    lines = [f"{name}: moved from {first[name][:19]} to {moved[name][:19]}" for name in (other, own)]
    output = capsys.readouterr()
    assert output.out.splitlines() == lines
    assert "Run airunway lock, with --update NAME or --update-all for those that moved." in output.err
    assert (project / LOCK).read_bytes() == before
    assert lock(monkeypatch, project, "--update", own) == 0
    assert locked(project) == {own: moved[own], other: first[other]}
    assert lock(monkeypatch, project, "--update-all") == 0
    assert locked(project) == moved
    assert lock(monkeypatch, project, "--check") == 0


def test_what_no_stack_uses_any_more_is_forgotten_and_comments_stay(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock(monkeypatch, project)
    path, own = project / LOCK, f"{registry.host}/org/own:1"
    path.write_text(f"{path.read_text().rstrip()} # Scanned on Friday.\n")
    registry.push("org/new:2")
    write(
        project,
        "prod",
        {
            "airunway:cluster": {"context": "prod"},
            "airunway:deployments": [entry("own", own), entry("new", f"{registry.host}/org/new:2")],
        },
    )
    capsys.readouterr()
    assert lock(monkeypatch, project) == 0
    assert f"{registry.host}/org/other:1: no stack uses it" in capsys.readouterr().out
    assert list(locked(project)) == [f"{registry.host}/org/new:2", own]
    assert "# Scanned on Friday." in path.read_text()


def test_a_part_is_locked_alone_and_the_other_stays_as_it_is(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = {"name": "small", "model": {"id": QWEN}, "resources": {"gpu": {"count": 1}}, "provider": {"name": "vllm"}}
    config = {"airunway:cluster": {"context": "prod"}, "airunway:deployments": [served]}
    image = f"{registry.host}/org/own:1"
    config["airunway:providers"] = {"vllm": {"spec": {"images": {"vllm": image}}}}
    write(project, "prod", config)
    with serving(ModelHub()) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.models[QWEN, "main"] = model(FIRST, ("model.safetensors", 10))
        assert lock(monkeypatch, project, "--only", "images") == 0
        assert hub.requests == []
        assert list(locked(project)) == [image]
        asked = len(registry.requests)
        assert lock(monkeypatch, project, "--only", "models") == 0
        assert len(registry.requests) == asked
        assert lock(monkeypatch, project, "--only", "models", "--update", image) == 1
    content = yaml.safe_load((project / LOCK).read_text())
    assert content["models"][QWEN]["revision"] == FIRST
    assert list(content["images"]) == [image]
    assert f"\n  {QWEN}:\n    revision: {FIRST}\n" in (project / LOCK).read_text()


def test_a_registry_that_is_away_loses_no_model_and_no_other_image(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served = {"name": "small", "model": {"id": QWEN}, "resources": {"gpu": {"count": 1}}, "provider": {"name": "vllm"}}
    own = f"{registry.host}/org/own:1"
    away = {"vllm": {"spec": {"images": {"vllm": "localhost:1/org/vllm:1"}}}}
    config = {"airunway:cluster": {"context": "prod"}, "airunway:deployments": [served, entry("own", own)]}
    write(project, "prod", config | {"airunway:providers": away})
    with serving(ModelHub()) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.models[QWEN, "main"] = model(FIRST, ("model.safetensors", 10))
        assert lock(monkeypatch, project) == 1
        told = capsys.readouterr().err
        assert "error: localhost:1/org/vllm:1: localhost:1 can't be reached: Connection refused" in told
        assert "The rest is locked; --only models locks no images." in told
        assert lock(monkeypatch, project, "--check") == 1
        assert lock(monkeypatch, project, "--check", "--only", "models") == 0
    assert list(yaml.safe_load((project / LOCK).read_text())["models"]) == [QWEN]
    assert list(locked(project)) == [own]


def test_an_update_that_fails_keeps_the_digest(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(monkeypatch, project)
    before = (project / LOCK).read_bytes()
    registry.answer = Answer(500)
    assert lock(monkeypatch, project, "--update-all") == 1
    assert (project / LOCK).read_bytes() == before


def test_a_stack_that_can_t_be_planned_is_told_and_nothing_of_it_is_forgotten(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock(monkeypatch, project)
    path = project / "stacks" / "Pulumi.prod.yaml"
    content = yaml.safe_load(path.read_text())
    content["config"]["airunway:providers"] = {"none": {}}
    path.write_text(yaml.safe_dump(content))
    before = (project / LOCK).read_bytes()
    capsys.readouterr()
    assert lock(monkeypatch, project) == 1
    assert "stack prod.providers.none: no such provider" in capsys.readouterr().err.replace("airunway:", "")
    assert (project / LOCK).read_bytes() == before


def test_offline_keeps_the_digests_and_says_which_there_are_none_of(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own, other = f"{registry.host}/org/own:1", f"{registry.host}/org/other:1"
    assert lock(monkeypatch, project, "--offline") == 0
    note = "note: --offline asks no registry, so these images stay without a digest: "
    assert f"{note}{other}, {own}\n" in capsys.readouterr().err
    assert "images" not in yaml.safe_load((project / LOCK).read_text())
    lock(monkeypatch, project)
    path = project / LOCK
    kept = {own: locked(project)[own], f"{registry.host}/org/gone:1": digest_of(b"")}
    path.write_text(yaml.safe_dump({"images": kept}))
    registry.requests.clear()
    capsys.readouterr()
    assert lock(monkeypatch, project, "--offline") == 0
    output = capsys.readouterr()
    assert f"{note}{other}\n" in output.err
    assert output.out.splitlines() == [f"{registry.host}/org/gone:1: no stack uses it"]
    assert locked(project) == {own: kept[own]}
    assert lock(monkeypatch, project, "--offline", "--update", own) == 1
    assert f"--update: {own} is an image: leave out --offline to ask its registry" in capsys.readouterr().err
    assert registry.requests == []


def test_an_image_that_no_stack_uses_can_t_be_updated(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lock(monkeypatch, project, "--update", f"{registry.host}/org/owm:1") == 1
    assert f"did you mean '{registry.host}/org/own:1'" in capsys.readouterr().err


def test_a_lock_with_images_that_is_required_stops_an_image_that_it_lacks_in_one_line(
    registry: ImageRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = project_of(tmp_path / "locked", registry.host, locked=True)
    assert run(monkeypatch, "preview", "prod", "--cwd", str(project)) == 0, "there is no lock with images yet"
    assert lock(monkeypatch, project) == 0
    assert run(monkeypatch, "preview", "prod", "--cwd", str(project)) == 0
    path = project / "stacks" / "Pulumi.prod.yaml"
    path.write_text(path.read_text().replace("org/own:1", "org/own:2"))
    capsys.readouterr()
    assert run(monkeypatch, "preview", "prod", "--cwd", str(project), columns=400) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    reason = "is not in stacks/models.lock.yaml, which airunway:locked requires; run: airunway lock"
    assert f"{registry.host}/org/own:2 {reason}" in line
    registry.push("org/own:2")
    assert lock(monkeypatch, project) == 0
    assert run(monkeypatch, "preview", "prod", "--cwd", str(project)) == 0


def test_a_preview_without_images_in_the_lock_is_what_it_was(project: Path) -> None:
    before = json.dumps(preview_document(record(project, read_stack(project, "prod"))))
    (project / LOCK).write_text(yaml.safe_dump({"models": {QWEN: {"revision": FIRST}}}))
    assert json.dumps(preview_document(record(project, read_stack(project, "prod")))) == before


def test_a_difference_says_which_image_moved(
    registry: ImageRegistry, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock(monkeypatch, project)
    own = f"{registry.host}/org/own:1"
    first = locked(project)[own]
    capsys.readouterr()
    assert run(monkeypatch, "preview", "prod", "--format", "json", "--cwd", str(project)) == 0
    saved = project / "before.json"
    saved.write_text(capsys.readouterr().out)
    moved = registry.push("org/own:1", "moved")
    lock(monkeypatch, project, "--update", own)
    capsys.readouterr()
    line = f"image {own} moved from {first[:19]} to {moved[:19]}"
    for format in ("text", "markdown", "html", "json"):
        arguments = ("--against", str(saved), "--format", format, "--stack", "prod", "--cwd", str(project))
        assert run(monkeypatch, "diff", *arguments, columns=400) == 0
        # GitHub would make links of digests.
        assert line in capsys.readouterr().out.replace("&#8203;", ""), format


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
