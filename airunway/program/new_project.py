"""The files of a new project, and of a new stack: what `airunway init` writes."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from airunway.planning.settings import InstallationMode
from airunway.provider.aikit import aikit_data
from airunway.provider.contract import is_kubernetes_own
from airunway.text.atomic_files import replace_file
from airunway.text.names import suggest_label
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_writing import to_yaml
from providers import PROVIDERS

_PROGRAM = '''"""The Pulumi program: plan the stack from its configuration, then create all that it needs."""

from components.stack_program import serve_stack

serve_stack()
'''
_PROJECT = """name: airunway
description: Model deployments on Kubernetes.
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: .venv
stackConfigDir: stacks
"""
_SCHEMA = "stack.schema.json"
_LONGEST_NAME = 40
_STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True)
class FirstModel:
    """The model of a new stack's deployment: its id, GPUs, and the file of a GGUF repository."""

    id: str
    gpus: int = 0
    file: str | None = None

    @property
    def name(self) -> str:
        """A deployment's name for it: ``Qwen/Qwen3-0.6B`` gives ``qwen3-0-6b``."""
        return suggest_label(self.id, _LONGEST_NAME) or "model"

    def entry(self) -> dict[str, Any]:
        """The entry of its deployment. Raises ``InputError`` if nothing serves it so."""
        premade: Mapping[str, Any] = aikit_data()["premade"]
        if self.id in premade:
            return self._entry({"source": "aikit", "id": self.id})
        if "/" not in self.id:
            known = ", ".join(premade)
            message = f"'{self.id}' given, must be a Hugging Face id such as Qwen/Qwen3-0.6B, or pre-made: {known}"
            raise InputError([Problem("--model", message)])
        if self.file is None and not self.gpus:
            message = f"{self.id} needs a GPU (--gpus 1), unless it is a GGUF model (--gguf FILE)"
            raise InputError([Problem("--gpus", message)])
        return self._entry({"id": self.id} | ({"gguf": {"file": self.file}} if self.file else {}))

    def _entry(self, model: dict[str, Any]) -> dict[str, Any]:
        gpu = {"resources": {"gpu": {"count": self.gpus}}} if self.gpus else {}
        return {"name": self.name, "model": model, **gpu}


def new_stack_text(cluster: Mapping[str, str], namespace: str, model: FirstModel, *, has_operators: bool) -> str:
    """Return the text of a stack file; ``has_operators`` says that the cluster has its operators already."""
    config: dict[str, Any] = {
        "pulumi:disable-default-providers": ["kubernetes"],
        "airunway:cluster": dict(cluster),
        "airunway:namespace": namespace,
        "airunway:deployments": [model.entry()],
    }
    if has_operators:
        installed = [provider.NAME for provider in PROVIDERS if not is_kubernetes_own(provider.API_VERSION)]
        config["airunway:providers"] = {name: {"installation": str(InstallationMode.EXISTING)} for name in installed}
    return f"# yaml-language-server: $schema={_SCHEMA}\n{to_yaml({'config': config})}"


def new_files(root: Path, stack: str, text: str, schema: Mapping[str, Any]) -> dict[Path, str]:
    """Return the files to write for a stack in the project at ``root``, and for the project where there is none.

    Raises ``InputError`` if the stack is there, or its name is not one.
    """
    if not _STACK_NAME.fullmatch(stack):
        raise InputError([Problem("STACK", f"'{stack}' given, must be letters, digits, '.', '-' and '_'")])
    path = root / "stacks" / f"Pulumi.{stack}.yaml"
    if path.exists():
        raise InputError([Problem("STACK", f"{path} exists already; edit it, or name another stack")])
    project = {
        root / "Pulumi.yaml": _PROJECT,
        root / "__main__.py": _PROGRAM,
        root / "requirements.txt": requirement(Distribution.from_name("airunway")),
        root / ".gitignore": ".venv\n.pulumi/\n__pycache__/\n",
        root / "stacks" / _SCHEMA: json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
    }
    return {file: content for file, content in project.items() if not file.exists()} | {path: text}


def requirement(distribution: Distribution, extra: str = "") -> str:
    """Return the requirement that installs this very ``airunway``, from where it was installed (PEP 610).

    With an ``extra`` a checkout is copied, not linked.
    """
    name = f"airunway[{extra}]" if extra else "airunway"
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    url = str(origin.get("url", ""))
    if origin.get("dir_info", {}).get("editable") and not extra:
        return f"-e {url}\n"
    return f"{name} @ {url}\n" if url else f"{name}=={distribution.version}\n"


def write_files(files: Mapping[Path, str]) -> Sequence[Path]:
    """Write new files, and their folders. Raises ``InputError``."""
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_written = replace_file(path, text, None)
        except OSError as error:
            raise InputError([Problem(str(path), f"can't be written: {error.strerror}")]) from error
        if not is_written:
            raise InputError([Problem(str(path), "can't be written: its folder does not allow it")])
    return list(files)
