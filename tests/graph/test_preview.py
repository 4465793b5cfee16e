"""Graph (mocks and recorder): the graph that the program registers, and what ``airunway`` prints of it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.program.record import Preview, Resource, record
from airunway.program.stack_file import read_stack
from airunway.report.explain import explanation_document
from airunway.report.manifests import manifest_files
from airunway.report.preview_document import deployment_document, preview_document
from tests.command import run
from tests.graph.projects import ROOT, copy_program, write_stack
from tests.unit.samples import containers

TOKEN = {"secure": "v1:not-decrypted-here"}


def stack(tmp_path: Path, **settings: Any) -> Preview:
    """The preview of a stack with ``settings``."""
    write_stack(copy_program(tmp_path), "test", **({"cluster": {"context": "kind"}, "namespace": "ml"} | settings))
    return record(tmp_path, read_stack(tmp_path, "test"))


CPU = {"name": "cpu", "model": {"id": "org/gguf"}}
GPU = {"name": "gpu", "model": {"id": "org/model"}, "resources": {"gpu": {"count": 1}}}
RAY = GPU | {"name": "ray", "provider": {"name": "kuberay"}}


@pytest.fixture(scope="module")
def dev() -> Preview:
    return record(ROOT, read_stack(ROOT, "dev"))


def of(preview: Preview, kind: str) -> list[Resource]:
    return [r for r in preview.resources if r.type.rsplit(":", 1)[-1] == kind]


def one(preview: Preview, kind: str, name: str | None = None) -> Resource:
    (result,) = [r for r in of(preview, kind) if name in (None, r.name)]
    return result


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
def test_each_shipped_stack_previews_without_warnings(name: str) -> None:
    preview = record(ROOT, read_stack(ROOT, name))
    assert preview.plan.deployments
    assert preview.plan.warnings == ()


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


def test_an_operator_appears_once_and_only_if_needed(tmp_path: Path) -> None:
    preview = stack(tmp_path, deployments=[CPU, CPU | {"name": "cpu2"}])
    assert [r.name for r in of(preview, "InferenceProvider")] == ["kaito"]
    assert [r.inputs["chart"] for r in of(preview, "Release")] == ["workspace"]


def test_an_empty_stack_has_a_platform_and_nothing_in_it(tmp_path: Path) -> None:
    assert [r.name for r in stack(tmp_path).resources] == ["platform", "cluster"]


def test_a_release_waits_for_its_namespace_and_the_upstream_object_for_the_operator(dev: Preview) -> None:
    release, namespace = one(dev, "Release", "kuberay-operator"), one(dev, "Namespace", "ray-system")
    assert namespace.urn in release.dependencies
    assert {release.urn, namespace.urn, one(dev, "Namespace", "models").urn} <= set(one(dev, "RayService").dependencies)


def test_a_release_says_repository_chart_version_values_and_namespace(dev: Preview) -> None:
    inputs = one(dev, "Release", "kaito-workspace").inputs
    assert (inputs["chart"], inputs["version"], inputs["namespace"]) == ("workspace", "0.12.0", "kaito-workspace")
    assert inputs["repositoryOpts"] == {"repo": "https://kaito-project.github.io/kaito/charts/kaito"}
    assert inputs["values"]["featureGates"] == {"disableNodeAutoProvisioning": True}


@pytest.mark.parametrize(
    ("chart", "expected", "repository"),
    [
        ("oci://registry.internal/workspace", "oci://registry.internal/workspace", None),
        ("./charts/workspace.tgz", "./charts/workspace.tgz", None),
        ("https://mirror.internal/workspace.tgz", "https://mirror.internal/workspace.tgz", None),
        ("kaito/workspace", "workspace", {"repo": "https://kaito-project.github.io/kaito/charts/kaito"}),
    ],
)
def test_a_chart_may_come_from_a_mirror(tmp_path: Path, chart: str, expected: str, repository: Any) -> None:
    charts = [{"name": "kaito-workspace", "chart": chart}]
    inputs = one(
        stack(tmp_path, deployments=[CPU], providers={"kaito": {"spec": {"installation": {"helmCharts": charts}}}}),
        "Release",
    ).inputs
    assert inputs["chart"] == expected
    assert inputs.get("repositoryOpts") == repository


def test_an_existing_operator_is_expected_not_installed(tmp_path: Path) -> None:
    preview = stack(tmp_path, deployments=[GPU], providers={"dynamo": {"installation": "existing"}})
    assert of(preview, "Release") == []
    assert [r.name for r in of(preview, "Namespace")] == ["ml"]
    assert preview.outputs[one(preview, "InferenceProvider").urn] == {"installation": "existing"}


@pytest.mark.parametrize(
    ("deployment", "kind", "wait"),
    [
        (CPU, "Workspace", "jsonpath={.status.state}=Ready"),
        (GPU, "DynamoGraphDeployment", "jsonpath={.status.state}=successful"),
        (RAY, "RayService", "condition=Ready"),
    ],
)
def test_an_upstream_object_is_waited_for_as_fits_its_kind(
    tmp_path: Path, deployment: Any, kind: str, wait: str
) -> None:
    resource = one(stack(tmp_path, deployments=[deployment]), kind)
    assert resource.inputs["metadata"]["annotations"]["pulumi.com/waitFor"] == wait
    assert resource.timeouts == {"create": "30m", "update": "30m"}


def test_the_timeout_is_the_deployment_s_then_the_stack_s_and_waiting_can_be_skipped(tmp_path: Path) -> None:
    preview = stack(
        tmp_path, readyTimeout="1h", deployments=[CPU, CPU | {"name": "slow", "readyTimeout": "2h", "skipAwait": True}]
    )
    assert one(preview, "Workspace", "cpu").timeouts["create"] == "1h"
    slow = one(preview, "Workspace", "slow")
    assert slow.timeouts["create"] == "2h"
    assert slow.inputs["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    assert "pulumi.com/waitFor" not in slow.inputs["metadata"]["annotations"]


def test_an_object_has_its_stack_s_field_manager_and_what_stacks_share_has_one_for_all(tmp_path: Path) -> None:
    managers = {
        (r.type.rsplit(":", 1)[-1], r.inputs["metadata"]["annotations"]["pulumi.com/patchFieldManager"])
        for r in stack(tmp_path, deployments=[CPU, BUILT], registry=REGISTRY).resources
        if r.custom and "kind" in r.inputs
    }
    assert {manager for kind, manager in managers if kind == "Namespace"} == {"airunway"}
    assert {manager for kind, manager in managers if kind != "Namespace"} == {"airunway-test"}


def test_protection_covers_everything_but_what_is_replaced_on_a_change(tmp_path: Path) -> None:
    preset = GPU | {"provider": {"name": "kaito"}, "engine": {"contextLength": 4096}}
    preview = stack(tmp_path, protect=True, deployments=[preset], huggingFaceToken=TOKEN)
    unprotected = {r.type for r in preview.resources if not r.protect}
    assert unprotected == {
        "kubernetes:core/v1:ConfigMap",
        "kubernetes:core/v1:Namespace",
        "pulumi:providers:kubernetes",
    }


def test_the_token_becomes_one_secret_per_namespace_and_is_referred_to(tmp_path: Path) -> None:
    other = GPU | {"name": "other", "namespace": "research"}
    custom = {
        "name": "c",
        "namespace": "free",
        "model": {"source": "custom"},
        "image": "x",
        "engine": {"type": "llamacpp"},
    }
    preview = stack(tmp_path, deployments=[CPU, GPU, other, custom], huggingFaceToken=TOKEN)
    secrets = of(preview, "Secret")
    assert [(s.inputs["metadata"]["namespace"], s.inputs["stringData"]) for s in secrets] == [
        ("ml", {"HF_TOKEN": "[secret]"}),
        ("research", {"HF_TOKEN": "[secret]"}),
    ]
    assert {s.secret_outputs for s in secrets} == {("stringData",)}
    worker = containers(one(preview, "DynamoGraphDeployment", "gpu").inputs)["VllmWorker"]
    assert worker["envFrom"] == [{"secretRef": {"name": "huggingface-token"}}]
    assert secrets[0].urn in one(preview, "DynamoGraphDeployment", "gpu").dependencies


def test_a_secret_goes_with_an_empty_config_map_so_that_nobody_needs_a_right_to_list_secrets(tmp_path: Path) -> None:
    registry = {"existing": {"host": "registry.test", "username": "ci"}}
    built = {"name": "built", "model": {"id": "org/gguf", "gguf": {"file": "m.gguf", "build": True}}}
    preview = stack(
        tmp_path, deployments=[GPU, built], registry=registry, huggingFaceToken=TOKEN, registryPassword=TOKEN
    )
    secrets = of(preview, "Secret")
    assert len(secrets) == 3, "token, push and pull"
    for secret in secrets:
        owner = one(preview, "ConfigMap", f"{secret.name}-owner")
        (reference,) = secret.inputs["metadata"]["ownerReferences"]
        assert (reference["name"], owner.inputs["metadata"]["namespace"]) == (
            owner.inputs["metadata"]["name"],
            secret.inputs["metadata"]["namespace"],
        )
        assert owner.urn in secret.dependencies
        assert "data" not in owner.inputs
    assert not [name for name in manifest_files(preview) if name.endswith("-owner.yaml")], (
        "nobody but Pulumi needs them"
    )
    assert one(preview, "kubernetes").inputs["enableSecretMutable"] == "true", "a new token is written in place"


def test_the_token_s_text_is_in_the_secret_s_request_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airunway.program.stack_file.SECRET", "hf_the_text_itself")
    monkeypatch.setattr("airunway.program.record.SECRET", "[hidden]")
    preview = stack(tmp_path, deployments=[CPU, GPU, RAY], huggingFaceToken=TOKEN)
    assert "hf_the_text_itself" not in json.dumps(preview_document(preview))
    assert "hf_the_text_itself" not in json.dumps(preview.outputs)
    assert one(preview, "Secret").inputs["stringData"] == {"HF_TOKEN": "[hidden]"}


def test_an_existing_secret_is_used_by_name(tmp_path: Path) -> None:
    preview = stack(
        tmp_path,
        deployments=[GPU, GPU | {"name": "own", "secrets": {"huggingFaceToken": "mine"}}],
        huggingFaceSecret="shared",
    )
    assert of(preview, "Secret") == []
    used = {
        r.name: containers(r.inputs)["VllmWorker"]["envFrom"][0]["secretRef"]["name"]
        for r in of(preview, "DynamoGraphDeployment")
    }
    assert used == {"gpu": "shared", "own": "mine"}


def test_namespaces_are_created_unless_told_otherwise_and_default_never(tmp_path: Path) -> None:
    assert [r.name for r in of(stack(tmp_path, deployments=[CPU | {"namespace": "default"}]), "Namespace")] == [
        "kaito-workspace"
    ]
    assert [r.name for r in of(stack(tmp_path, deployments=[CPU], createNamespaces=False), "Namespace")] == [
        "kaito-workspace"
    ]


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


def test_manifest_files_are_deployments_of_the_stack_too(tmp_path: Path) -> None:
    document = {
        "apiVersion": "kubeairunway.ai/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "filed"},
        "spec": {"model": {"id": "a/b"}},
    }
    (tmp_path / "models.yaml").write_text(
        yaml.safe_dump_all([document, document | {"metadata": {"name": "two", "namespace": "x"}}])
    )
    preview = stack(tmp_path, manifests=["models.yaml"])
    assert {(d.name, d.request.namespace) for d in preview.plan.deployments} == {("filed", "ml"), ("two", "x")}


def test_globs_name_files_of_every_kind(tmp_path: Path) -> None:
    document = {"apiVersion": "airunway.ai/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "filed"}}
    document["spec"] = {key: value for key, value in GPU.items() if key != "name"}
    config = yaml.safe_load((ROOT / "providers" / "kaito" / "config.yaml").read_text())
    parts = [("Namespace", "airunway-system", "v1"), ("Deployment", "controller", "apps/v1")]
    texts = {
        "deployments/a.yaml": yaml.safe_dump([CPU]),
        "deployments/team/b.yaml": yaml.safe_dump([RAY | {"delivery": "modeldeployment"}]),
        "models/a.yaml": yaml.safe_dump(document),
        "providers.d/ours.yaml": yaml.safe_dump(config | {"metadata": {"name": "ours"}}),
        **{
            f"controller/{kind}.yaml": yaml.safe_dump({"apiVersion": version, "kind": kind, "metadata": {"name": name}})
            for kind, name, version in parts
        },
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    preview = stack(
        tmp_path,
        deploymentFiles=["deployments/**/*.yaml"],
        manifests=["models/*.yaml"],
        providerFiles=["providers.d/*.yaml"],
        providers={"ours": {"enabled": False}},
        controller={"installation": "managed", "manifests": ["controller/*.yaml"]},
    )
    assert [p.name for p in preview.plan.deployments] == ["cpu", "ray", "filed"]
    assert preview.plan.controller is not None
    assert [o["kind"] for o in (*preview.plan.controller.foundation, *preview.plan.controller.objects)] == [
        "Namespace",
        "Deployment",
    ]


def test_a_preview_is_the_same_in_every_run(dev: Preview) -> None:
    assert json.dumps(preview_document(record(ROOT, read_stack(ROOT, "dev")))) == json.dumps(preview_document(dev))


def test_resources_come_after_what_they_need(dev: Preview) -> None:
    observed: set[str] = set()
    for resource in dev.resources:
        assert set(resource.dependencies) | ({resource.parent} - {""}) <= observed
        observed.add(resource.urn)


def test_the_json_has_the_documented_shape(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "preview", "--stack", "dev", "--format", "json", "--cwd", str(ROOT)) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"stack", "deployments", "resources"}
    assert {frozenset(d) for d in document["deployments"]} == {
        frozenset({"name", "delivery", "engine", "provider", "reason", "rule", "candidates"})
    }
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


def test_an_import_or_lookup_that_needs_an_engine_is_refused_not_faked(tmp_path: Path) -> None:
    stack(tmp_path)
    program = "import pulumi\npulumi.runtime.invoke('kubernetes:x:y', {})\nplan = None\n"
    (tmp_path / "__main__.py").write_text(program)
    with pytest.raises(Exception, match="needs an engine"):
        record(tmp_path, read_stack(tmp_path, "test"))


BUILT = {"name": "built", "model": {"id": "org/gguf", "gguf": {"file": "m-Q4_0.gguf", "build": True}}}
REGISTRY = {"managed": {"nodeCidrs": ["10.0.0.0/16"]}}


def test_an_image_is_built_after_registry_and_builder_and_before_the_workspace(tmp_path: Path) -> None:
    preview = stack(tmp_path, deployments=[BUILT], registry=REGISTRY)
    job = one(preview, "Job")
    below = {
        r.urn: [c for c in preview.resources if c.parent == r.urn]
        for r in (one(preview, "ImageRegistry"), one(preview, "ImageBuilder"))
    }
    children = {c.urn for group in below.values() for c in group}
    assert {c.type.split(":")[-1] for c in preview.resources if c.urn in children} >= {
        "Deployment",
        "Service",
        "NetworkPolicy",
        "ConfigMap",
    }
    assert children <= set(job.dependencies)
    assert job.urn in one(preview, "Workspace").dependencies
    assert job.timeouts["create"] == "1h"


def test_builds_are_shared_and_their_services_created_once(tmp_path: Path) -> None:
    preview = stack(tmp_path, deployments=[BUILT, BUILT | {"name": "again"}, CPU], registry=REGISTRY)
    assert [len(of(preview, kind)) for kind in ("ImageRegistry", "ImageBuilder", "ModelImage", "Job")] == [1, 1, 1, 1]
    job = one(preview, "Job").urn
    assert {w.name: job in w.dependencies for w in of(preview, "Workspace")} == {
        "built": True,
        "again": True,
        "cpu": False,
    }


def test_without_a_build_there_is_no_registry_and_no_builder(tmp_path: Path) -> None:
    preview = stack(tmp_path, deployments=[CPU], registry=REGISTRY)
    assert of(preview, "ImageRegistry") == of(preview, "ImageBuilder") == of(preview, "ModelImage") == []


def test_only_namespaces_the_registry_s_volume_and_operators_whose_chart_has_the_crds_outlive_the_stack(
    tmp_path: Path,
) -> None:
    preview = stack(tmp_path, deployments=[BUILT], registry=REGISTRY, protect=True)
    retained = {(r.type.split(":")[-1], r.name) for r in preview.resources if r.retained}
    assert retained == {
        ("Namespace", "airunway-system"),
        ("Namespace", "kaito-workspace"),
        ("Namespace", "ml"),
        ("PersistentVolumeClaim", "airunway-registry-persistentvolumeclaim"),
        ("Release", "kaito-workspace"),  # its uninstall would delete CRDs
    }


def test_a_registry_s_password_is_in_its_login_secrets_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airunway.program.stack_file.SECRET", "the-password-itself")
    monkeypatch.setattr("airunway.program.record.SECRET", "[hidden]")
    existing = {"existing": {"host": "registry.internal", "username": "ci"}}
    preview = stack(tmp_path, deployments=[BUILT], registry=existing, registryPassword=TOKEN)
    assert {(s.inputs["metadata"]["namespace"], s.inputs["metadata"]["name"]) for s in of(preview, "Secret")} == {
        ("airunway-system", "airunway-registry-push"),
        ("ml", "airunway-registry-pull"),
    }
    assert all(s.inputs["stringData"] == {".dockerconfigjson": "[hidden]"} for s in of(preview, "Secret"))
    assert "the-password-itself" not in json.dumps([r.inputs for r in preview.resources])
    assert set(one(preview, "Workspace").dependencies) & {s.urn for s in of(preview, "Secret")}
