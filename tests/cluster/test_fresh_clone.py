"""Cluster (real CLI and, where it is installed, real language host, provider and kube-apiserver): the commands of
README and docs/deploy.md in a fresh clone.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.apiserver import Cluster
from tests.cluster.engine import PASSPHRASE, ROOT, tool_folders
from tests.cluster.operator import operator
from tests.cluster.stacks import names, settings, until
from tests.cluster.tools import language_host, program
from tests.deployments import CPU

NEEDS_HOST = pytest.mark.skipif(language_host() is None, reason="pulumi-language-python is not on PATH")
STACKS = ("dev", "prod", "airgapped")
NO_HOST = "no language plugin 'pulumi-language-python' found"
TOKEN = "hf_only_the_secret_may_say_this"


class Clone:
    """The project's files as git has them, with the installed dependencies beside them, and a Pulumi of its own."""

    def __init__(self, folder: Path, *, host: bool) -> None:
        self.folder = folder / "clone"
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.folder / name)
        (self.folder / ".venv").symlink_to(sys.prefix)
        (folder / "state").mkdir()
        path = [*tool_folders(), os.environ["PATH"]] if host else [str(program("pulumi").parent), "/usr/bin", "/bin"]
        self.environment = {
            "HOME": str(folder),
            "PATH": os.pathsep.join(path),
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def pulumi(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [str(program("pulumi")), *arguments, "--non-interactive", "--color", "never"]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def edit(self, stack: str, **values: Any) -> None:
        """Change settings of a stack file."""
        path = self.folder / "stacks" / f"Pulumi.{stack}.yaml"
        document = yaml.safe_load(path.read_text()) if path.exists() else {}
        document.setdefault("config", {}).update({f"airunway:{key}": value for key, value in values.items()})
        path.write_text(yaml.safe_dump(document))


@pytest.fixture
def bare(tmp_path: Path) -> Clone:
    """A clone where the language host is not to be found."""
    return Clone(tmp_path, host=False)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path, host=True)


@pytest.mark.parametrize("stack", STACKS)
def test_each_shipped_stack_starts_as_far_as_the_cli_goes_without_a_language_host(bare: Clone, stack: str) -> None:
    assert bare.pulumi("stack", "init", stack).returncode == 0
    done = bare.pulumi("preview", "--stack", stack)
    assert NO_HOST in done.stderr + done.stdout, "the configuration is accepted; all that is missing is the host"


@pytest.mark.parametrize(
    "secrets", [("huggingFaceToken",), ("registryPassword",), ("huggingFaceToken", "registryPassword")]
)
def test_either_secret_or_both_are_accepted_by_the_cli(bare: Clone, secrets: tuple[str, ...]) -> None:
    bare.pulumi("stack", "init", "dev")
    for key in secrets:
        assert bare.pulumi("config", "set", "--secret", f"airunway:{key}", TOKEN).returncode == 0
    done = bare.pulumi("preview")
    assert NO_HOST in done.stderr + done.stdout
    assert TOKEN not in (bare.folder / "stacks" / "Pulumi.dev.yaml").read_text()


@NEEDS_HOST
@pytest.mark.parametrize("key", ["huggingFaceToken", "registryPassword"])
def test_a_secret_in_clear_text_is_refused_and_not_repeated(clone: Clone, key: str) -> None:
    clone.pulumi("stack", "init", "dev")
    clone.edit("dev", **{key: TOKEN})
    done = clone.pulumi("preview")
    assert done.returncode != 0
    assert (
        f"{key}: is in clear text; set it with `pulumi config set --secret airunway:{key}`" in done.stdout + done.stderr
    )
    assert TOKEN not in done.stdout + done.stderr


@NEEDS_HOST
def test_an_encrypted_value_that_can_t_be_kept_secret_is_refused_and_not_repeated(clone: Clone) -> None:
    clone.pulumi("stack", "init", "dev")
    path = "airunway:deployments[0].model.id"
    assert clone.pulumi("config", "set", "--secret", "--path", path, text=TOKEN).returncode == 0
    done = clone.pulumi("preview", "--json")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "deployments[0].model.id: is encrypted, and Pulumi's state would have it in clear text" in said
    assert TOKEN not in said


@NEEDS_HOST
def test_the_documented_commands_preview_deploy_change_and_destroy_the_dev_stack(
    cluster: Cluster, clone: Clone, charts: dict[str, Any]
) -> None:
    assert clone.pulumi("stack", "init", "dev").returncode == 0
    clone.edit("dev", cluster={"kubeconfig": str(cluster.kubeconfig())}, providers=charts)
    assert clone.pulumi("config", "set", "--secret", "airunway:huggingFaceToken", text=TOKEN).returncode == 0
    preview = clone.pulumi("preview")
    assert preview.returncode == 0, preview.stdout
    assert "to create" in preview.stdout
    with operator(cluster):
        up = clone.pulumi("up", "--yes")
        assert up.returncode == 0, up.stdout
        assert set(json.loads(clone.pulumi("stack", "output", "--json").stdout)["deployments"]) >= {
            "qwen-cpu",
            "mistral-ray",
        }
        path = clone.folder / "stacks" / "Pulumi.dev.yaml"
        changed = yaml.safe_load(path.read_text())
        for entry in changed["config"]["airunway:deployments"]:
            if entry["name"] in ("mistral-ray", "qwen-cpu"):
                entry.setdefault("engine", {})["contextLength"] = 4096
        path.write_text(yaml.safe_dump(changed))
        again = clone.pulumi("up", "--yes")
        assert again.returncode == 0, again.stdout
        assert "~ 1 updated" in again.stdout  # the RayService
        assert "+-1 replaced" in again.stdout  # the Workspace, whose template KAITO would not bring to its pods
        destroyed = clone.pulumi("destroy", "--yes")
    assert destroyed.returncode == 0, destroyed.stdout
    assert names(cluster, "Workspace", "models") == names(cluster, "RayService", "models") == []
    assert TOKEN not in preview.stdout + up.stdout + again.stdout + destroyed.stdout


@NEEDS_HOST
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("begun", ["create", "update"])
def test_an_update_that_is_cancelled_says_so_and_shows_nothing_of_python(
    cluster: Cluster, clone: Clone, number: signal.Signals, begun: str
) -> None:
    clone.pulumi("stack", "init", "waits")
    clone.edit("waits", **settings(cluster, CPU | {"skipAwait": begun == "update"}, namespace="waits"))
    if begun == "update":
        assert clone.pulumi("up", "--yes").returncode == 0
        clone.edit("waits", **settings(cluster, CPU | {"engine": {"contextLength": 4096}}, namespace="waits"))
    command = [str(program("pulumi")), "up", "--yes", "--skip-preview", "--color", "never"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command,
        cwd=clone.folder,
        env=clone.environment,
        stdout=pipe,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as update:
        until(lambda: waits_for(cluster, begun))
        time.sleep(1)
        if number == signal.SIGINT:
            os.killpg(update.pid, number)  # as the terminal does
        else:
            update.send_signal(number)
        text, _ = update.communicate(timeout=60)
    assert update.returncode != 0
    assert "deployment cpu: waiting for Workspace waits/cpu was cancelled; the next update resumes waiting" in text
    for noise in ("Traceback", "KeyboardInterrupt", "error hooks execution failed"):
        assert noise not in text
    with operator(cluster):
        assert clone.pulumi("up", "--yes").returncode == 0
        clone.pulumi("destroy", "--yes")


def waits_for(cluster: Cluster, begun: str) -> bool:
    """Whether the update has written its object, so that it waits now."""
    workspace = cluster.get("/apis/kaito.sh/v1beta1/namespaces/waits/workspaces/cpu")
    return bool(workspace) and (begun == "create" or "4096" in json.dumps(workspace))
