"""Graph (mocks and recorder): what a stack's settings and files make of its graph: operators and charts, waiting,
namespaces, protection, image builds, and what outlives the stack.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.program.record import record
from airunway.program.stack_file import read_stack
from tests.deployments import BUILT, CPU, GPU, RAY
from tests.graph.previews import REGISTRY, TOKEN, of, one, stack
from tests.graph.projects import ROOT


def test_an_operator_appears_once_and_only_if_needed(tmp_path: Path) -> None:
    preview = stack(tmp_path, deployments=[CPU, CPU | {"name": "cpu2"}])
    assert [r.name for r in of(preview, "InferenceProvider")] == ["kaito"]
    assert [r.inputs["chart"] for r in of(preview, "Release")] == ["workspace"]


def test_an_empty_stack_has_a_platform_and_nothing_in_it(tmp_path: Path) -> None:
    assert [r.name for r in stack(tmp_path).resources] == ["platform", "cluster"]


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


def test_namespaces_are_created_unless_told_otherwise_and_default_never(tmp_path: Path) -> None:
    assert [r.name for r in of(stack(tmp_path, deployments=[CPU | {"namespace": "default"}]), "Namespace")] == [
        "kaito-workspace"
    ]
    assert [r.name for r in of(stack(tmp_path, deployments=[CPU], createNamespaces=False), "Namespace")] == [
        "kaito-workspace"
    ]


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


def test_an_import_or_lookup_that_needs_an_engine_is_refused_not_faked(tmp_path: Path) -> None:
    stack(tmp_path)
    program = "import pulumi\npulumi.runtime.invoke('kubernetes:x:y', {})\nplan = None\n"
    (tmp_path / "__main__.py").write_text(program)
    with pytest.raises(Exception, match="needs an engine"):
        record(tmp_path, read_stack(tmp_path, "test"))


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
