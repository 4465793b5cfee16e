"""Cluster (real Pulumi CLI, its Python language host, pulumi-policy, Kubernetes provider and kube-apiserver): a policy
pack that `airunway policy pack` wrote, over stacks of ours and programs of others.

The language host is taken from PATH, and what the pack needs from PyPI; without them these tests skip.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation as auto

from airunway.planning.assess import assess
from airunway.planning.pod_demand import demand_of
from airunway.planning.policy_input import policy_variables
from airunway.program.stack_plan import stack_plan
from tests.cluster.apiserver import Cluster
from tests.cluster.engine import ROOT, Engine
from tests.cluster.stacks import names, settings
from tests.cluster.tools import language_host, policy_pack_environment
from tests.command import run
from tests.deployments import BUILT, CPU, GPU

pytestmark = pytest.mark.skipif(language_host() is None, reason="no pulumi-language-python on PATH: no pack can run")

FEW = {"name": "few-gpus", "expression": "deployment.gpus <= 2", "message": "at most two GPUs"}
BUDGET = {"name": "gpu-budget", "scope": "stack", "expression": "stack.gpus <= 4", "message": "at most 4 GPUs in all"}
ADVICE = {"name": "team", "expression": "has(deployment.labels.team)", "message": "say whose it is"}
DIGESTS = {
    "name": "digests",
    "expression": "objects[0].inference.template.spec.containers.all(c, c.image.contains('@sha256:'))",
    "message": "images by digest",
}
FOUR = GPU | {"resources": {"gpu": {"count": 4}}}


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> Callable[..., Path]:
    """Writes a pack of policies with the command, and gives it the environment that `pulumi install` would make."""

    def write(*policies: Any) -> Path:
        folder = tmp_path / "pack"
        (tmp_path / "policies.yaml").write_text(yaml.safe_dump(list(policies)))
        assert run(monkeypatch, "policy", "pack", str(folder), str(tmp_path / "policies.yaml")) == 0
        (folder / ".venv").symlink_to(policy_pack_environment())
        return folder

    engine.environment["PYTHONPATH"] = str(ROOT)
    return write


def preview(stack: auto.Stack, pack: Path, **options: Any) -> str:
    """What a preview prints that passes."""
    return stack.preview(policy_packs=[str(pack)], color="never", **options).stdout


def refused(stack: auto.Stack, pack: Path) -> str:
    """What a preview prints that the pack stops."""
    with pytest.raises(auto.CommandError) as stopped:
        stack.preview(policy_packs=[str(pack)], color="never")
    return str(stopped.value)


def test_a_mandatory_policy_stops_an_update_before_anything_is_created(
    cluster: Cluster, engine: Engine, pack: Callable[..., Path]
) -> None:
    """Though the stack's own settings say nothing of policies. `Stack.up` of the Automation API skips the preview."""
    stack = engine.stack("refused", settings(cluster, CPU, FOUR, GPU | {"name": "more"}, namespace="packed"))
    written = pack(FEW, BUDGET, ADVICE | {"severity": "advisory"})
    command = ["up", "--yes", "--stack", "refused", "--policy-pack", str(written), "--color", "never"]
    with pytest.raises(auto.CommandError) as stopped:
        stack.workspace.pulumi_command.run(command, str(engine.project), engine.environment)
    text = str(stopped.value)
    assert "❌ airunway@v0.0.1" in text
    assert "[mandatory]  few-gpus  (airunway:index:ModelDeployment: gpu)\n          at most two GPUs" in text
    assert "[mandatory]  gpu-budget  (pulumi:pulumi:Stack: airunway-refused)\n          at most 4 GPUs in all" in text
    assert "[advisory]  team  (airunway:index:ModelDeployment: cpu)\n          say whose it is" in text
    assert text.count("few-gpus") == 1
    assert names(cluster, "Workspace", "packed") == names(cluster, "DynamoGraphDeployment", "packed") == []


def test_advice_is_shown_and_nothing_is_stopped(cluster: Cluster, engine: Engine, pack: Callable[..., Path]) -> None:
    stack = engine.stack("advised", settings(cluster, CPU, GPU))
    text = preview(stack, pack(FEW, BUDGET, ADVICE | {"severity": "advisory"}))
    assert "[advisory]  team" in text
    assert "few-gpus" not in text
    assert "gpu-budget" not in text


def test_a_stack_that_keeps_to_the_policies_passes(cluster: Cluster, engine: Engine, pack: Callable[..., Path]) -> None:
    stack = engine.stack("fine", settings(cluster, CPU | {"labels": {"team": "a"}}))
    text = preview(stack, pack(FEW, BUDGET, ADVICE))
    assert "✅ airunway@v0.0.1" in text
    assert "[mandatory]" not in text
    assert "[advisory]" not in text


def test_pulumi_s_policy_configuration_changes_what_follows_from_a_policy(
    cluster: Cluster, engine: Engine, pack: Callable[..., Path], tmp_path: Path
) -> None:
    stack = engine.stack("configured", settings(cluster, CPU))
    written = pack(ADVICE)
    assert "[mandatory]  team" in refused(stack, written)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"team": "advisory"}))
    assert "[advisory]  team" in preview(stack, written, policy_pack_configs=[str(config)])
    config.write_text(json.dumps({"all": "disabled"}))
    assert "team" not in preview(stack, written, policy_pack_configs=[str(config)])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- {name: a, expression: 'a &', message: m}", "policies.yaml[0]: expression: syntax error (line 1, column"),
        ("- {name: a, expression: 'true', message: m, severity: fatal}", "policies.yaml[0].severity: 'fatal' given"),
        ("- {name: all, expression: 'true', message: m}", "all: can't be the name of a policy in a pack"),
        ("[]", "policies.yaml: no policies given; a pack has at least one"),
        (None, "policies.yaml: can't be read: No such file or directory"),
    ],
)
def test_a_pack_that_means_nothing_stops_with_its_problems_and_no_traceback(
    cluster: Cluster, engine: Engine, pack: Callable[..., Path], text: str | None, problem: str
) -> None:
    written = pack(FEW)
    (written / "policies.yaml").unlink() if text is None else (written / "policies.yaml").write_text(text)
    output = refused(engine.stack("odd", settings(cluster, CPU)), written)
    assert problem in output
    assert "Traceback" not in output


SEEN = """
import json, pathlib
from airunway.policy_pack import pack
real = pack.judged_deployments

def judged_deployments(resources):
    found = real(resources)
    seen = [one.variables for one in found[0]]
    pathlib.Path(__file__).with_name("seen.json").write_text(json.dumps(seen))
    return found

pack.judged_deployments = judged_deployments
"""


def test_policies_see_in_the_engine_what_they_see_of_the_plan(
    cluster: Cluster, engine: Engine, pack: Callable[..., Path]
) -> None:
    """Also numbers as integers, and no placeholder where it was none, except what is known only after the build."""
    secret = CPU | {"name": "env", "env": [{"name": "A", "value": "plain"}]}
    deployments = [CPU, GPU, secret, GPU | {"name": "plain", "provider": {"name": "vllm"}}, BUILT]
    pool = {"name": "h100", "nodes": 9, "gpu": {"product": "NVIDIA-H100", "count": 8}, "pricePerHour": 80}
    registry = {"existing": {"host": "registry.example"}}
    stack = engine.stack("seen", settings(cluster, *deployments, nodePools=[pool], registry=registry))
    written = pack(FEW, DIGESTS | {"severity": "advisory"})
    (written / "__main__.py").write_text(SEEN + (written / "__main__.py").read_text())
    text = preview(stack, written)
    assert "can't run policy 'digests'" in text
    seen = {one["deployment"]["name"]: one for one in json.loads((written / "seen.json").read_text())}
    plan = stack_plan(engine.project, "seen")
    _, planned = policy_variables(plan, "seen", assess(plan, stack="seen"), demand_of(plan))
    assert len(planned) == 5
    for name, variables in planned:
        if name == "built":
            assert "[unknown]" in json.dumps(seen[name].pop("objects"))
            variables = {key: value for key, value in variables.items() if key != "objects"}
        assert json.dumps(seen[name], sort_keys=True) == json.dumps(variables, sort_keys=True), name


OTHER = """
import pulumi
import pulumi_kubernetes as kubernetes
from components import ModelDeployment

class OlderDeployment(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("airunway:index:ModelDeployment", "older", {"provider": "kaito"})
        self.register_outputs({"provider": "kaito"})

provider = kubernetes.Provider("mine", kubeconfig=KUBECONFIG)
args = {"model": {"id": "org/model"}, "resources": {"gpu": {"count": 4}}}
ModelDeployment("mine", args, pulumi.ResourceOptions(providers={"kubernetes": provider}))
kubernetes.apiextensions.CustomResource(
    "stray",
    api_version="kaito.sh/v1beta1",
    kind="Workspace",
    metadata={"namespace": "default", "name": "stray"},
    opts=pulumi.ResourceOptions(provider=provider),
)
OlderDeployment()
"""


def program_stack(engine: Engine, name: str, source: str) -> auto.Stack:
    """A stack of a program of its own, which the language host runs."""
    (engine.project / "__main__.py").write_text(source)
    return engine.stack(name, {})


def test_models_of_another_program_are_judged_and_those_outside_of_components_told(
    cluster: Cluster, engine: Engine, pack: Callable[..., Path]
) -> None:
    """A ModelDeployment of before there were packs registered its outputs only."""
    source = f"KUBECONFIG = {str(cluster.kubeconfig())!r}\n{OTHER}"
    text = refused(program_stack(engine, "other", source), pack(FEW))
    assert "[mandatory]  few-gpus  (airunway:index:ModelDeployment: mine)" in text
    assert "[mandatory]  airunway-objects  (kubernetes:kaito.sh/v1beta1:Workspace: stray)" in text
    assert "Workspace default/stray is of no ModelDeployment component, so policies know nothing of it" in text
    assert "[mandatory]  airunway-deployments  (airunway:index:ModelDeployment: older)" in text
    assert "it says nothing: its airunway is older than the pack's" in text


REMOTE = """
import pulumi

class Remote(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("airunway:index:ModelServing", "models", SETTINGS, remote=True)

Remote()
"""


def test_models_of_the_plugin_are_judged_as_other_languages_use_it(
    cluster: Cluster, engine: Engine, pack: Callable[..., Path], tmp_path: Path
) -> None:
    """The engine runs the plugin from PATH, in a process of its own; the program does what an SDK does."""
    plugin = tmp_path / "plugins" / "pulumi-resource-airunway"
    plugin.parent.mkdir()
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/components" "$@"\n')
    plugin.chmod(0o755)
    engine.environment["PATH"] = f"{plugin.parent}{os.pathsep}{engine.environment['PATH']}"
    source = f"SETTINGS = {settings(cluster, FOUR)!r}\n{REMOTE}"
    text = refused(program_stack(engine, "remote", source), pack(FEW, BUDGET))
    assert "[mandatory]  few-gpus  (airunway:index:ModelDeployment: gpu)" in text
    assert "gpu-budget" not in text


def test_a_stack_without_models_is_not_judged(engine: Engine, pack: Callable[..., Path]) -> None:
    stack = program_stack(engine, "empty", 'import pulumi\npulumi.export("nothing", 1)\n')
    text = preview(stack, pack(FEW | {"expression": "false"}, BUDGET | {"expression": "false"}))
    assert "✅ airunway@v0.0.1" in text
    assert "[mandatory]" not in text


def test_a_pack_over_a_state_that_was_made_without_one_changes_nothing(
    cluster: Cluster, engine: Engine, pack: Callable[..., Path]
) -> None:
    """What a ModelDeployment says is an output that no step shows."""
    stack = engine.stack("kept", settings(cluster, CPU | {"skipAwait": True}))
    stack.up()
    state = stack.export_stack()
    deployment: Any = state.deployment
    said = [
        resource["outputs"].pop("policyInput", None) for resource in deployment["resources"] if "outputs" in resource
    ]
    assert len([one for one in said if one]) == 1
    stack.import_stack(auto.Deployment(version=state.version, deployment=deployment))
    assert "[mandatory]" not in preview(stack, pack(FEW), expect_no_changes=True)
    stack.destroy()
