"""Graph (command line, git and pip): what a wheel of this tree brings, and its command where nothing of the repository
is: installed into a virtual environment of its own, which has only the packages that it needs from this one.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.graph.projects import ROOT

PACKAGES = ("airunway", "components", "providers")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in (*PACKAGES, "pyproject.toml", "README.md", "LICENSE"):
        path = ROOT / name
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(path, source / name, ignore=ignore) if path.is_dir() else shutil.copy(path, source)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(target),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(target.glob("*.whl"))) as opened:
        yield opened


def test_a_wheel_brings_three_import_names(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == set(PACKAGES)


def test_a_wheel_brings_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    listed = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    licences = {name for name in listed if name.endswith(".LICENSE")}
    assert {name for name in listed if (ROOT / name).exists()} - set(wheel.namelist()) - licences == set()


@pytest.fixture(scope="module")
def command(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command; its environment sees this one's packages, but not its link to the repository."""
    assert wheel.filename
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "--disable-pip-version-check", "--no-index", wheel.filename], check=True)
    # Folders that a .pth file names are searched, but their own .pth files are not read.
    packages = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    (Path(packages.strip()) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "airunway"


@pytest.fixture(scope="module")
def project(command: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the installed command makes in an empty folder."""
    folder = tmp_path_factory.mktemp("project")
    assert "Next: airunway preview dev" in said(command, folder, "init", "--context", "kind-dev")
    return folder


def said(program: Path | str, folder: Path, *arguments: str) -> str:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [program, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_an_installed_command_uses_nothing_of_the_repository(command: Path, tmp_path: Path) -> None:
    code = "import airunway, components, providers; print(airunway.__file__, components.__file__, providers.__file__)"
    files = said(command.with_name("python"), tmp_path, "-c", code).split()
    assert all(file.startswith(str(command.parents[1])) for file in files)
    assert '"name": "kaito"' in said(command, tmp_path, "providers", "--format", "json")


def test_a_new_project_is_previewed_explained_and_rendered(command: Path, project: Path) -> None:
    files = {".gitignore", "Pulumi.yaml", "__main__.py", "requirements.txt", "stacks"}
    assert files <= {path.name for path in project.iterdir()}
    assert "1 deployment, no GPU, 8 resources; operators installed: kaito" in said(command, project, "preview")
    assert "llamacpp on kaito" in said(command, project, "explain", "llama3-2-1b")
    assert "Wrote" in said(command, project, "render", "--stack", "dev", "--output", "out")
    shutil.rmtree(project / "out")


def test_a_new_project_is_compared_with_its_own_commits(command: Path, project: Path) -> None:
    said("git", project, "init", "--quiet")
    said("git", project, "add", "--all")
    said("git", project, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message", "new")
    stack = project / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("namespace: models", "namespace: others"))
    difference = said(command, project, "diff")
    assert "metadata.namespace: models -> others" in difference
    assert "+ create others  Namespace" in difference
