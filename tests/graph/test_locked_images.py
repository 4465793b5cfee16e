"""Graph (command line and the real registry client; the registry stood in for): the images of `airunway lock`."""

import json
from pathlib import Path

import pytest
import yaml

from airunway.program.record import record
from airunway.program.stack_file import read_stack
from airunway.report.preview_document import preview_document
from tests.cluster.serving import serving
from tests.command import run
from tests.graph.changes import write
from tests.graph.image_projects import LOCK, entry, lock, project_of
from tests.graph.image_registry import Answer, ImageRegistry, digest_of
from tests.graph.model_hub import FIRST, ModelHub, model

QWEN = "Qwen/Qwen3-0.6B"


@pytest.fixture
def project(images_project: Path) -> Path:
    return images_project


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
        assert "1 of 2: localhost:1/org/vllm:1 failed" in told
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
