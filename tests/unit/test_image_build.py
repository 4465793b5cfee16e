"""Unit (pure): what builds an image in the cluster: the Job, registry and builder, against golden files and the Pod
Security Standards.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from airunway.planning.builder_objects import builder_objects
from airunway.planning.namespaces import system_namespace
from airunway.planning.registry_objects import registry_objects
from airunway.planning.settings import ManagedRegistry
from airunway.text.yaml_reading import read_document
from airunway.text.yaml_writing import to_documents
from tests.unit.image_stacks import BUILT, EXISTING, MANAGED, container, planned_image, stack

GOLDEN = Path(__file__).parent / "golden" / "images"
CASES = {
    "managed": (MANAGED, {}, False),
    "existing": (EXISTING, {}, True),
    "unconfined": (MANAGED, {"unconfined": True, "storage": "10Gi", "storageClass": "fast", "timeout": "20m"}, False),
}


@pytest.mark.parametrize("case", CASES)
def test_golden_build_objects(case: str) -> None:
    registry, builder, password = CASES[case]
    plan = stack(BUILT, registry=registry, builder=builder, has_password=password)
    managed = plan.settings.registry.managed
    objects = [
        system_namespace(plan.settings),
        *(registry_objects(managed) if managed else []),
        *builder_objects(plan.settings),
    ]
    text = to_documents([*objects, *(i.job() for i in plan.images), plan.deployments[0].rendered.resource])
    path = GOLDEN / f"{case}.yaml"
    if os.environ.get("GOLDEN") == "rewrite":
        path.write_text(text)
    assert path.read_text() == text, "`make golden` rewrites the golden files"


def test_the_workspace_runs_the_built_image_from_the_node_s_own_port_without_fetching() -> None:
    plan = stack(BUILT)
    assert container(plan)["image"] == plan.images[0].pull
    assert container(plan)["image"].startswith("localhost:30500/aikit-qwen-qwen3-0-6b-gguf:Q8_0-")
    assert container(plan)["args"] == ["--address=:5000"]


def test_the_job_pushes_to_the_registry_s_service_what_the_frontend_makes_of_the_model() -> None:
    built = planned_image()
    command = built.job()["spec"]["template"]["spec"]["containers"][0]["command"]
    assert f"type=image,name={built.push},push=true,registry.insecure=true" in command
    assert built.push.startswith("airunway-registry-push.airunway-system.svc:5000/")
    assert "build-arg:model=huggingface://Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf" in command
    assert "source=ghcr.io/kaito-project/aikit/aikit:v0.21.0" in command


def test_the_registry_sends_no_traces_and_deletes() -> None:
    """3.1.2 exports traces to localhost:4318 without the variable, and answers 405 to a delete without the setting."""
    objects = {o["kind"]: o for o in registry_objects(ManagedRegistry.model_validate(MANAGED["managed"]))}
    for one in objects["Deployment"]["spec"]["template"]["spec"]["containers"]:
        assert one["env"] == [{"name": "OTEL_TRACES_EXPORTER", "value": "none"}]
    push = read_document(objects["ConfigMap"]["data"]["push.yaml"], "push.yaml")
    assert push["storage"]["delete"] == {"enabled": True}


def test_what_nodes_reach_has_the_volume_and_the_settings_of_a_reader() -> None:
    objects = registry_objects(ManagedRegistry.model_validate(MANAGED["managed"]))
    by_kind = {o["kind"]: o for o in objects}
    services = {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "Service"}
    assert [(s["type"], s["ports"][0]["targetPort"]) for s in services.values()] == [
        ("NodePort", 5001),
        ("ClusterIP", 5000),
    ]
    _, reader = by_kind["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert all(mount["readOnly"] for mount in reader["volumeMounts"])
    assert "login" not in [mount["name"] for mount in reader["volumeMounts"]]
    pull = read_document(by_kind["ConfigMap"]["data"]["pull.yaml"], "pull.yaml")
    assert pull["storage"]["maintenance"]["readonly"] == {"enabled": True}
    rules = [(rule["ports"][0]["port"], list(rule["from"][0])) for rule in by_kind["NetworkPolicy"]["spec"]["ingress"]]
    assert rules == [(5000, ["podSelector"]), (5001, ["ipBlock"])]


def test_every_image_may_have_a_digest_after_its_tag() -> None:
    digest = "@sha256:" + "0123456789abcdef" * 4
    registry = {"managed": MANAGED["managed"] | {"image": f"registry.internal:5000/registry:3.1.2{digest}"}}
    builder = {"image": f"mirror/buildkit:v1-rootless{digest}", "frontend": f"mirror/aikit:v1{digest}"}
    kaito = {"spec": {"images": {"llamacppCpu": f"mirror/llama-cpp-cpu:v1{digest}"}}}
    other = {"name": "b", "model": {"id": "org/gguf"}}
    named = other | {"name": "c", "engine": {"image": f"mirror/own:v1{digest}"}}
    plan = stack(BUILT, other, named, registry=registry, builder=builder, providers={"kaito": kaito})
    assert plan.settings.registry.managed is not None
    (job,) = (built.job() for built in plan.images)
    texts = [*registry_objects(plan.settings.registry.managed), *builder_objects(plan.settings), job]
    texts += [deployment.rendered.resource for deployment in plan.deployments]
    output = to_documents(texts)
    for image in ("registry:3.1.2", "buildkit:v1-rootless", "aikit:v1", "llama-cpp-cpu:v1", "own:v1"):
        assert f"/{image}{digest}\n" in output


def test_a_gpu_deployment_gets_an_image_with_cuda() -> None:
    (built,) = stack(BUILT | {"resources": {"gpu": {"count": 1}}}).images
    assert "build-arg:runtime=cuda" in built.job()["spec"]["template"]["spec"]["containers"][0]["command"]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("BF16/Qwen3-BF16.gguf", "https://huggingface.co/unsloth/Qwen3-GGUF/resolve/main/BF16/Qwen3-BF16.gguf"),
        ("a/b c/m-Q4_0.gguf", "https://huggingface.co/unsloth/Qwen3-GGUF/resolve/main/a/b%20c/m-Q4_0.gguf"),
        ("Qwen3-BF16.gguf", "huggingface://unsloth/Qwen3-GGUF/Qwen3-BF16.gguf"),
    ],
)
def test_a_file_in_a_folder_is_built_from_its_address(file: str, source: str) -> None:
    """AIKit takes the first folder of a ``huggingface://`` address for a branch."""
    deployment = BUILT | {"model": {"id": "unsloth/Qwen3-GGUF", "gguf": {"file": file, "build": True}}}
    (built,) = stack(deployment).images
    (container,) = built.job()["spec"]["template"]["spec"]["containers"]
    assert f"build-arg:model={source}" in container["command"]


def test_an_existing_registry_has_its_hosts_and_login() -> None:
    plan = stack(BUILT, registry=EXISTING, has_password=True)
    (built,) = plan.images
    assert built.push.startswith("registry.internal/ml/aikit-")
    assert container(plan)["image"].startswith("mirror.internal/ml/aikit-")
    pod = plan.deployments[0].rendered.resource["inference"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "airunway-registry-pull"}]
    assert "insecure" not in str(built.job())
    (config,) = [o for o in builder_objects(plan.settings) if o["kind"] == "ConfigMap"]
    assert "http = true" not in config["data"]["buildkitd.toml"]


def pods() -> list[tuple[str, Any]]:
    plan = stack(BUILT)
    assert plan.settings.registry.managed
    objects = [*registry_objects(plan.settings.registry.managed), *builder_objects(plan.settings), plan.images[0].job()]
    labelled = [(o["metadata"]["labels"]["airunway.ai/pod-security"], o) for o in objects]
    return [(level, o["spec"]["template"]["spec"]) for level, o in labelled if o["kind"] in ("Deployment", "Job")]


def test_every_pod_passes_the_pod_security_level_that_its_label_says() -> None:
    """Pod Security Standards, Kubernetes 1.33."""
    assert sorted(level for level, _ in pods()) == ["baseline", "restricted", "restricted"]
    for level, pod in pods():
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert all("hostPath" not in v for v in pod["volumes"])
        for one in pod["containers"]:
            context = pod["securityContext"] | one["securityContext"]
            assert "privileged" not in context
            assert context.get("seccompProfile", {}).get("type") != "Unconfined"
            if level == "restricted":
                assert context["runAsNonRoot"] is True
                assert context["seccompProfile"] == {"type": "RuntimeDefault"}
                assert context["allowPrivilegeEscalation"] is False
                assert context["capabilities"] == {"drop": ["ALL"]}


def test_no_pod_of_ours_can_reach_the_kubernetes_api() -> None:
    assert all(pod["automountServiceAccountToken"] is False for _, pod in pods())


def test_every_image_is_pinned_and_can_be_mirrored() -> None:
    mirrored = stack(
        BUILT,
        registry={"managed": {"nodeCidrs": ["10.0.0.0/8"], "image": "mirror/registry:2"}},
        builder={
            "image": "mirror/buildkit:1",
            "frontend": "mirror/aikit:1",
            "context": "https://mirror/aikitfile.yaml",
        },
    )
    assert mirrored.settings.registry.managed
    text = to_documents(
        [
            *registry_objects(mirrored.settings.registry.managed),
            *builder_objects(mirrored.settings),
            mirrored.images[0].job(),
        ]
    )
    assert not re.search(r"docker\.io|ghcr\.io|githubusercontent", text)
    for default in re.findall(r"(?:image: |source=)(\S+)", (GOLDEN / "managed.yaml").read_text()):
        assert re.search(r":(v?\d[\w.-]*(@sha256:[0-9a-f]{64})?|Q8_0-\w+)$", default), default
