"""Unit (pure): what may import what, how long modules and functions may be, and which commands need which extras.
Import Linter and git are the real ones.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PACKAGES = ("airunway", "components", "providers")
CODE = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


IMPORTS = [
    ("airunway/spec/checks.py", "import pulumi", "no Pulumi below the program BROKEN"),
    ("providers/kaito/render.py", "import pulumi_kubernetes", "no Pulumi below the program BROKEN"),
    ("airunway/planning/plan.py", "import providers", "layers BROKEN"),
    ("airunway/live/survey.py", "import airunway.report.compare", "layers BROKEN"),
    ("providers/kaito/render.py", "import providers.dynamo", "providers know nothing of each other BROKEN"),
    ("airunway/text/names.py", "import airunway.text.terminal", None),
    ("airunway/text/merge.py", "import airunway.text.names\n\nfrom airunway.text import problems", None),
]
"""A module, what it imports too, and the contract that this breaks."""
LINTING = """
import contextlib, io, json, pathlib, sys
from importlinter import cli
results = []
for module, line in json.loads(sys.argv[1]):
    path = pathlib.Path(module)
    before = path.read_text()
    path.write_text(f"{before}\\n{line}\\n")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = cli.lint_imports(no_cache=True, no_logo=True)
    path.write_text(before)
    results.append((status, said.getvalue()))
print(json.dumps(results))
"""


def test_layers_import_only_what_is_below_them() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert (done.returncode, "0 broken" in done.stdout) == (0, True), done.stdout


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, str]]:
    """Status and output of Import Linter for each of ``IMPORTS``, in a copy of the code; one process reads it again and
    again.
    """
    folder = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "static", "page")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    command = [sys.executable, "-c", LINTING, json.dumps([(module, line) for module, line, _ in IMPORTS])]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True
    )
    return [(status, output) for status, output in json.loads(done.stdout)]


@pytest.mark.parametrize(
    "index", range(len(IMPORTS)), ids=[f"{module} {line.split()[1]}" for module, line, _ in IMPORTS]
)
def test_an_import_that_climbs_is_refused(index: int, linted: list[tuple[int, str]]) -> None:
    (status, output), broken = linted[index], IMPORTS[index][2]
    assert (status == 0) == (broken is None), output
    assert "4 kept, 0 broken" in output if broken is None else broken in output


def test_no_module_has_over_400_lines() -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    modules = {name for name in listed if name and (ROOT / name).exists()}
    assert {str(p.relative_to(ROOT)) for p in CODE} <= modules
    assert {name for name in modules if len((ROOT / name).read_text().splitlines()) > 400} == set()


def test_no_function_has_over_50_lines() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}": node.end_lineno - node.lineno + 1
        for path in [*CODE, ROOT / "__main__.py"]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    }
    assert {name: lines for name, lines in lengths.items() if lines > 50} == {}


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[:2]) if parts[0] == "airunway" else parts[0]


def test_no_room_holds_a_fifth_of_the_code() -> None:
    lines: dict[str, int] = {}
    for path in CODE:
        lines[room(path)] = lines.get(room(path), 0) + len(path.read_text().splitlines())
    total = sum(lines.values())
    assert {name: count for name, count in lines.items() if count >= total / 5} == {}


OPTIONAL = (
    "httpx2",
    "httpx_ws",
    "huggingface_hub",
    "multipart",
    "openai",
    "pulumi_policy",
    "python_multipart",
    "ruamel",
    "ruamel.yaml",
    "setuptools",
    "sse_starlette",
    "starlette",
    "uvicorn",
)
"""Modules that only extras install."""


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (["console", "--no-browser"], "console"),
        (["chat", "x", "hello"], "live"),
        (["lock"], "lock"),
        (["size", "x", *"--ttft 1 --tpot 1 --isl 1 --osl 2 --concurrency 1".split()], "size"),
    ],
)
def test_a_command_whose_packages_are_missing_names_the_extra(command: list[str], extra: str) -> None:
    """As where no extra is installed."""
    code = f"import sys; sys.modules |= dict.fromkeys({OPTIONAL!r}); from airunway.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        f"error: this command needs optional packages; run: pip install 'airunway[{extra}]'\nNothing was done.\n",
    )


def test_previews_and_plans_need_none_of_the_extras() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"console", "live", "lock", "size"} <= set(extras)
    code = f"import sys; sys.modules |= dict.fromkeys({OPTIONAL!r}); from airunway.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "preview", "--stack", "dev"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
