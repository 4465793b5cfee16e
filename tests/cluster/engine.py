"""The real Pulumi CLI, engine and Kubernetes provider on the project's own files: ``Pulumi.yaml`` with its ``config:``,
and stack files.

Pulumi's Python language host is no Go module, so it can't be built here. Where it is on PATH it runs the program, as
for a user; else the program runs inline, in the process of the test, which is the same but for the host itself.
"""

import contextlib
import os
import runpy
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto
from pulumi.runtime._callbacks import _CallbackServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS

from tests.cluster.tools import language_host, program

ROOT = Path(__file__).parents[2]
PASSPHRASE = "only for tests"
# All inline runs share this process, and gRPC shares connections by address: a monitor on a port where an earlier run
# found nobody would not be tried again for up to two minutes ("Resource monitor has terminated", grpcio 1.85).
_GRPC_CHANNEL_OPTIONS.append(("grpc.use_local_subchannel_pool", 1))


def run_program() -> None:
    """``__main__.py``, unchanged."""
    # An inline run that failed leaves its callback server behind, whose loop is gone (pulumi 3.259,
    # runtime/_callbacks.py).
    _CallbackServicer._servicers.clear()
    runpy.run_path("__main__.py", run_name="__main__")


class Engine:
    """A state folder and a Pulumi home of its own, with the real provider, for a project: one of its own, or one that
    is there.
    """

    def __init__(self, folder: Path, project: Path | None = None) -> None:
        self.folder, self.project = folder, project or folder / "project"
        (folder / "state").mkdir(exist_ok=True)
        (self.project / "stacks").mkdir(parents=True, exist_ok=True)
        for name in ("Pulumi.yaml", "__main__.py"):
            if not (self.project / name).exists():
                shutil.copy(ROOT / name, self.project)
        if not (self.project / ".venv").exists():
            (self.project / ".venv").symlink_to(sys.prefix)
        self.environment = {
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_ERROR_OUTPUT_STRING": "1",
            "PATH": os.pathsep.join(dict.fromkeys([*tool_folders(), os.environ["PATH"]])),
        }
        os.environ["PATH"] = self.environment["PATH"]

    def workspace(self) -> auto.LocalWorkspaceOptions:
        """A workspace of this engine."""
        return auto.LocalWorkspaceOptions(
            work_dir=str(self.project), env_vars=self.environment, secrets_provider="passphrase"
        )

    def stack(self, name: str, settings: Mapping[str, Any], secrets: Mapping[str, str] | None = None) -> auto.Stack:
        """The stack ``name``, whose file has just these settings and secrets."""
        path = self.project / "stacks" / f"Pulumi.{name}.yaml"
        remaining = {
            k: v
            for k, v in (yaml.safe_load(path.read_text()) if path.exists() else {}).items()
            if k == "encryptionsalt"
        }
        config = {"pulumi:disable-default-providers": ["kubernetes"]} | {
            f"airunway:{k}": v for k, v in settings.items()
        }
        path.write_text(yaml.safe_dump(remaining | {"config": config}))
        stack = self.opened(name)
        for key, value in (secrets or {}).items():
            stack.set_config(f"airunway:{key}", auto.ConfigValue(value, secret=True))
        return stack

    def opened(self, name: str, *, inline: bool = False) -> auto.Stack:
        """The stack ``name`` as its file says; ``inline`` runs the program in this process though there is a language
        host.
        """
        if language_host() and not inline:
            return auto.create_or_select_stack(name, work_dir=str(self.project), opts=self.workspace())
        return auto.create_or_select_stack(name, project_name="airunway", program=self._inline, opts=self.workspace())

    def _inline(self) -> None:
        with contextlib.chdir(self.project):
            run_program()

    def state(self, name: str) -> str:
        """The stack's state as it lies on disk; an export would decrypt it."""
        return (self.folder / "state" / ".pulumi" / "stacks" / "airunway" / f"{name}.json").read_text()


def tool_folders() -> list[str]:
    """Where the Pulumi CLI and the provider lie: the installed provider of the SDK's version, else the one on PATH or
    built here.
    """
    plugins = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi")) / "plugins"
    installed = next(
        (str(path) for path in plugins.glob(f"resource-kubernetes-v{version('pulumi_kubernetes')}*") if path.is_dir()),
        None,
    )
    return [str(program("pulumi").parent), installed or str(program("pulumi-resource-kubernetes").parent)]


def shipped(name: str) -> dict[str, Any]:
    """The settings of a stack file of the project."""
    config = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text())["config"]
    return {key.removeprefix("airunway:"): value for key, value in config.items() if key.startswith("airunway:")}
