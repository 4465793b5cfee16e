"""Previews of stacks that a test writes, and the resources in them."""

from pathlib import Path
from typing import Any

from airunway.program.record import Preview, Resource, record
from airunway.program.stack_file import read_stack
from tests.graph.projects import copy_program, write_stack

TOKEN = {"secure": "v1:not-decrypted-here"}
REGISTRY = {"managed": {"nodeCidrs": ["10.0.0.0/16"]}}


def stack(tmp_path: Path, **settings: Any) -> Preview:
    """The preview of a stack with ``settings``."""
    write_stack(copy_program(tmp_path), "test", **({"cluster": {"context": "kind"}, "namespace": "ml"} | settings))
    return record(tmp_path, read_stack(tmp_path, "test"))


def of(preview: Preview, kind: str) -> list[Resource]:
    """The resources of a kind."""
    return [r for r in preview.resources if r.type.rsplit(":", 1)[-1] == kind]


def one(preview: Preview, kind: str, name: str | None = None) -> Resource:
    """The only resource of a kind, or of that name among them."""
    (result,) = [r for r in of(preview, kind) if name in (None, r.name)]
    return result
