"""The real Pulumi engine, running this project's program inline: the same project, configuration and URNs as ``pulumi up``."""

import json
import os
import runpy
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto
from pulumi.runtime._callbacks import _CallbackServicer

from tests.cluster.standin import StandIn
from tests.cluster.tools import program

ROOT = Path(__file__).parents[2]
PASSPHRASE = "only for tests"


def run_program() -> None:
    """``__main__.py``, unchanged."""
    # An inline run that failed leaves its callback server behind, whose loop is gone (pulumi 3.259, runtime/_callbacks.py).
    _CallbackServicer._servicers.clear()
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


class Engine:
    """A state folder of its own, and the provider: the real plugin where there is one, else the stand-in."""

    def __init__(self, folder: Path) -> None:
        (folder / "state").mkdir(exist_ok=True)
        self.folder = folder
        self.standin = None if self._has_plugin() else StandIn()
        self.environment = {
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_HOME": str(folder / "home") if self.standin else os.environ.get("PULUMI_HOME", str(Path.home() / ".pulumi")),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_ERROR_OUTPUT_STRING": "1",
        }
        if self.standin:
            self.environment["PULUMI_DEBUG_PROVIDERS"] = f"kubernetes:{self.standin.port}"
        os.environ["PATH"] = f"{program('pulumi').parent}{os.pathsep}{os.environ['PATH']}"

    @staticmethod
    def _has_plugin() -> bool:
        plugins = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi")) / "plugins"
        return bool(shutil.which("pulumi-resource-kubernetes")) or any(plugins.glob("resource-kubernetes-v4.34.2"))

    def options(self) -> auto.LocalWorkspaceOptions:
        """A workspace of this engine."""
        return auto.LocalWorkspaceOptions(
            work_dir=tempfile.mkdtemp(dir=self.folder),
            env_vars=self.environment,
            project_settings=auto.ProjectSettings(name="airunway", runtime="python"),
            secrets_provider="passphrase",
        )

    def stack(self, name: str, settings: Mapping[str, Any], secrets: Mapping[str, str] | None = None) -> auto.Stack:
        """The stack ``name`` with just these settings."""
        stack = auto.create_or_select_stack(name, project_name="airunway", program=run_program, opts=self.options())
        values = {f"airunway:{k}": auto.ConfigValue(v if isinstance(v, str) else json.dumps(v)) for k, v in settings.items()}
        values |= {f"airunway:{k}": auto.ConfigValue(v, secret=True) for k, v in (secrets or {}).items()}
        values["pulumi:disable-default-providers"] = auto.ConfigValue(json.dumps(["kubernetes"]))
        for key in stack.get_all_config():
            if key not in values:
                stack.remove_config(key)
        stack.set_all_config(values)
        return stack

    def state(self, name: str) -> str:
        """The stack's state as it lies on disk; an export would decrypt it."""
        return (self.folder / "state" / ".pulumi" / "stacks" / "airunway" / f"{name}.json").read_text()


def shipped(name: str) -> dict[str, Any]:
    """The settings of a stack file of the project."""
    config = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text())["config"]
    return {key.removeprefix("airunway:"): value for key, value in config.items() if key.startswith("airunway:")}
