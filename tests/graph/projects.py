"""What the tests of this tier share: a project of its own."""

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


def write_project(root: Path, deployments: list[dict[str, Any]], cluster: dict[str, str] | None = None) -> Path:
    """A project in ``root`` whose stack ``own`` has these deployments, on ``cluster``."""
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, root)
    (root / "stacks").mkdir()
    config = {"airunway:cluster": cluster or {"context": "x"}, "airunway:deployments": deployments}
    (root / "stacks" / "Pulumi.own.yaml").write_text(json.dumps({"config": config}))
    return root
