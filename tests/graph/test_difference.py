"""Graph (recorder and git): what `airunway diff` says of commits that each change one thing, in every format."""

import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from airunway.program.checkout import empty_document
from airunway.program.record import record
from airunway.program.stack_file import read_stack
from airunway.report.compare import Difference, compare
from airunway.report.difference_document import difference_document
from airunway.report.difference_text import differences_text, field_sentence
from airunway.report.html import differences_html
from airunway.report.markdown import LIMIT, differences_markdown
from airunway.report.mermaid import differences_mermaid
from airunway.report.preview_document import preview_document
from tests.command import run
from tests.graph.projects import ROOT, copy_program

GOLDEN = Path(__file__).parent / "golden"
CODE = ("Pulumi.yaml", "__main__.py", "airunway", "components", "providers")


def base() -> dict[str, Any]:
    threshold = {"condition": "spec.engine.type == 'vllm' && spec.resources.gpu.count > 1", "priority": 80}
    return {
        "airunway:cluster": {"context": "prod"},
        "airunway:namespace": "ml",
        "airunway:huggingFaceToken": {"secure": "v1:first"},
        "airunway:providers": {"kuberay": {"spec": {"selectionRules": [threshold]}}},
        "airunway:deployments": [
            {
                "name": "chat",
                "model": {"id": "Qwen/Qwen3-8B"},
                "engine": {"type": "vllm"},
                "resources": {"gpu": {"count": 1}},
            },
            {"name": "small", "model": {"id": "Qwen/Qwen3-0.6B-GGUF"}},
            {
                "name": "old",
                "model": {"id": "org/old"},
                "provider": {"name": "kuberay"},
                "resources": {"gpu": {"count": 1}},
            },
        ],
    }


def deployment(config: dict[str, Any], name: str) -> dict[str, Any]:
    result: dict[str, Any] = next(d for d in config["airunway:deployments"] if d["name"] == name)
    return result


def kaito(config: dict[str, Any], spec: dict[str, Any]) -> None:
    config["airunway:providers"]["kaito"] = {"spec": spec}


def engine(config: dict[str, Any]) -> None:
    deployment(config, "chat")["engine"]["type"] = "sglang"


def priority(config: dict[str, Any]) -> None:
    rules = [
        {"condition": "spec.engine.type == 'vllm'", "priority": 95},
        {"condition": "spec.engine.type == 'llamacpp'", "priority": 100},
    ]
    kaito(config, {"selectionRules": rules})


def chart(config: dict[str, Any]) -> None:
    kaito(config, {"installation": {"helmCharts": [{"name": "kaito-workspace", "version": "0.13.0"}]}})


def removal(config: dict[str, Any]) -> None:
    config["airunway:deployments"].remove(deployment(config, "old"))


def rename(config: dict[str, Any]) -> None:
    deployment(config, "small")["name"] = "tiny"


def secret(config: dict[str, Any]) -> None:
    config["airunway:huggingFaceToken"]["secure"] = "v1:second"


def replicas(config: dict[str, Any]) -> None:
    deployment(config, "chat")["scaling"] = {"replicas": 3}


def threshold(config: dict[str, Any]) -> None:
    deployment(config, "chat")["resources"]["gpu"]["count"] = 2


def existing(config: dict[str, Any]) -> None:
    config["airunway:providers"]["dynamo"] = {"installation": "existing"}


CHANGES: dict[str, Callable[[dict[str, Any]], None] | None] = {
    "engine": engine,
    "rule-priority": priority,
    "chart-version": chart,
    "removal": removal,
    "rename": rename,
    "secret": secret,
    "replicas": replicas,
    "gpu-threshold": threshold,
    "operator-existing": existing,
    "new-stack": None,
}
Pairs = Any


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its own code and one commit, and one branch with one more commit for each change."""
    root = tmp_path_factory.mktemp("repository")
    for name in CODE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    (root / "stacks").mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    write(root, "prod", base())
    commit(root, "base")
    for change, edit in CHANGES.items():
        git(root, "checkout", "--quiet", "-b", change, "main")
        config = base()
        if edit is None:
            write(root, "edge", config)
        else:
            edit(config)
            write(root, "prod", config)
        commit(root, change)
    return root


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@t", *arguments], check=True)


def commit(root: Path, message: str) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def write(root: Path, stack: str, config: dict[str, Any]) -> None:
    (root / "stacks" / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}, sort_keys=False))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pairs]:
    """The two previews of each changed stack, by change: those that the revisions would have, without git between
    them.
    """
    root = copy_program(tmp_path_factory.mktemp("pairs"))

    def preview(config: dict[str, Any]) -> dict[str, Any]:
        write(root, "prod", config)
        return preview_document(record(root, read_stack(root, "prod")))

    before = preview(base())
    result = {}
    for change, edit in CHANGES.items():
        config = base()
        if edit:
            edit(config)
            result[change] = [(before, preview(config))]
        else:
            write(root, "edge", config)
            edge = preview_document(record(root, read_stack(root, "edge")))
            result[change] = [(empty_document("edge"), edge), (before, before)]
    return result


def formats(result: Pairs) -> dict[str, str]:
    differences = [compare(old, new) for old, new in result]
    plain = Console(file=io.StringIO(), width=120, highlight=False)
    plain.print(differences_text(differences))
    assert isinstance(plain.file, io.StringIO)
    page = differences_html(differences, result)
    sections = re.findall(r"<section aria-label=\"What changes.*?</section>", page, re.DOTALL)
    return {
        "txt": "\n".join(line.rstrip() for line in plain.file.getvalue().splitlines()) + "\n",
        "json": json.dumps([difference_document(d) for d in differences], indent=1, ensure_ascii=False) + "\n",
        "md": differences_markdown(differences),
        "mmd": differences_mermaid(differences, result),
        "html": "\n".join(sections) + "\n",
    }


@pytest.mark.parametrize("change", CHANGES)
def test_golden_differences(change: str, pairs: dict[str, Pairs]) -> None:
    for suffix, text in formats(pairs[change]).items():
        path = GOLDEN / f"{change}.{suffix}"
        if os.environ.get("GOLDEN") == "rewrite":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        assert path.read_text() == text, "`make golden` rewrites the golden files"


@pytest.mark.parametrize("change", CHANGES)
def test_page_and_flowchart_mark_the_same_parts(change: str, pairs: dict[str, Pairs]) -> None:
    differences = [compare(old, new) for old, new in pairs[change]]
    data = re.search(
        r'<script type="application/json"[^>]*>(.*?)</script>', differences_html(differences, pairs[change]), re.DOTALL
    )
    assert data is not None
    on_page = sorted((node["label"], node["operation"]) for node in json.loads(data[1])["nodes"] if node["operation"])
    chart = differences_mermaid(differences, pairs[change])
    assert on_page == sorted(re.findall(r'\["(.*?)<br/>.*"\]:::(\w+)', chart))
    assert on_page or not any(d.resources for d in differences)


def of(pairs: dict[str, Pairs], change: str) -> Difference:
    return compare(*pairs[change][-1])


def test_a_decision_that_changes_says_why(pairs: dict[str, Pairs]) -> None:
    (moved,) = of(pairs, "gpu-threshold").selections
    assert (moved.name, moved.old, moved.new) == ("chat", "vllm on dynamo", "vllm on kuberay")
    assert (
        moved.because == "rule \"spec.engine.type == 'vllm' && spec.resources.gpu.count > 1\" (priority 80) is now true"
    )
    assert "operator dynamo-platform 1.6.1 is removed" in of(pairs, "gpu-threshold").operators


def test_a_chart_s_new_version_is_one_update_and_a_sentence(pairs: dict[str, Pairs]) -> None:
    difference = of(pairs, "chart-version")
    assert difference.operators == ("operator kaito-workspace: chart 0.12.0 -> 0.13.0",)
    assert [(c.operation, c.name) for c in difference.resources] == [("update", "kaito-workspace")]


def test_a_secret_s_change_is_seen_and_its_text_is_not(pairs: dict[str, Pairs]) -> None:
    (change,) = of(pairs, "secret").resources
    assert (change.operation, change.kind, [f.secret for f in change.fields]) == ("update", "Secret", [True])
    everything = json.dumps(pairs["secret"]) + "".join(formats(pairs["secret"]).values())
    assert "v1:first" not in everything
    assert "v1:second" not in everything


def test_nothing_changes_against_oneself(pairs: dict[str, Pairs]) -> None:
    old, new = pairs["replicas"][0]
    assert not compare(new, new)
    assert compare(old, new).counts == {"create": 0, "update": 1, "replace": 0, "delete": 0, "forget": 0}


@pytest.mark.parametrize(
    ("kind", "path", "operation"),
    [
        ("kubernetes:batch/v1:Job", "spec.backoffLimit", "replace"),
        ("kubernetes:core/v1:PersistentVolumeClaim", "spec.accessModes", "replace"),
        ("kubernetes:core/v1:PersistentVolumeClaim", "spec.resources", "update"),
        ("pulumi:providers:kubernetes", "kubeconfig", "update"),
        ("pulumi:providers:kubernetes", "context", "update"),
        ("pulumi:providers:kubernetes", "clusterIdentifier", "replace"),
        ("kubernetes:apps/v1:Deployment", "spec.selector.matchLabels", "replace"),
        ("kubernetes:kaito.sh/v1beta1:Workspace", "metadata.namespace", "replace"),
        ("kubernetes:kaito.sh/v1beta1:Workspace", "resource.count", "replace"),
        ("kubernetes:kaito.sh/v1beta1:Workspace", "inference.template.spec", "replace"),
        ("kubernetes:kaito.sh/v1beta1:Workspace", "resource.partition.mode", "replace"),
        ("kubernetes:kaito.sh/v1beta1:Workspace", "inference.config", "update"),
        ("kubernetes:nvidia.com/v1beta1:DynamoGraphDeployment", "spec.backendFramework", "replace"),
        ("kubernetes:ray.io/v1:RayService", "spec.serveConfigV2", "update"),
    ],
)
def test_a_field_that_can_t_be_changed_in_place_forces_a_replacement_and_is_named(
    kind: str, path: str, operation: str
) -> None:
    def document(value: int) -> dict[str, Any]:
        inputs: Any = value
        for part in reversed(path.split(".")):
            inputs = {part: inputs}
        resource = {"urn": "u", "type": kind, "name": "n", "parent": "", "dependencies": [], "inputs": inputs}
        return {"stack": "s", "deployments": [], "resources": [resource]}

    (change,) = compare(document(1), document(2)).resources
    assert change.operation == operation
    serves = kind.endswith(("Workspace", "DynamoGraphDeployment", "RayService", "apps/v1:Deployment"))
    assert change.interrupts == (serves and operation == "replace")
    output = "forces replacement: deleted, then created again, and not served meanwhile" in field_sentence(
        change.fields[0], change
    )
    assert output == change.interrupts
    assert change.forced_by == ((path,) if operation == "replace" else ())


@pytest.mark.parametrize(
    ("path", "old", "new", "refused"),
    [
        ("spec.storageClassName", "a", "b", True),
        ("spec.storageClassName", None, "b", True),
        ("spec.storageClassName", "a", None, False),
        ("spec.resources.requests.storage", "50Gi", "40Gi", True),
        ("spec.resources.requests.storage", "50Gi", "51201Mi", False),
        ("spec.resources.requests.storage", "50Gi", "60Gi", False),
    ],
)
def test_what_a_volume_can_t_become_is_told_to_be_refused(
    path: str, old: str | None, new: str | None, refused: bool
) -> None:
    def document(value: str | None) -> dict[str, Any]:
        inputs: Any = value
        for part in reversed(path.split(".")):
            inputs = {part: inputs} if inputs is not None else {}
        kind = "kubernetes:core/v1:PersistentVolumeClaim"
        resource = {"urn": "u", "type": kind, "name": "n", "parent": "", "dependencies": [], "inputs": inputs}
        return {"stack": "s", "deployments": [], "resources": [resource]}

    difference = compare(document(old), document(new))
    assert difference.resources[0].refused == ((path,) if refused else ())
    assert ("(refused: volumes" in differences_markdown([difference])) == refused


def test_an_operator_that_is_kept_is_not_said_to_be_removed() -> None:
    release = {
        "urn": "u",
        "type": "kubernetes:helm.sh/v3:Release",
        "name": "kaito-workspace",
        "parent": "",
        "dependencies": [],
    }
    before = {
        "stack": "s",
        "deployments": [],
        "resources": [release | {"inputs": {"version": "0.12.0"}, "retained": True}],
    }
    difference = compare(before, {"stack": "s", "deployments": [], "resources": []})
    assert difference.counts["forget"] == 1
    assert difference.operators == (
        "operator kaito-workspace 0.12.0 stays in the cluster: uninstalling it would delete its CRDs"
        " and all their objects",
    )


def test_a_long_comment_is_cut_honestly() -> None:
    def document(value: str) -> dict[str, Any]:
        resources = [
            {
                "urn": f"u{i}",
                "type": "a:b:Workspace",
                "name": f"n{i}",
                "parent": "",
                "dependencies": [],
                "inputs": {"x": value * 100},
            }
            for i in range(900)
        ]
        return {"stack": "s", "deployments": [], "resources": resources}

    text = differences_markdown([compare(document("a"), document("b"))])
    assert len(text) < LIMIT
    left = re.search(r"\*\*(\d+) more omitted", text)
    assert left is not None
    assert text.count("~ update") + int(left[1]) == 900


@pytest.fixture
def filed(repository: Path) -> Iterator[Path]:
    """The repository where two of its deployments stand in files of their own, not committed."""
    git(repository, "checkout", "--quiet", "main")
    config = base()
    moved = [config["airunway:deployments"].pop(0) for _ in range(2)]
    (repository / "deployments").mkdir()
    for entry in moved:
        (repository / "deployments" / f"{entry['name']}.yaml").write_text(yaml.safe_dump([entry]))
    write(repository, "prod", config | {"airunway:deploymentFiles": ["deployments/*.yaml"]})
    yield repository
    git(repository, "checkout", "--quiet", "--force", "main")
    git(repository, "clean", "--quiet", "--force", "-d")


def test_a_deployment_that_moves_to_a_file_changes_nothing(filed: Path) -> None:
    moved = preview_document(record(filed, read_stack(filed, "prod")))
    git(filed, "checkout", "--quiet", "--force", "main")
    assert not compare(preview_document(record(filed, read_stack(filed, "prod"))), moved)


def test_a_glob_means_the_files_of_the_revision_that_it_is_compared_with(
    filed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(filed, "checkout", "--quiet", "-b", "filed")
    commit(filed, "filed")
    (filed / "deployments" / "small.yaml").unlink()
    (filed / "deployments" / "new.yaml").write_text(yaml.safe_dump([{"name": "new", "model": {"id": "org/new"}}]))
    assert (
        run(monkeypatch, "diff", "--stack", "prod", "--cwd", str(filed), "--against", "filed", "--format", "json") == 0
    )
    (document,) = json.loads(capsys.readouterr().out)
    assert {(r["name"], r["operation"]) for r in document["resources"]} == {("new", "create"), ("small", "delete")}


def test_a_file_that_the_other_revision_lacks_is_told_with_its_pattern_and_folder(
    filed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.move(filed / "deployments", filed / "elsewhere")
    git(filed, "checkout", "--quiet", "-b", "broken")
    commit(filed, "broken")
    write(filed, "prod", base())
    assert run(monkeypatch, "diff", "--stack", "prod", "--cwd", str(filed), "--against", "broken") == 1
    output = (
        "stack prod at the other revision: deploymentFiles[0]: deployments/*.yaml matches no file: there is no folder "
    )
    assert output in " ".join(capsys.readouterr().err.split())


def test_every_stack_is_compared_with_a_revision_whose_command_was_a_package_at_the_top(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--branch", "main", str(repository), str(root)], check=True)
    shutil.move(root / "airunway" / "cli", root / "cli")
    for path in (root / "cli").glob("*.py"):
        path.write_text(path.read_text().replace("airunway.cli", "cli"))
    commit(root, "as before release 0.2")
    git(root, "checkout", "--quiet", "-b", "moved", "origin/replicas")
    write(root, "edge", base())
    here = ("diff", "--all", "--cwd", str(root), "--against", "main", "--format", "json", "--exit-code")
    assert run(monkeypatch, *here) == 1
    edge, prod = json.loads(capsys.readouterr().out)
    assert (edge["stack"], {r["operation"] for r in edge["resources"]}) == (
        "edge",
        {"create"},
    ), "main has no such stack"
    (change,) = prod["resources"]
    assert [(f["path"], f["old"], f["new"]) for f in change["fields"]] == [("spec.components[1].replicas", 1, 3)]


def test_exit_codes_are_those_of_git_diff(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here, saved = ("--stack", "prod", "--cwd", str(repository)), tmp_path / "saved.json"
    git(repository, "checkout", "--quiet", "main")
    assert run(monkeypatch, "preview", *here, "--format", "json") == 0
    saved.write_text(capsys.readouterr().out)
    assert run(monkeypatch, "diff", *here, "--against", str(saved), "--exit-code") == 0
    assert "no change" in capsys.readouterr().out
    git(repository, "checkout", "--quiet", "replicas")
    for options, status in (((), 0), (("--exit-code",), 1)):
        assert run(monkeypatch, "diff", *here, "--against", str(saved), *options) == status
        assert "spec.components[1].replicas: 1 -> 3" in capsys.readouterr().out


def test_a_saved_preview_names_its_stack(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(repository, "checkout", "--quiet", "main")
    here = ("--cwd", str(repository))
    assert run(monkeypatch, "preview", "--stack", "prod", *here, "--format", "json") == 0
    (tmp_path / "saved.json").write_text(capsys.readouterr().out)
    git(repository, "checkout", "--quiet", "secret")
    assert run(monkeypatch, "diff", "--all", *here, "--against", str(tmp_path / "saved.json"), "--format", "json") == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert (document["stack"], document["counts"]["update"]) == ("prod", 1)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--stack", "prod", "--against", "nowhere"), 1, "'nowhere' is neither a file nor a git revision"),
        (("--stack", "prd", "--against", "HEAD"), 1, "no stack 'prd' in the project or at HEAD; did you mean 'prod'?"),
        (("--stack", "prod", "--against", "Pulumi.yaml"), 1, "is not a saved preview"),
        ((), 2, "give either --stack NAME or --all"),
        (("--stack", "prod", "--all"), 2, "give either --stack NAME or --all"),
        (("--stack", "prod", "--format", "pdf"), 2, "pdf"),
    ],
)
def test_wrong_calls_are_refused(
    arguments: tuple[str, ...],
    status: int,
    message: str,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    git(repository, "checkout", "--quiet", "main")
    monkeypatch.chdir(repository)
    assert run(monkeypatch, "diff", *arguments) == status
    assert message in " ".join(capsys.readouterr().err.split())


def test_no_worktree_is_left_behind(repository: Path) -> None:
    listed = subprocess.run(["git", "-C", str(repository), "worktree", "list"], capture_output=True, text=True).stdout
    assert len(listed.splitlines()) == 1
