"""Projects of their own: our program, with stack files that a test writes."""

import json
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def many(count: int) -> list[dict[str, Any]]:
    """``count`` deployments in twenty namespaces, every other one on a GPU."""
    return [
        {"name": f"model-{i}", "model": {"id": f"org/{i}"}, "namespace": f"team-{i % 20}"}
        | ({"resources": {"gpu": {"count": 1}}} if i % 2 else {})
        for i in range(count)
    ]


def copy_program(root: Path) -> Path:
    """Our program in ``root``, without a stack."""
    (root / "stacks").mkdir(parents=True, exist_ok=True)
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, root)
    return root


def write_stack(root: Path, name: str = "own", **settings: Any) -> Path:
    """Let the file of the stack ``name`` say these settings of ours, and nothing else."""
    path = root / "stacks" / f"Pulumi.{name}.yaml"
    config = {f"airunway:{key}": value for key, value in ({"cluster": {"context": "x"}} | settings).items()}
    path.write_text(json.dumps({"config": config}))
    return path


def write_project(root: Path, deployments: list[dict[str, Any]], cluster: dict[str, str] | None = None) -> Path:
    """A project in ``root`` whose stack ``own`` has these deployments, on ``cluster``."""
    write_stack(copy_program(root), cluster=cluster or {"context": "x"}, deployments=deployments)
    return root
