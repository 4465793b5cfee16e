"""Graph (command line and Hugging Face's real client; the hub stood in for): the models of `airunway lock`, and
what stacks make of the commits in ``models.lock.yaml``.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.program.record import record
from airunway.program.stack_file import read_stack
from airunway.program.stack_plan import stack_plan
from airunway.text.problems import InputError
from tests.command import run
from tests.graph.changes import write
from tests.graph.hub_projects import LLAMA, QWEN, config, deployment, lock
from tests.graph.model_hub import FIRST, SECOND, ModelHub, model

LOCK = "stacks/models.lock.yaml"


def locked(project: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((project / LOCK).read_text())["models"]
    return content


def revisions(project: Path, stack: str = "prod") -> dict[str, str | None]:
    return {d.name: d.request.spec.model.revision for d in stack_plan(project, stack).deployments}


def test_the_commits_files_and_licences_of_all_stacks_models_are_locked(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lock(monkeypatch, project) == 0
    output = capsys.readouterr()
    assert output.out.splitlines() == [
        "Qwen/Qwen3-0.6B: new at a1a1a1a1a1a1 (1.5 GB, licence apache-2.0)",
        "meta-llama/Llama-3.3-70B-Instruct: new at a1a1a1a1a1a1 (141.0 GB, licence llama3.3, gated)",
    ]
    assert "Wrote stacks/models.lock.yaml." in output.err
    assert list(locked(project)) == [QWEN, LLAMA]
    assert locked(project)[QWEN] == {
        "revision": FIRST,
        "license": "apache-2.0",
        "weights": {"BF16": 9},
        "architecture": {
            "type": "qwen3",
            "context": 40960,
            "attentionHeads": 16,
            "keyValueHeads": 8,
            "headDim": 128,
            "fullLayers": 28,
        },
        "files": [
            {"path": "config.json", "bytes": 726},
            {"path": "model.safetensors", "bytes": 1_503_300_328, "sha256": "cd" * 32},
        ],
    }
    models = [request for request in hub.requests if request.startswith("/api/models/")]
    assert len(models) == 2, "each model is asked for once, whichever stacks serve it"


def test_a_model_is_locked_without_its_configuration_where_only_some_may_read_it(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.models[LLAMA, "main"] = model(FIRST, ("config.json", 900), licence="llama3.3", gated="manual")
    hub.gated_configs.add(LLAMA)
    assert lock(monkeypatch, project) == 0
    assert "architecture" not in locked(project)[LLAMA]
    note = "is gated: without HF_TOKEN of an account that accepted its terms, what it takes beside weights is unknown"
    assert f"note: {LLAMA} {note}" in capsys.readouterr().err


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'"qwen3"', b'{"model_type": 3}', b"\xff\xfe", b"[" * 100_000])
def test_a_configuration_that_says_nothing_is_left_out_or_told(
    hub: ModelHub,
    project: Path,
    broken: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hub.configs[QWEN] = broken
    if lock(monkeypatch, project) == 0:
        assert "architecture" not in locked(project)[QWEN]
    else:
        assert f"{QWEN}: what HF_ENDPOINT names does not answer as a hub does" in capsys.readouterr().err


def test_stacks_deploy_the_locked_commits(hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert revisions(project) == {"small": None, "large": None}
    lock(monkeypatch, project)
    assert revisions(project) == {"small": FIRST, "large": FIRST}
    assert revisions(project, "dev") == {"small": FIRST}
    resources = record(project, read_stack(project, "prod")).resources
    graphs = [r.inputs for r in resources if r.type.endswith(":DynamoGraphDeployment")]
    assert all(f"--revision={FIRST}" in json.dumps(g) or f'"--revision", "{FIRST}"' in json.dumps(g) for g in graphs)


def test_a_locked_model_stays_until_it_is_updated(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock(monkeypatch, project)
    before = (project / LOCK).read_bytes()
    for model_id in (QWEN, LLAMA):
        hub.models[model_id, "main"] = model(SECOND, ("model.safetensors", 2_703_300_328))
    hub.requests.clear()
    assert lock(monkeypatch, project) == 0
    assert (project / LOCK).read_bytes() == before
    assert hub.requests == []
    capsys.readouterr()
    assert lock(monkeypatch, project, "--update", QWEN) == 0
    assert f"{QWEN}: moved from a1a1a1a1a1a1 to b2b2b2b2b2b2 (+1.2 GB)" in capsys.readouterr().out
    assert revisions(project) == {"small": SECOND, "large": FIRST}
    assert lock(monkeypatch, project, "--update-all") == 0
    assert revisions(project) == {"small": SECOND, "large": SECOND}


def test_the_check_says_what_is_missing_and_what_moved_and_writes_nothing(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lock(monkeypatch, project, "--check") == 1
    assert not (project / LOCK).exists()
    lock(monkeypatch, project)
    assert lock(monkeypatch, project, "--check") == 0
    hub.models[QWEN, "main"] = model(SECOND, ("model.safetensors", 10))
    before = (project / LOCK).read_bytes()
    capsys.readouterr()
    assert lock(monkeypatch, project, "--check") == 1
    assert capsys.readouterr().out.splitlines() == [f"{QWEN}: moved from a1a1a1a1a1a1 to b2b2b2b2b2b2 (-1.5 GB)"]
    assert (project / LOCK).read_bytes() == before


def test_the_files_alone_do_not_move_a_model(hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock(monkeypatch, project)
    hub.models[QWEN, "main"] = model(FIRST, ("model.safetensors", 10), licence="other")
    assert lock(monkeypatch, project, "--check") == 0


def test_what_no_stack_serves_any_more_is_forgotten_and_comments_stay(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(monkeypatch, project)
    path = project / LOCK
    path.write_text(path.read_text().replace(f"  {QWEN}:", f"  # Reviewed by legal.\n  {QWEN}:  # small\n  "[:-3]))
    write(project, "prod", config(deployment("small", QWEN), deployment("other", "Qwen/Qwen3-4B")))
    hub.models["Qwen/Qwen3-4B", "main"] = model(SECOND, ("model.safetensors", 8))
    assert lock(monkeypatch, project) == 0
    assert list(locked(project)) == [QWEN, "Qwen/Qwen3-4B"]
    text = path.read_text()
    assert "# Reviewed by legal." in text
    assert f"{QWEN}:  # small" in text
    assert text.startswith("# The commits of models")


def test_a_revision_that_an_entry_asks_for_is_another_model(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [deployment("a", QWEN), deployment("b", QWEN, revision="v2/beta"), deployment("c", QWEN, revision="main")]
    write(project, "prod", config(*entries))
    hub.models[QWEN, "v2/beta"] = model(SECOND, ("model.safetensors", 8))
    assert lock(monkeypatch, project) == 0
    assert list(locked(project)) == [QWEN, f"{QWEN}@v2/beta"]
    assert revisions(project) == {"a": FIRST, "b": SECOND, "c": FIRST}


def test_a_difference_says_which_model_moved(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock(monkeypatch, project)
    capsys.readouterr()
    assert run(monkeypatch, "preview", "--stack", "prod", "--format", "json", "--cwd", str(project)) == 0
    saved = project / "before.json"
    saved.write_text(capsys.readouterr().out)
    hub.models[QWEN, "main"] = model(SECOND, ("model.safetensors", 2_703_300_328))
    lock(monkeypatch, project, "--update", QWEN)
    capsys.readouterr()
    line = f"small: model {QWEN} moved from a1a1a1a to b2b2b2b (+1.2 GB)"
    for format in ("text", "markdown", "html", "json"):
        arguments = ("--against", str(saved), "--format", format, "--stack", "prod", "--cwd", str(project))
        assert run(monkeypatch, "diff", *arguments) == 0
        # GitHub would make links of commits.
        assert line in capsys.readouterr().out.replace("&#8203;", ""), format


def test_a_stack_that_requires_the_lock_refuses_what_it_lacks(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    premade = {"name": "premade", "model": {"source": "aikit", "id": "llama3.2:1b"}}
    write(project, "prod", config(deployment("small", QWEN), premade, locked=True))
    assert run(monkeypatch, "preview", "--stack", "prod", "--cwd", str(project)) == 1
    assert f"{QWEN} is not in stacks/models.lock.yaml" in " ".join(capsys.readouterr().err.split())
    assert lock(monkeypatch, project) == 0
    assert revisions(project) == {"small": FIRST, "premade": None}


def test_a_provider_that_takes_no_revision_is_a_warning(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gguf = {"name": "gguf", "model": {"id": "Qwen/Qwen3-0.6B-GGUF"}}
    one = {"name": "one", "model": {"id": "Qwen/Qwen3-0.6B-GGUF", "gguf": {"file": "Qwen3-0.6B-Q8_0.gguf"}}}
    write(project, "prod", config(gguf, one))
    hub.models["Qwen/Qwen3-0.6B-GGUF", "main"] = model(FIRST, ("Qwen3-0.6B-Q8_0.gguf", 639_446_688))
    lock(monkeypatch, project)
    assert revisions(project) == {"gguf": None, "one": FIRST}
    (warning,) = [w for w in stack_plan(project, "prod").warnings if "models.lock.yaml" in w]
    assert warning.startswith("gguf: model.revision: stacks/models.lock.yaml has it at a1a1a1a1a1a1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: 5\n", "models"),
        ("models:\n  a/b: {revision: main}\n", "revision"),
        (f"models:\n  a/b: {{revision: {FIRST}, files: [{{path: x, bytes: -1}}]}}\n", "bytes"),
        (f"models:\n  a/b: {{revision: {FIRST}, licence: x}}\n", "licence"),
        ("modles: {}\n", "modles"),
        ("[]\n", ""),
        ("a: [\n", ""),
    ],
)
def test_a_broken_lock_is_told_with_its_name_and_path(project: Path, text: str, message: str) -> None:
    (project / LOCK).write_text(text)
    with pytest.raises(InputError) as refused:
        stack_plan(project, "prod")
    assert all(LOCK in str(problem) for problem in refused.value.problems)
    assert message in str(refused.value)


def test_a_model_that_no_stack_serves_can_t_be_updated(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lock(monkeypatch, project, "--update", "Qwen/Qwen3-0.6") == 1
    assert "no stack uses 'Qwen/Qwen3-0.6'; did you mean 'Qwen/Qwen3-0.6B'" in " ".join(capsys.readouterr().err.split())
    assert hub.requests == []


def test_a_folder_that_can_t_be_written_is_told(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("tempfile.mkstemp", fail)
    assert lock(monkeypatch, project) == 1
    assert "stacks/models.lock.yaml: can't be written: No space left on device" in capsys.readouterr().err
