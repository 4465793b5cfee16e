"""Graph (command line, in process): commands, exit statuses, help, and output on narrow terminals and in pipes."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airunway.text.terminal import one_line
from tests.command import run
from tests.graph.projects import ROOT, copy_program, many, write_project, write_stack

DOCUMENT = {
    "apiVersion": "airunway.ai/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "llama", "namespace": "ml", "uid": "1", "resourceVersion": "7"},
    "spec": {"model": {"id": "org/model"}, "resources": {"gpu": {"count": 1}}},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize("group", ["airunway.ai", "kubeairunway.ai"])
def test_select_reads_documents_of_both_groups_from_standard_input(
    group: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = yaml.safe_dump_all(
        [DOCUMENT | {"apiVersion": f"{group}/v1alpha1"}, DOCUMENT | {"spec": {"model": {"id": "a/b"}}}]
    )
    assert run(monkeypatch, "select", "-f", "-", "--format", "json", stdin=text) == 0
    decisions = json.loads(capsys.readouterr().out)
    assert [(d["name"], d["provider"], d["engine"]) for d in decisions] == [
        ("llama", "dynamo", "vllm"),
        ("llama", "kaito", "llamacpp"),
    ]


def test_select_prints_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "select", "-f", "-", stdin=yaml.safe_dump(DOCUMENT)) == 0
    header, row, *_ = capsys.readouterr().out.splitlines()
    assert header.split() == ["DEPLOYMENT", "ENGINE", "PROVIDER", "PRIORITY", "RULE", "WHY"]
    assert row.split()[:4] == ["llama", "vllm", "dynamo", "50"]


def test_render_prints_the_upstream_objects_as_yaml(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = {
        "model": {"id": "org/m"},
        "provider": {"name": "kaito"},
        "engine": {"contextLength": 8},
        "resources": {"gpu": {"count": 1}},
    }
    text = yaml.safe_dump_all([DOCUMENT, DOCUMENT | {"spec": preset}])
    assert run(monkeypatch, "render", "-f", "-", stdin=text) == 0
    assert [o["kind"] for o in yaml.safe_load_all(capsys.readouterr().out)] == [
        "DynamoGraphDeployment",
        "ConfigMap",
        "Workspace",
    ]


def test_providers_prints_matrix_and_installation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "providers") == 0
    text = capsys.readouterr().out
    assert ["kaito", "llamacpp", "yes", "yes", "aggregated"] in [line.split() for line in text.splitlines()]
    assert "chosen by name only" in text
    assert "chart kuberay/kuberay-operator 1.7.0" in text


def test_providers_of_a_stack_are_as_the_stack_changes_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "providers", "--stack", "prod", "--cwd", str(ROOT), "--format", "json") == 0
    assert [p["name"] for p in json.loads(capsys.readouterr().out)] == ["dynamo", "kaito", "vllm"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("preview", "--nope"),
        ("preview", "--format", "xml"),
        ("select",),
        ("preview", "--cwd", "/nonexistent"),
        ("render", "file.yaml"),
        ("rbac", "--service-account", "nobody"),
    ],
)
def test_wrong_usage_is_status_2(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *arguments) == 2
    assert "Usage:" in capsys.readouterr().err


def test_a_missing_file_is_status_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "select", "-f", "nowhere.yaml") == 1
    assert "nowhere.yaml: can't be read: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["status"], ["status", "--watch"], ["wait"], ["import"], ["chat", "one", "Hello"]], ids=" ".join
)
def test_a_context_that_no_kubeconfig_has_is_told_at_once(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(tmp_path, [{"name": "one", "model": {"id": "a/b"}}], cluster={"context": "nowhere"})
    assert run(monkeypatch, *arguments, "--stack", "own", "--cwd", str(project)) == 1
    error = capsys.readouterr().err
    assert "cluster nowhere: can't be opened" in error
    assert "retrying" not in error


def test_an_unknown_stack_names_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "--stack", "deev", "--cwd", str(ROOT)) == 1
    assert "did you mean 'dev'? valid: airgapped, dev, prod" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        "preview",
        "diff",
        "explain",
        "select",
        "render",
        "providers",
        "rbac",
        "status",
        "wait",
        "endpoint",
        "chat",
        "import",
        "console",
    ],
)
def test_help_has_an_example(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, command, "--help") == 0
    assert f"airunway {command}" in capsys.readouterr().out.split("Example: ")[1]


def test_piped_output_has_no_colour_and_no_cut_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "--cwd", str(ROOT), columns=50) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "…" not in text
    assert "llama-disagg  DynamoGraphDeployment" in text


def test_the_command_works_as_a_process_and_from_any_folder_below_the_project() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "airunway.cli", "preview", "--stack", "dev"],
        cwd=ROOT / "stacks",
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "9 deployments, 28 resources" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (("--stack", "nope"), "no stack 'nope'"),
        (("--host", "0.0.0.0"), "0.0.0.0 means all addresses; give the one that you open the console with"),
        (("--host", "192.0.2.1"), "192.0.2.1:0 can't be listened on"),
    ],
)
def test_the_console_says_why_it_does_not_open(
    arguments: tuple[str, ...], output: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "console", "--no-browser", *arguments) == 1
    assert output in capsys.readouterr().err


def test_the_console_ends_quietly_when_interrupted() -> None:
    command = [sys.executable, "-m", "airunway.cli", "console", "--no-browser"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        assert serving.stdout.readline().startswith("http://127.0.0.1:")
        time.sleep(0.5)  # until it serves
        serving.send_signal(signal.SIGINT)
        _, errors = serving.communicate(timeout=20)
    assert errors == "The address works once; press Ctrl-C to stop the console.\n"


def test_help_does_not_load_pulumi() -> None:
    code = (
        "import sys, airunway.cli.main; sys.exit(any(m.split('.')[0] in ('pulumi', 'celpy', 'pulumi_kubernetes') for m"
        " in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_rbac_prints_objects_and_says_what_they_leave_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "rbac", "--stack", "dev", "--cwd", str(ROOT)) == 0
    captured = capsys.readouterr()
    assert {o["kind"] for o in yaml.safe_load_all(captured.out)} >= {"Namespace", "ClusterRole", "Role", "RoleBinding"}
    assert "kaito-workspace" in captured.err


def test_explain_shows_every_provider_rule_and_the_spec_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "explain", "mistral-ray", "--stack", "dev", "--cwd", str(ROOT)) == 0
    text = capsys.readouterr().out
    assert text.startswith("mistral-ray: vllm on kuberay")
    assert {"kaito", "dynamo", "kuberay"} <= set(text.split())
    assert run(monkeypatch, "explain", "mistral-ray", "--stack", "dev", "--cwd", str(ROOT), "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [c["provider"] for c in document["candidates"]] == ["dynamo", "kaito", "kuberay", "vllm"]
    assert document["spec"]["engine"]["type"] == "vllm"


def test_explain_of_an_unknown_deployment_names_a_near_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "explain", "mistral-rey", "--stack", "dev", "--cwd", str(ROOT)) == 1
    assert "did you mean 'mistral-ray'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("format", "start"), [("markdown", "### "), ("mermaid", "flowchart "), ("html", "<!doctype html>")]
)
def test_preview_prints_every_format(
    format: str, start: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preview", "--stack", "dev", "--cwd", str(ROOT), "--format", format) == 0
    text = capsys.readouterr().out
    assert text.startswith(start)
    assert "mistral-ray" in text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own, with the stack dev."""
    root = copy_program(tmp_path / "project")
    shutil.copy(ROOT / "stacks" / "Pulumi.dev.yaml", root / "stacks")
    return root


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


def test_a_stack_that_pulumi_could_not_start_is_refused_until_its_deployments_stand_in_files(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [entry | {"env": [{"name": "LONG", "value": "<" * 1_000}]} for entry in many(20)]
    write_stack(project, "dev", deployments=entries)
    here = ("--stack", "dev", "--cwd", str(project))
    assert run(monkeypatch, "preview", *here) == 1
    output = capsys.readouterr().err
    assert re.search(
        r"error: config: takes 14\d,\d{3} bytes, most of them for airunway:deployments; with more than 131,072 Linux",
        output,
    )
    assert "move entries from airunway:deployments to files that airunway:deploymentFiles names" in output
    (project / "deployments").mkdir()
    for part in range(2):
        (project / "deployments" / f"{part}.yaml").write_text(json.dumps(entries[part::2]))
    write_stack(project, "dev", deploymentFiles=["deployments/*.yaml"])
    assert run(monkeypatch, "preview", *here) == 0
    captured = capsys.readouterr()
    assert "20 deployments" in captured.out
    assert "warning: config" not in captured.out + captured.err


@pytest.mark.parametrize("format", ["text", "json", "markdown", "mermaid", "html"])
def test_a_stack_that_grows_towards_the_limit_is_warned_of(
    format: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(project, "dev", deployments=many(2), providers={"kaito": {"spec": {"documentation": "x" * 100_000}}})
    (project / "saved.json").write_text(json.dumps({"stack": "dev", "deployments": [], "resources": []}))
    here = ("--stack", "dev", "--cwd", str(project), "--format", format)
    for command in (("preview", *here), ("diff", *here, "--against", str(project / "saved.json"))):
        assert run(monkeypatch, *command) == 0
        captured = capsys.readouterr()
        assert "most of them for airunway:providers; with more than 131,072 Linux does not" in " ".join(
            (captured.out + captured.err).split()
        )


def test_a_preview_of_300_deployments_is_quick_and_small(project: Path) -> None:
    (project / "many.yaml").write_text(json.dumps(many(300)))
    write_stack(project, "dev", deploymentFiles=["many.yaml"])
    code = (
        "import atexit, pathlib, sys; from airunway.cli.main import main\n"
        "atexit.register(lambda: sys.stderr.write(pathlib.Path('/proc/self/status').read_text()))\n"
        "main()"
    )
    command = [sys.executable, "-c", code, "preview", "--cwd", str(project)]
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    took = time.monotonic() - started
    assert "300 deployments" in done.stdout
    peak = int(done.stderr.split("VmHWM:")[1].split()[0])
    assert peak < 175_000  # kB; 86,000 of them without a deployment
    assert took < 15  # 2 s on two cores; machines that run tests are noisy


@pytest.mark.parametrize("stack", ["airgapped", "dev", "prod"])
def test_the_rights_of_every_shipped_stack_are_told(
    stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "rbac", "--stack", stack, "--cwd", str(ROOT)) == 0
    assert {o["kind"] for o in yaml.safe_load_all(capsys.readouterr().out)} >= {"ClusterRole", "Role", "RoleBinding"}


def test_a_file_gives_neither_terminal_nor_runner_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = write_project(
        tmp_path, [{"name": "one", "model": {"id": "a/b"}, "x\n::error::forged\x1b]0;owned\x07": 1}]
    )
    assert run(monkeypatch, "preview", "--stack", "own", "--cwd", str(project)) == 1
    output = capsys.readouterr().err
    assert "x | ::error::forged" in output
    assert not any(line.lstrip().startswith("::") for line in output.splitlines())
    assert not {"\x1b", "\x07"} & set(output)


@given(st.text(st.sampled_from("a :#[]\n\r\t\x1b\x85\u2028\u202e") | st.characters(), max_size=40))
def test_an_error_is_one_line_without_commands(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert "##[" not in line
    assert not any(unicodedata.category(c).startswith("C") for c in line if c != "\t")
    assert sorted(c for c in line if c.isalnum()) == sorted(c for c in text if c.isalnum())


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_is_told_in_one_line_and_shown_on_demand(
    debug: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise TypeError("unexpected\n::error::[red]x")

    monkeypatch.setattr("airunway.cli.previews.show_preview", broken)
    monkeypatch.setenv("AIRUNWAY_DEBUG", "1" if debug else "")
    assert run(monkeypatch, "preview", "--cwd", str(ROOT)) == 1
    output = capsys.readouterr().err
    assert "error: TypeError: unexpected | ::error::[red]x\n" in output
    assert "please report it" in output
    assert ("Traceback" in output) is debug
    assert ("AIRUNWAY_DEBUG=1" in output) is not debug
