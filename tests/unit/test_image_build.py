"""Unit (pure): images built in the cluster: names, sharing, the Job, registry and builder."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.planning.build_services import builder_objects, registry_objects, system_namespace
from airunway.planning.files import Files
from airunway.planning.image_build import ImageInputs, PlannedImage, plan_image
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.planning.settings import BuilderSettings, ManagedRegistry
from airunway.spec.durations import seconds
from airunway.text.problems import InputError
from airunway.text.yaml_reading import plain_value
from airunway.text.yaml_writing import to_documents
from providers import PROVIDERS
from tests.unit.samples import spec

GOLDEN = Path(__file__).parent / "golden" / "images"
MANAGED = {"managed": {"nodeCidrs": ["10.0.0.0/16"]}}
EXISTING = {"existing": {"host": "registry.internal/ml", "pullHost": "mirror.internal/ml", "username": "ci"}}
BUILT = {"name": "a", "model": {"id": "Qwen/Qwen3-0.6B-GGUF", "gguf": {"file": "Qwen3-0.6B-Q8_0.gguf", "build": True}}}


def stack(*deployments: Any, has_password: bool = False, **settings: Any) -> Plan:
    raw = {"cluster": {"context": "x"}, "registry": MANAGED, "deployments": list(deployments)} | settings
    return plan_stack(parse_settings(raw), Files(), PROVIDERS, has_password=has_password)


def image(**settings: Any) -> PlannedImage:
    (built,) = stack(BUILT, **settings).images
    return built


def container(plan: Plan) -> Any:
    return plan.deployments[0].rendered.resource["inference"]["template"]["spec"]["containers"][0]


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
    built = image()
    command = built.job()["spec"]["template"]["spec"]["containers"][0]["command"]
    assert f"type=image,name={built.push},push=true,registry.insecure=true" in command
    assert built.push.startswith("airunway-registry.airunway-system.svc:5000/")
    assert "build-arg:model=huggingface://Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf" in command
    assert "source=ghcr.io/kaito-project/aikit/aikit:v0.21.0" in command


def test_the_registry_sends_no_traces_and_deletes() -> None:
    """3.1.2 exports traces to localhost:4318 without the variable, and answers 405 to a delete without the other."""
    (deployment,) = [
        o for o in registry_objects(ManagedRegistry.model_validate(MANAGED["managed"])) if "template" in o["spec"]
    ]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {variable["name"]: variable["value"] for variable in container["env"]} == {
        "REGISTRY_STORAGE_DELETE_ENABLED": "true",
        "OTEL_TRACES_EXPORTER": "none",
    }


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


@pytest.mark.parametrize("digest", ["sha256:abc", "sha256:", "latest", "sha256:" + "0" * 64 + "@sha256:" + "0" * 64])
def test_a_digest_that_was_cut_off_is_refused(digest: str) -> None:
    image = f"mirror/a:v1@{digest}"
    for settings in (
        {"builder": {"image": image}},
        {"builder": {"frontend": image}},
        {"registry": {"managed": MANAGED["managed"] | {"image": image}}},
        {"providers": {"kaito": {"spec": {"images": {"llamacppCpu": image}}}}},
    ):
        with pytest.raises(InputError, match="must match"):
            stack(BUILT, **settings)
    with pytest.raises(InputError, match="must match"):
        stack({"name": "a", "model": {"id": "org/gguf"}, "engine": {"image": image}})


def test_a_gpu_deployment_gets_an_image_with_cuda() -> None:
    (built,) = stack(BUILT | {"resources": {"gpu": {"count": 1}}}).images
    assert "build-arg:runtime=cuda" in built.job()["spec"]["template"]["spec"]["containers"][0]["command"]


def test_two_deployments_of_one_file_share_an_image() -> None:
    assert len(stack(BUILT, BUILT | {"name": "b", "engine": {"contextLength": 4096}}).images) == 1


@pytest.mark.parametrize(
    "other",
    [
        {
            "deployment": BUILT
            | {"model": {"id": "Qwen/Other-GGUF", "gguf": {"file": "Qwen3-0.6B-Q8_0.gguf", "build": True}}}
        },
        {
            "deployment": BUILT
            | {"model": {"id": "Qwen/Qwen3-0.6B-GGUF", "gguf": {"file": "Qwen3-0.6B-Q4_0.gguf", "build": True}}}
        },
        {"deployment": BUILT | {"resources": {"gpu": {"count": 1}}}},
        {"builder": {"platform": "linux/arm64"}},
        {"builder": {"frontend": "mirror.internal/aikit:v0.21.0"}},
        {"builder": {"context": "https://mirror.internal/aikitfile.yaml"}},
    ],
)
def test_a_change_of_any_input_is_another_job_and_another_reference(other: dict[str, Any]) -> None:
    deployment = other.pop("deployment", BUILT)
    (changed,) = stack(deployment, **other).images
    assert changed.name != image().name
    assert changed.pull != image().pull


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


def test_a_change_of_what_is_not_in_the_image_keeps_it() -> None:
    assert image(builder={"timeout": "2h", "storage": "1Ti"}).name == image().name


def _defaults() -> Iterator[tuple[str, str, Any]]:
    """Setting and field of each default that a description names as a value, and the value."""
    for setting, model in (("registry", ManagedRegistry), ("builder", BuilderSettings)):
        for name, field in model.model_fields.items():
            if default := re.search(r"Default: ([^ ]+)\.$", field.description or ""):
                yield setting, field.alias or name, plain_value(default[1])


DEFAULTS = list(_defaults())


@pytest.mark.parametrize(("setting", "field", "default"), DEFAULTS)
def test_a_default_is_the_one_that_the_setting_s_description_names(setting: str, field: str, default: Any) -> None:
    def objects(**written: Any) -> Any:
        registry = {"managed": MANAGED["managed"] | (written if setting == "registry" else {})}
        plan = stack(BUILT, registry=registry, builder=written if setting == "builder" else {})
        assert plan.settings.registry.managed is not None
        services = [*registry_objects(plan.settings.registry.managed), *builder_objects(plan.settings)]
        return services, [image.job() for image in plan.images], plan.deployments[0].rendered

    other = {"nodePort": 31000, "timeout": "2h", "platform": "linux/arm64"}.get(field, "7Gi")
    assert objects(**{field: default}) == objects() != objects(**{field: other})


def test_the_settings_whose_defaults_are_values_are_known() -> None:
    assert {f"{setting}.{field}" for setting, field, _ in DEFAULTS} == {
        *("registry.storage", "registry.nodePort", "builder.storage", "builder.timeout", "builder.platform")
    }


def test_nothing_is_built_where_nothing_asks_for_it() -> None:
    plan = stack({"name": "a", "model": {"id": "org/gguf", "gguf": {"file": "x.gguf"}}}, registry={})
    assert plan.images == ()


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


@pytest.mark.parametrize(
    ("deployment", "settings", "message"),
    [
        (
            {"model": {"id": "a/b", "gguf": {"build": True}}},
            {},
            "deployments[0].model.gguf.file: required when model.gguf.build is true",
        ),
        (
            {"model": {"id": "a/b", "gguf": {"build": True, "file": "x.bin"}}},
            {},
            "deployments[0].model.gguf.file: 'x.bin' given",
        ),
        (
            {"engine": {"type": "vllm"}},
            {},
            "deployments[0].model.gguf.build: an image is built for engine llamacpp, but engine.type is vllm",
        ),
        ({"image": "x"}, {}, "deployments[0].image: model.gguf.build builds the image"),
        (
            {"model": {"source": "aikit", "id": "llama3.2:1b", "gguf": {"file": "x.gguf"}}},
            {},
            "deployments[0].model.gguf: only for source huggingface",
        ),
        ({}, {"registry": {}}, "registry: a deployment builds an image; set the registry"),
        ({}, {"registry": {"managed": {}}}, "registry.managed.nodeCidrs: required"),
        (
            {},
            {"registry": {"managed": {"nodeCidrs": ["everywhere"]}}},
            "registry.managed.nodeCidrs[0]: 'everywhere' given, must match",
        ),
        ({}, {"registry": {"managed": {"nodeCidrs": []}}}, "registry.managed.nodeCidrs"),
        (
            {},
            {"registry": {"managed": {"nodeCidrs": ["10.0.0.0/8"], "nodePort": 80}}},
            "registry.managed.nodePort: 80 given, must be at least 30000",
        ),
        ({}, {"registry": MANAGED | EXISTING}, "registry: managed and existing are both given; give one of the two"),
        ({}, {"registry": EXISTING}, "registry.existing.username: goes with the secret airunway:registryPassword"),
        ({}, {"registry": {"existing": {}}}, "registry.existing.host: required"),
        ({}, {"builder": {"timeout": "soon"}}, "builder.timeout: 'soon' given, must match"),
        (
            {"provider": {"name": "dynamo"}, "resources": {"gpu": {"count": 1}}},
            {},
            "deployments[0].engine.type: no engine fits",
        ),
        (
            {"model": {"id": "a/b", "gguf": {"file": "x.gguf", "build": True}, "servedName": "mine"}},
            {},
            "deployments[0].model.servedName: provider kaito",
        ),
    ],
)
def test_a_bad_build_is_refused(deployment: dict[str, Any], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        stack(BUILT | deployment, **settings)
    assert any(str(p).startswith(message) for p in raised.value.problems), str(raised.value)


@pytest.mark.parametrize(
    ("size", "output"),
    [
        ("80", "'80' given, which is 80 bytes; write 80Gi"),
        (80, "80 given, must be a Kubernetes quantity with its unit, such as 16Gi"),
        ("80GB", "'80GB' given, must be a Kubernetes quantity, such as 16Gi"),
        ("0", "'0' given, must be more than 0"),
    ],
)
def test_a_volume_in_which_no_image_fits_is_refused(size: Any, output: str) -> None:
    managed: dict[str, Any] = {"nodeCidrs": ["10.0.0.0/16"], "storage": size}
    for settings, field in (
        ({"registry": {"managed": managed}}, "registry.managed.storage"),
        ({"builder": {"storage": size}}, "builder.storage"),
    ):
        with pytest.raises(InputError) as raised:
            parse_settings(settings)
        assert [str(problem) for problem in raised.value.problems] == [f"{field}: {output}"]


@pytest.mark.parametrize(("provider", "default"), [("kuberay", "workerMemory"), ("dynamo", "frontendMemory")])
def test_a_provider_s_memory_in_which_nothing_starts_is_refused(provider: str, default: str) -> None:
    entry = {"name": "a", "model": {"id": "a/b"}, "provider": {"name": provider}, "resources": {"gpu": {"count": 1}}}
    with pytest.raises(InputError) as raised:
        stack(entry, providers={provider: {"spec": {"defaults": {default: "48"}}}})
    assert [str(problem) for problem in raised.value.problems] == [
        f"deployments[0].providers.{provider}.spec.defaults.{default}: '48' given, which is 48 bytes; write 48Gi"
    ]


REPOSITORY = re.compile(r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$")
TAG = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")
NAME = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=200)
INPUTS = st.builds(
    ImageInputs,
    model=NAME,
    file=NAME.map(lambda t: t + ".gguf"),
    frontend=NAME,
    context=NAME,
    platform=NAME,
    runtime=st.none() | NAME,
)


@given(INPUTS)
def test_any_input_makes_a_valid_oci_reference_and_job_name(inputs: ImageInputs) -> None:
    """Grammar: distribution-spec v1.1, "Pulling manifests"."""
    assert REPOSITORY.match(inputs.repository)
    assert TAG.match(inputs.tag)
    built = PlannedImage(inputs, "p", "q", False, parse_settings({}))
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", built.name)


@given(INPUTS, INPUTS)
def test_two_different_inputs_never_share_a_reference(one: ImageInputs, two: ImageInputs) -> None:
    assert (one == two) == ((one.repository, one.tag) == (two.repository, two.tag))


@pytest.mark.parametrize(
    ("file", "tag"),
    [
        ("Qwen3-0.6B-Q8_0.gguf", "Q8_0"),
        ("llama-2-7b-chat.Q4_K_M.gguf", "Q4_K_M"),
        ("model.IQ2_XXS.gguf", "IQ2_XXS"),
        ("model-f16.gguf", "F16"),
        ("model-BF16.gguf", "BF16"),
        ("qwen.gguf", "custom"),
        ("Q4_0/model-q4_0.gguf", "Q4_0"),
    ],
)
def test_the_tag_begins_with_the_quantisation(file: str, tag: str) -> None:
    built = plan_image(spec(model={"id": "a/b", "gguf": {"file": file, "build": True}}), parse_settings({}))
    assert built is not None
    assert built.inputs.tag.rsplit("-", 1)[0] == tag


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


@pytest.mark.parametrize(("text", "value"), [("1h", 3600), ("20m", 1200), ("1h30m5s", 5405)])
def test_a_duration_in_seconds(text: str, value: int) -> None:
    assert seconds(text) == value
