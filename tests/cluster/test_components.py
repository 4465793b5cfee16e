"""Cluster (real engine, provider and kube-apiserver; operators stood in for): the components in programs of other
people.

A program in Python runs in the test's process. One in YAML needs Pulumi's YAML and Python hosts, one in TypeScript its
Node host and npm; where they are not on PATH, the tests are skipped.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
import yaml
from pulumi import automation as auto
from pulumi.runtime._callbacks import _CallbackServicer

from components import ModelDeployment, ModelServing, Platform
from tests.cluster.apiserver import Cluster
from tests.cluster.engine import ROOT, Engine
from tests.cluster.operator import operator
from tests.cluster.rolling_operator import rolling_operator
from tests.cluster.stacks import Steps, failed, names, until
from tests.cluster.tools import program
from tests.deployments import CPU, GPU


def needs(*hosts: str) -> pytest.MarkDecorator:
    missing = [host for host in hosts if not shutil.which(host)]
    return pytest.mark.skipif(bool(missing), reason=f"not on PATH: {', '.join(missing)}")


def stack(engine: Engine, name: str, function: Callable[[], Any]) -> auto.Stack:
    """A stack of a program that is a function."""

    def run() -> None:
        _CallbackServicer._servicers.clear()
        function()

    return auto.create_or_select_stack(name, project_name="other", program=run, opts=engine.workspace())


@pytest.mark.parametrize("named", [True, False], ids=["cluster named", "provider of the program's own"])
def test_a_program_with_one_component_serves_a_stack_s_settings(cluster: Cluster, engine: Engine, named: bool) -> None:
    there: Any = {name: {"installation": "existing"} for name in ("kaito", "dynamo")}
    replicas = [1]

    def serve() -> None:
        entries: Any = [CPU, GPU | {"scaling": {"replicas": replicas[0]}}]
        args: Any = {"namespace": "other", "providers": there, "deployments": entries}
        kubeconfig = str(cluster.kubeconfig())
        if named:
            args["cluster"] = {"kubeconfig": kubeconfig}
        own = None if named else {"kubernetes": kubernetes.Provider("mine", kubeconfig=kubeconfig)}
        models = ModelServing("models", args, pulumi.ResourceOptions(providers=own))
        pulumi.export("deployments", models.deployments)

    with operator(cluster):
        created = stack(engine, "serving", serve)
        assert set(created.up().outputs["deployments"].value) == {"cpu", "gpu"}
        assert names(cluster, "Workspace", "other") == ["cpu"]
        assert set(created.up().summary.resource_changes or {}) == {"same"}
        replicas[0] = 2
        changed = Steps()
        created.up(on_event=changed)
        assert changed.changes() == [("update", "DynamoGraphDeployment", "gpu")]
    created.destroy()
    assert names(cluster, "Workspace", "other") == names(cluster, "DynamoGraphDeployment", "other") == []


def test_deployments_beside_the_rest_of_a_program_take_its_outputs(cluster: Cluster, engine: Engine) -> None:
    kubeconfig = str(cluster.kubeconfig())

    def serve() -> None:
        provider = kubernetes.Provider("mine", kubeconfig=kubeconfig)
        options = pulumi.ResourceOptions(providers={"kubernetes": provider})
        platform = Platform(
            "models", {"namespace": "beside", "providers": {"kaito": {"installation": "existing"}}}, options
        )
        created = kubernetes.core.v1.ConfigMap(
            "created",
            metadata={"namespace": "default", "name": "created"},
            opts=pulumi.ResourceOptions(provider=provider),
        )
        labels: Any = {"team": created.metadata["uid"]}
        args: Any = {"model": {"id": "org/gguf"}, "pod_template": {"metadata": {"labels": labels}}}
        ModelDeployment("cpu", args, options, platform=platform)
        pulumi.export("uid", created.metadata["uid"])

    with operator(cluster):
        created = stack(engine, "beside", serve)
        assert created.preview().change_summary[auto.OpType.CREATE] > 0, "the uid is not known yet"
        uid = created.up().outputs["uid"].value
        (workspace,) = [
            w for w in cluster.items("/apis/kaito.sh/v1beta1/workspaces") if w["metadata"]["namespace"] == "beside"
        ]
        assert workspace["inference"]["template"]["metadata"]["labels"]["team"] == uid
        assert set(created.up().summary.resource_changes or {}) == {"same"}
    created.destroy()


@pytest.mark.parametrize("named", [True, False], ids=["cluster named", "not named"])
def test_a_platform_that_names_its_cluster_waits_until_a_change_serves(
    cluster: Cluster, engine: Engine, named: bool
) -> None:
    kubeconfig, replicas = str(cluster.kubeconfig()), [1]

    def serve() -> None:
        options = pulumi.ResourceOptions(providers={"kubernetes": kubernetes.Provider("mine", kubeconfig=kubeconfig)})
        args: Any = {"namespace": "waited", "providers": {"dynamo": {"installation": "existing"}}}
        platform = Platform("models", args | ({"cluster": {"kubeconfig": kubeconfig}} if named else {}), options)
        entry: Any = {key: value for key, value in GPU.items() if key != "name"}
        ModelDeployment("gpu", entry | {"scaling": {"replicas": replicas[0]}}, options, platform=platform)

    with rolling_operator(cluster, "DynamoGraphDeployment", "waited") as times:
        created = stack(engine, "waited", serve)
        created.up()
        replicas[0] = 2
        created.up()
        ended = time.monotonic()
        until(lambda: times)
    assert (times[0] < ended) == named
    created.destroy()


def test_what_can_t_be_planned_is_told_without_a_traceback(cluster: Cluster, engine: Engine) -> None:
    args: Any = {"model": {"id": "org/gguf"}, "scaling": {"replicas": 99}, "engine": {"type": "vlm"}}
    text = failed(stack(engine, "wrong", lambda: ModelDeployment("cpu", args)).up).text
    assert "cpu: scaling.replicas: 99 given, must be at most 32" in text
    assert "cpu: engine.type: 'vlm' given, did you mean 'vllm'?" in text
    assert "Traceback" not in text


class Checkout:
    """The repository's files as git has them, and a Pulumi of its own, which installs what the plugin needs (from PyPI,
    once).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file() and not name.startswith("tests/"):
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.folder / name)
        engine = Engine(folder, folder / "unused")
        self.environment = os.environ | engine.environment | {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "false"}
        plugin = program("pulumi-resource-kubernetes")
        home = folder / "home" / "plugins" / "resource-kubernetes-v4.34.2"
        home.mkdir(parents=True)
        for path in plugin.parent.iterdir():
            (home / path.name).symlink_to(path)

    def pulumi(self, example: str, *arguments: str, code: int = 0) -> str:
        """What a command prints that ends with ``code``."""
        command = [str(program("pulumi")), *arguments, "--non-interactive", "--color", "never"]
        done = subprocess.run(
            command,
            cwd=self.folder / "examples" / example,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    created = Checkout(tmp_path_factory.mktemp("checkout"))
    if shutil.which("pulumi-language-python"):
        created.pulumi("yaml", "package", "get-schema", "../../components")  # installs what the plugin needs
    return created


@needs("pulumi-language-python")
def test_the_cli_reads_the_schema_that_is_kept(checkout: Checkout) -> None:
    read = json.loads(checkout.pulumi("yaml", "package", "get-schema", "../../components"))
    remaining = json.loads((ROOT / "components" / "schema.json").read_text())
    assert (read["name"], read["version"]) == (remaining["name"], remaining["version"])
    for kind in ("types", "resources"):
        properties = "properties" if kind == "types" else "inputProperties"
        assert {k: set(v[properties]) for k, v in read[kind].items()} == {
            k: set(v[properties]) for k, v in remaining[kind].items()
        }


@needs("pulumi-language-yaml", "pulumi-language-python")
def test_the_example_in_yaml_comes_up_and_goes(cluster: Cluster, checkout: Checkout) -> None:
    project = checkout.folder / "examples" / "yaml" / "Pulumi.yaml"
    document = yaml.safe_load(project.read_text())
    models = document["resources"]["models"]["properties"]
    models["cluster"] = {"kubeconfig": str(cluster.kubeconfig())}
    models["namespace"] = "from-yaml"
    project.write_text(yaml.safe_dump(document))
    checkout.pulumi("yaml", "stack", "init", "own")
    checkout.pulumi("yaml", "config", "set", "context", "unused")
    checkout.pulumi("yaml", "config", "set", "--secret", "huggingFaceToken", "hf_only_the_secret_may_say_this")
    with operator(cluster):
        output = checkout.pulumi("yaml", "up", "--yes", "--skip-preview")
    assert "hf_only" not in output
    assert names(cluster, "Workspace", "from-yaml") == ["small"]
    assert names(cluster, "DynamoGraphDeployment", "from-yaml") == ["chat"]
    models["readyTimeout"] = "5s"
    (chat,) = [entry for entry in models["deployments"] if entry["name"] == "chat"]
    chat["scaling"] = {"replicas": 2}
    project.write_text(yaml.safe_dump(document))
    output = checkout.pulumi("yaml", "up", "--yes", "--skip-preview", code=1)
    assert "deployment chat: DynamoGraphDeployment from-yaml/chat did not get ready" in output
    assert "its operator has not processed the last change yet" in output
    assert "Traceback" not in output
    checkout.pulumi("yaml", "destroy", "--yes", "--skip-preview")
    assert names(cluster, "Workspace", "from-yaml") == []


@needs("pulumi-language-nodejs", "pulumi-language-python", "npm")
def test_the_example_in_typescript_type_checks(checkout: Checkout) -> None:
    example = checkout.folder / "examples" / "typescript"
    checkout.pulumi(
        "typescript", "package", "gen-sdk", "../../components", "--language", "nodejs", "--local", "--out", "sdks"
    )
    (example / "sdks" / "nodejs").rename(example / "sdks" / "airunway")
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    installed = subprocess.run(install, cwd=example, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"npm can't install here: {installed.stderr[-300:]}")
    check = ["npx", "--no-install", "tsc", "-p", "."]
    assert (done := subprocess.run(check, cwd=example, capture_output=True, text=True)).returncode == 0, done.stdout
    source = example / "index.ts"
    source.write_text(source.read_text().replace("servedName", "servedNme"))
    assert "'servedNme' does not exist" in subprocess.run(check, cwd=example, capture_output=True, text=True).stdout
