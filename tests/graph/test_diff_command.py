"""Graph (command line, recorder and git): what `airunway diff` compares a stack with: revisions with their own code
and files, and saved previews.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from airunway.program.record import record
from airunway.program.stack_file import read_stack
from airunway.report.compare import compare
from airunway.report.preview_document import preview_document
from tests.command import run
from tests.graph.changes import CHANGES, base, write
from tests.graph.projects import ROOT, copy_program

CODE = ("Pulumi.yaml", "__main__.py", "airunway", "components", "providers")


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
    place = "stack prod at the other revision: stacks/Pulumi.prod.yaml:23:5: deploymentFiles[0]"
    output = f"{place}: deployments/*.yaml matches no file: there is no folder "
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
        ((), 1, "no stack 'dev' in the project or at HEAD"),
        (("--stack", "prod", "--all"), 2, "give either a stack or --all"),
        (("prod", "--all"), 2, "give either a stack or --all"),
        (("prod", "--stack", "dev"), 2, "'prod' and 'dev' given; name one stack"),
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


def test_a_machine_without_git_is_told_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_program(tmp_path)
    write(root, "prod", base())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(monkeypatch, "diff", "--stack", "prod", "--cwd", str(root)) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: --against: git can't be run: No such file or directory; install it, or give a file of `airunway preview"
        " --format json`",
        "1 problem found; nothing was done.",
    ]


def test_a_project_without_a_commit_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copy_program(tmp_path)
    write(root, "prod", base())
    assert run(monkeypatch, "diff", "prod", "--cwd", str(root)) == 1
    assert capsys.readouterr().err.splitlines()[0] == (
        "error: --against: the project is in no git repository: run `git init` and commit it, or give a file that"
        " `airunway preview --format json` wrote"
    )
    git(root, "init", "--quiet")
    assert run(monkeypatch, "diff", "prod", "--cwd", str(root)) == 1
    output = "error: --against: the git repository has no commit yet: commit the project first"
    assert capsys.readouterr().err.splitlines()[0] == output


def test_a_folder_that_was_no_project_yet_has_none_of_its_stacks_at_that_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README").write_text("")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "no project")
    root = copy_program(tmp_path / "models")
    write(root, "prod", base())
    assert run(monkeypatch, "diff", "prod", "--cwd", str(root), "--format", "json") == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert {resource["operation"] for resource in document["resources"]} == {"create"}
    assert run(monkeypatch, "diff", "prd", "--cwd", str(root)) == 1
    assert "no stack 'prd' in the project or at HEAD; did you mean 'prod'?" in capsys.readouterr().err


def test_a_project_without_code_of_its_own_is_previewed_with_the_installed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a package ``cli`` of the project's own nor a module with the name of ours' parts comes before it."""
    root = copy_program(tmp_path)
    (root / "cli").mkdir()
    for name in ("cli/__init__.py", "cli/__main__.py", "typer.py"):
        (root / name).write_text("raise SystemExit('not the command')")
    write(root, "prod", base())
    git(root, "init", "--quiet")
    commit(root, "base")
    config = base()
    CHANGES["replicas"](config)  # type: ignore[misc]
    write(root, "prod", config)
    assert run(monkeypatch, "diff", "prod", "--cwd", str(root)) == 0
    assert "spec.components[1].replicas: 1 -> 3" in capsys.readouterr().out
