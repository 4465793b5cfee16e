"""Graph (mocks and recorder): the graph of the stacks that we ship, most of all of the dev stack, and the JSON of
its preview.
"""

import json
from pathlib import Path

import pytest

from airunway.program.record import Preview, record
from airunway.program.stack_file import read_stack
from airunway.report.explain import explanation_document
from airunway.report.preview_document import deployment_document, preview_document
from tests.command import run
from tests.graph.previews import one, stack
from tests.graph.projects import ROOT
from tests.unit.samples import GPU


@pytest.fixture(scope="module")
def dev() -> Preview:
    return record(ROOT, read_stack(ROOT, "dev"))


def test_the_dev_stack_shows_every_way_to_serve(dev: Preview) -> None:
    assert {d.name: (str(d.request.selection.engine), d.request.selection.provider) for d in dev.plan.deployments} == {
        "llama-premade": ("llamacpp", "kaito"),
        "qwen-built": ("llamacpp", "kaito"),
        "qwen-cpu": ("llamacpp", "kaito"),
        "qwen-gpu": ("vllm", "dynamo"),
        "llama-sglang": ("sglang", "dynamo"),
        "llama-trtllm": ("trtllm", "dynamo"),
        "llama-disagg": ("vllm", "dynamo"),
        "mistral-ray": ("vllm", "kuberay"),
        "phi-kaito": ("vllm", "kaito"),
    }


@pytest.mark.parametrize("name", ["dev", "prod", "airgapped"])
def test_each_shipped_stack_previews_without_findings_and_only_the_one_without_a_token_warns(name: str) -> None:
    preview = record(ROOT, read_stack(ROOT, name))
    assert preview.plan.deployments
    assert preview.assessment.findings == ()
    told = [
        ("llama-sglang", "model.id: meta-llama/Llama-3.1-8B-Instruct is gated"),
        ("llama-trtllm", "model.id: meta-llama/Llama-3.1-8B-Instruct is gated"),
        ("llama-disagg", "model.id: meta-llama/Llama-3.3-70B-Instruct is gated"),
        ("phi-kaito", "model.revision: stacks/models.lock.yaml has it at c0fb9e74abda"),
    ]
    warnings = [warning.partition(", ")[0].partition(": ")[::2] for warning in preview.plan.warnings]
    assert warnings == (told if name == "dev" else [])


def test_the_dev_stack_shows_models_at_locked_commits_and_what_they_take(dev: Preview) -> None:
    known = {deployment.name: deployment for deployment in dev.assessment.deployments}
    assert dev.plan.settings.node_pools
    locked = {d.name: d.locked.revision[:7] for d in dev.plan.deployments if d.locked}
    assert locked["llama-disagg"] == "6f6073b"
    assert {use.role: use.longest for use in known["llama-disagg"].memory} == {
        "VllmDecodeWorker": 131_072,
        "VllmPrefillWorker": 15_000,
    }
    assert all(use.free > 0 for deployment in known.values() for use in deployment.memory if use.cache)


def test_every_resource_is_below_a_component_but_the_cluster_s_provider_and_the_components_at_the_top(
    dev: Preview,
) -> None:
    assert {r.type for r in dev.resources if not r.parent} == {
        "pulumi:providers:kubernetes",
        "airunway:index:Platform",
        "airunway:index:ModelDeployment",
    }


def test_every_kubernetes_resource_uses_the_one_explicit_provider_and_the_sdk_s_version(dev: Preview) -> None:
    kubernetes = [r for r in dev.resources if r.type.startswith("kubernetes:")]
    provider = one(dev, "kubernetes")
    assert {r.provider.split("::")[-2] for r in kubernetes} == {provider.name}
    assert {r.version for r in kubernetes} == {provider.version}
    assert (provider.inputs["context"], provider.inputs["upsertExistingObjects"]) == ("kind-airunway", "true")


def test_a_release_waits_for_its_namespace_and_the_upstream_object_for_the_operator(dev: Preview) -> None:
    release, namespace = one(dev, "Release", "kuberay-operator"), one(dev, "Namespace", "ray-system")
    assert namespace.urn in release.dependencies
    assert {release.urn, namespace.urn, one(dev, "Namespace", "models").urn} <= set(one(dev, "RayService").dependencies)


def test_a_release_says_repository_chart_version_values_and_namespace(dev: Preview) -> None:
    inputs = one(dev, "Release", "kaito-workspace").inputs
    assert (inputs["chart"], inputs["version"], inputs["namespace"]) == ("workspace", "0.12.0", "kaito-workspace")
    assert inputs["repositoryOpts"] == {"repo": "https://kaito-project.github.io/kaito/charts/kaito"}
    assert inputs["values"]["featureGates"] == {"disableNodeAutoProvisioning": True}


def test_a_deployment_puts_out_what_callers_need_and_the_stack_maps_them_by_name(dev: Preview) -> None:
    outputs = dev.outputs[one(dev, "ModelDeployment", "qwen-gpu").urn]
    assert outputs == {
        "provider": "dynamo",
        "engine": "vllm",
        "selectedReason": (
            "rule `has(spec.resources.gpu) && spec.resources.gpu.count > 0 && spec.engine.type == 'vllm'` (priority 50)"
        ),
        "endpoint": "http://qwen-gpu-frontend.models.svc:8000/v1",
        "resource": {
            "apiVersion": "nvidia.com/v1beta1",
            "kind": "DynamoGraphDeployment",
            "namespace": "models",
            "name": "qwen-gpu",
        },
    }
    assert (
        dev.outputs["urn:pulumi:dev::airunway::pulumi:pulumi:Stack::airunway-dev"]["deployments"]["qwen-gpu"] == outputs
    )


def test_an_explanation_says_of_the_candidates_what_the_preview_says_and_more(dev: Preview) -> None:
    for planned in dev.plan.deployments:
        previewed = deployment_document(planned)["candidates"]
        explained = explanation_document(planned)["candidates"]
        assert [{k: v for k, v in candidate.items() if k != "rules"} for candidate in explained] == previewed
        assert any(candidate["rules"] for candidate in explained)


def test_every_component_registers_outputs_once(dev: Preview) -> None:
    components = {r.urn for r in dev.resources if r.type.startswith("airunway:")}
    assert components <= set(dev.outputs)


def test_a_preview_is_the_same_in_every_run(dev: Preview) -> None:
    assert json.dumps(preview_document(record(ROOT, read_stack(ROOT, "dev")))) == json.dumps(preview_document(dev))


def test_resources_come_after_what_they_need(dev: Preview) -> None:
    observed: set[str] = set()
    for resource in dev.resources:
        assert set(resource.dependencies) | ({resource.parent} - {""}) <= observed
        observed.add(resource.urn)


def test_the_json_has_the_warnings(tmp_path: Path) -> None:
    entry = {"name": "a", "model": {"id": "org/model"}, "engine": {"trustRemoteCode": True}, **GPU}
    (warning,) = preview_document(stack(tmp_path, deployments=[entry]))["warnings"]
    assert "trustRemoteCode" in warning


def test_the_json_has_the_documented_shape(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "preview", "--stack", "dev", "--format", "json", "--cwd", str(ROOT)) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"stack", "deployments", "resources", "warnings", "assessment"}
    shape = frozenset({"name", "delivery", "engine", "provider", "reason", "rule", "candidates", "assessment"})
    assert {frozenset(d) for d in document["deployments"]} == {shape | {"model", "gpus"}}
    assert {frozenset(c) for d in document["deployments"] for c in d["candidates"]} == {
        frozenset({"provider", "eligible", "priority", "why"})
    }
    assert all({"urn", "type", "name", "parent", "dependencies", "inputs"} <= set(r) for r in document["resources"])
    assert {r["name"] for r in document["resources"] if "retained" in r} >= {
        "models",
        "airunway-registry-persistentvolumeclaim",
    }
    assert {d["name"]: d["rule"] and d["rule"]["priority"] for d in document["deployments"]}["qwen-gpu"] == 50


def test_the_urns_are_those_of_the_engine(dev: Preview) -> None:
    types = "airunway:index:Platform$airunway:index:InferenceProvider$kubernetes:helm.sh/v3:Release"
    assert one(dev, "Release", "kuberay-operator").urn == f"urn:pulumi:dev::airunway::{types}::kuberay-operator"
