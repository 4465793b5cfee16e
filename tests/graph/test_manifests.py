"""Graph (recorder, files in a temporary folder; kubectl where it is on PATH): the files that `airunway render
--output` writes, removes and leaves alone.
"""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.program.record import Preview, Resource, record
from airunway.program.stack_file import read_stack
from airunway.report.manifests import KUSTOMIZATION, manifest_files, write_manifests
from airunway.text.problems import InputError
from tests.command import run
from tests.graph.projects import ROOT, copy_program, write_project

HEADER = "# Written by `airunway render`, which removes obsolete files that it wrote before.\n"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Preview:
    root = write_project(tmp_path_factory.mktemp("empty"), [{"name": "one", "model": {"id": "org/m"}}])
    return replace(record(root, read_stack(root, "own")), resources=())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own, with the stack dev."""
    root = copy_program(tmp_path / "project")
    shutil.copy(ROOT / "stacks" / "Pulumi.dev.yaml", root / "stacks")
    return root


def object_of(kind: str, name: str, namespace: str | None = None, version: str = "v1", **more: Any) -> Resource:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {}) | more
    inputs = {"apiVersion": version, "kind": kind, "metadata": metadata}
    urn = f"{version}/{kind}/{namespace}/{name}"
    return Resource(urn, f"kubernetes:{version}:{kind}", name, "", (), inputs, custom=True)


def files_of(preview: Preview, *resources: Resource) -> dict[str, Any]:
    return {name: yaml.safe_load(text) for name, text in manifest_files(replace(preview, resources=resources)).items()}


@pytest.mark.parametrize(
    "objects",
    [
        (object_of("Workspace", "c", "a-workspace-b"), object_of("Workspace", "b-workspace-c", "a")),
        (object_of("Service", "x", "n"), object_of("Service", "x", "n", "serving.knative.dev/v1")),
        (object_of("Role", "system:node", "n"), object_of("Role", "system-node", "n")),
        (object_of("Namespace", "a"), object_of("Namespace", "A")),
        (
            object_of("Workspace", "x" * 150, "n"),
            object_of("Workspace", "x" * 151, "n"),
            object_of("Workspace", "x" * 250, "n"),
        ),
        tuple(object_of("ConfigMap", name, "n") for name in ("a.b", "a-b", "a_b", "a--b")),
    ],
)
def test_no_object_is_written_over_another(empty: Preview, objects: tuple[Resource, ...]) -> None:
    files = files_of(empty, *objects)
    written = [content for name, content in files.items() if name != KUSTOMIZATION]
    assert len(written) == len(objects)
    assert {repr(sorted(o["metadata"].items())) + o["apiVersion"] for o in written} == {
        repr(sorted(o.inputs["metadata"].items())) + o.inputs["apiVersion"] for o in objects
    }
    assert sorted(files[KUSTOMIZATION]["resources"]) == sorted(set(files) - {KUSTOMIZATION})
    assert all(name == Path(name).name and len(name) <= 255 for name in files)
    assert files_of(empty, *reversed(objects)).keys() == files.keys()


def test_what_others_need_comes_first(empty: Preview) -> None:
    kinds = [
        "Workspace",
        "ConfigMap",
        "ServiceAccount",
        "Namespace",
        "CustomResourceDefinition",
        "NetworkPolicy",
        "PersistentVolumeClaim",
    ]
    listed = files_of(empty, *(object_of(kind, "x", "n") for kind in kinds))[KUSTOMIZATION]["resources"]
    assert [name.split("-")[1] for name in listed] == [
        "customresourcedefinition", "namespace", "serviceaccount", "configmap", "persistentvolumeclaim",
        "networkpolicy", "workspace",
    ]  # fmt: skip


def test_what_only_pulumi_reads_is_left_out_and_other_annotations_stay(empty: Preview) -> None:
    marks = {"pulumi.com/patchForce": "true", "pulumi.com/waitFor": "x"}
    first, second = (
        content
        for name, content in files_of(
            empty,
            object_of("Workspace", "a", "n", annotations=marks),
            object_of("Workspace", "b", "n", annotations=marks | {"team": "ml"}),
        ).items()
        if name != KUSTOMIZATION
    )
    assert "annotations" not in first["metadata"]
    assert second["metadata"]["annotations"] == {"team": "ml"}


def test_an_earlier_run_s_files_go_and_others_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert (
        write_manifests(
            {"a.yaml": "a: 1\n", "b.yaml": "b: 1\n", KUSTOMIZATION: f"{HEADER}resources: [a.yaml, b.yaml]\n"}, out
        )
        == []
    )
    (out / "mine.txt").write_text("mine")
    assert write_manifests({"a.yaml": "a: 2\n", KUSTOMIZATION: f"{HEADER}resources: [a.yaml]\n"}, out) == ["b.yaml"]
    assert {p.name: p.read_text() for p in out.iterdir() if p.name != KUSTOMIZATION} == {
        "a.yaml": "a: 2\n",
        "mine.txt": "mine",
    }


@pytest.mark.parametrize(
    "listed",
    ["[../outside.yaml]", "[..]", "[.]", "[sub]", "[/etc/hostname]", "[1, null]", "[gone.yaml]", "[sub/in.yaml]"],
)
def test_nothing_outside_the_folder_is_removed_whatever_the_kustomization_lists(listed: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub" / "in.yaml").write_text("kept")
    (tmp_path / "outside.yaml").write_text("kept")
    (out / KUSTOMIZATION).write_text(f"{HEADER}resources: {listed}\n")
    assert write_manifests({"a.yaml": "a: 1\n"}, out) == []
    assert (tmp_path / "outside.yaml").read_text() == (out / "sub" / "in.yaml").read_text() == "kept"


@pytest.mark.parametrize(
    ("text", "output"),
    [
        (f"{HEADER}resources: [", "kustomization.yaml: not YAML"),
        (HEADER, "kustomization.yaml: resources: must be a list"),
        (f"{HEADER}resources: a.yaml\n", "kustomization.yaml: resources: must be a list"),
        (f"{HEADER}- a.yaml\n", "kustomization.yaml: resources: must be a list"),
        ("resources: []\n", "was not written by airunway render; use another folder"),
        ("", "was not written by airunway render; use another folder"),
    ],
)
def test_a_kustomization_that_somebody_changed_is_not_written_over(text: str, output: str, tmp_path: Path) -> None:
    (tmp_path / KUSTOMIZATION).write_text(text)
    with pytest.raises(InputError, match=output):
        write_manifests({"a.yaml": "a: 1\n"}, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [KUSTOMIZATION]
    assert (tmp_path / KUSTOMIZATION).read_text() == text


def test_a_folder_that_can_not_be_written_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        assert run(monkeypatch, "render", "--stack", "dev", "--cwd", str(ROOT), "--output", str(folder)) in (1, 2)
        output = " ".join(capsys.readouterr().err.split())
        assert "bug" not in output
        assert str(tmp_path / "file") in output.replace(" ", "")
    assert (tmp_path / "file").read_text() == "mine"


def test_rendered_files_are_what_the_kustomization_lists_and_hold_no_secret(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = project / "manifests"
    assert run(monkeypatch, "render", "--stack", "dev", "--cwd", str(project), "--output", str(out)) == 0
    listed = yaml.safe_load((out / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(p.name for p in out.iterdir() if p.name != "kustomization.yaml")
    objects = [yaml.safe_load((out / name).read_text()) for name in listed]
    assert "Secret" not in {o["kind"] for o in objects}
    assert not [o for o in objects for key in o["metadata"].get("annotations", {}) if key.startswith("pulumi.com/")]
    assert f"Wrote {len(listed) + 1} files" in capsys.readouterr().err


def test_a_second_render_removes_what_is_no_longer_needed(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = project / "manifests"
    arguments = ("render", "--stack", "dev", "--cwd", str(project), "--output", str(out))
    assert run(monkeypatch, *arguments) == 0
    before = {p.name for p in out.iterdir()}
    path = project / "stacks" / "Pulumi.dev.yaml"
    stack = yaml.safe_load(path.read_text())
    stack["config"]["airunway:deployments"] = [
        d for d in stack["config"]["airunway:deployments"] if d["name"] != "mistral-ray"
    ]
    path.write_text(yaml.safe_dump(stack))
    assert run(monkeypatch, *arguments) == 0
    gone = before - {p.name for p in out.iterdir()}
    assert "models-rayservice-mistral-ray.yaml" in gone
    assert f"{len(gone)} obsolete ones removed" in capsys.readouterr().err


def test_render_does_not_touch_a_folder_of_someone_else(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "render", "--stack", "dev", "--cwd", str(project), "--output", str(project)) == 1
    assert "was not written by airunway render; use another folder" in capsys.readouterr().err
    assert {p.name for p in project.iterdir()} == {"Pulumi.yaml", "__main__.py", "stacks"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on PATH")
@pytest.mark.parametrize("stack", ["airgapped", "dev", "prod"])
def test_kustomize_builds_what_render_wrote(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "render", "--stack", stack, "--cwd", str(ROOT), "--output", str(tmp_path / "out")) == 0
    built = subprocess.run(
        ["kubectl", "kustomize", str(tmp_path / "out")], capture_output=True, text=True, check=True
    ).stdout
    kinds = [o["kind"] for o in yaml.safe_load_all(built)]
    assert len(kinds) == len(list((tmp_path / "out").iterdir())) - 1
