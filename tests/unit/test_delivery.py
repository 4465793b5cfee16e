"""Unit (pure): delivery as ModelDeployment: what the controller is sent, and what is refused because it can't be
sent.
"""

import json
from typing import Any

import pytest
import yaml

from airunway.planning.controller_delivery import object_name, provider_config, supported_fields
from airunway.planning.files import Files
from airunway.planning.plan import parse_settings, plan_stack
from airunway.report.compare import compare
from airunway.report.preview_document import deployment_document
from airunway.selection.provider_config import load_config
from providers import PROVIDERS
from tests.unit.controller_stacks import GROUPS, refused, sent, stack
from tests.unit.samples import GPU, builtin
from tests.upstream_crds import crd_folder

CPU_RUNNER = next(c for c in builtin() if c.name == "kaito").spec.images["llamacppCpu"]


@pytest.mark.parametrize("group", GROUPS)
def test_the_spec_is_sent_as_it_was_written_with_resources_always_there(group: str) -> None:
    resource = sent(group, engine={"type": "vllm", "contextLength": 4096}, **GPU)
    assert resource["apiVersion"] == f"{group}/v1alpha1"
    assert resource["metadata"]["name"] == "d0-md"
    assert resource["spec"] == {
        "engine": {"type": "vllm", "contextLength": 4096},
        "model": {"id": "org/model"},
        "resources": {"gpu": {"count": 1}},
    }
    assert sent(group)["spec"]["resources"] == {}


def test_a_gpu_count_of_zero_is_not_sent_because_the_controllers_rules_can_not_see_it() -> None:
    assert sent(resources={"gpu": {"count": 0}, "memory": "8Gi"})["spec"]["resources"] == {"memory": "8Gi"}


def test_the_image_goes_where_the_group_has_it() -> None:
    image = {"engine": {"type": "vllm", "image": "r/x:1"}, **GPU}
    assert sent("airunway.ai", **image)["spec"]["engine"] == {"type": "vllm", "image": "r/x:1"}
    older = sent("kubeairunway.ai", **image)["spec"]
    assert (older["image"], older["engine"]) == ("r/x:1", {"type": "vllm"})


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(
    ("fields", "image"),
    [
        ({"model": {"id": "o/x-GGUF"}}, CPU_RUNNER),
        ({"engine": {"type": "llamacpp"}}, CPU_RUNNER),
        ({"engine": {"type": "llamacpp"}, **GPU}, CPU_RUNNER.replace("-cpu:", "-cuda:")),
        ({"engine": {"type": "llamacpp", "image": "r/x:1"}}, "r/x:1"),
        ({"engine": {"type": "llamacpp"}, "image": "r/x:2"}, "r/x:2"),
        ({"model": {"source": "custom"}, "engine": {"type": "llamacpp", "image": "r/x:3"}}, "r/x:3"),
    ],
)
def test_the_image_of_llama_cpp_is_where_the_shim_of_kaito_looks_for_it(fields: Any, image: str, group: str) -> None:
    body = sent(group, **fields)["spec"]
    assert body["image"] == image
    assert "image" not in body.get("engine", {})


def test_an_image_that_nobody_knows_is_asked_for() -> None:
    custom = {"model": {"source": "custom"}, "engine": {"type": "llamacpp"}}
    assert "deployments[0].image: the controller's kaito shim needs the image to run" in refused(custom)


def test_the_token_is_named_and_never_sent() -> None:
    plan = plan_stack(
        parse_settings(
            {
                "cluster": {"context": "x"},
                "delivery": "modeldeployment",
                "deployments": [{"name": "a", "model": {"id": "o/m"}}],
            }
        ),
        Files(),
        PROVIDERS,
        has_token=True,
    )
    assert plan.deployments[0].rendered.resource["spec"]["secrets"] == {"huggingFaceToken": "huggingface-token"}
    assert plan.token_namespaces == ("default",)


def test_what_the_group_has_no_field_for_is_refused_by_its_path() -> None:
    assert "deployments[0].model.gguf: ModelDeployment of airunway.ai has no such field" in refused(
        {"model": {"id": "o/m", "gguf": {}}}
    )
    assert "model.source: the controller does not support aikit" in refused(
        {"model": {"source": "aikit", "id": "llama3.2:1b"}}
    )
    old = {"controller": {"apiGroup": "kubeairunway.ai"}}
    output = refused(
        {"engine": {"type": "vllm", "extraArgs": ["--x"], "enforceEager": True, "enablePrefixCaching": False}, **GPU},
        **old,
    )
    assert [
        field
        for field in ("extraArgs", "enforceEager", "enablePrefixCaching")
        if f"engine.{field}: ModelDeployment of kube" in output
    ] == [
        "extraArgs",
        "enforceEager",
        "enablePrefixCaching",
    ]


def test_the_fields_that_are_sent_are_those_of_the_group_s_definition() -> None:
    path = crd_folder() / "airunway-0.7.0" / "airunway.ai_modeldeployments.yaml"
    if not path.is_file():
        pytest.skip(f"no {path}")
    versions = yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]["versions"]
    definition = next(v for v in versions if v["name"] == "v1alpha1")["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for leaf in supported_fields("airunway.ai"):
        schema = definition
        for part in leaf.split("."):
            schema = schema["properties"][part.removesuffix("[]")]
            schema = schema["items"] if part.endswith("[]") else schema


def test_a_name_that_kuberay_would_cut_is_refused() -> None:
    pinned = {"provider": {"name": "kuberay"}, **GPU}
    assert "at most 47 characters" in refused({"name": "a" * 45, **pinned})
    assert stack({"name": "a" * 44, **pinned}).deployments[0].rendered.endpoint.service == "a" * 44 + "-md-serve-svc"


def test_the_object_never_has_the_name_of_the_one_that_direct_delivery_makes() -> None:
    for name in ("a", "a" * 63, "a-md"):
        assert object_name(name) != name
        assert len(object_name(name)) <= 63
    assert object_name("a" * 62 + "b") != object_name("a" * 62 + "c")


def test_deployments_choose_their_own_delivery_over_the_stacks() -> None:
    plan = stack({}, {"delivery": "direct"})
    assert [d.rendered.resource["kind"] for d in plan.deployments] == ["ModelDeployment", "Workspace"]
    assert plan.controller is not None
    assert stack({"delivery": "direct"}).controller is None


@pytest.mark.parametrize("group", GROUPS)
def test_the_providers_are_sent_in_the_shape_of_the_group_and_read_back_the_same(group: str) -> None:
    for name, body in PROVIDERS.documents.items():
        original = load_config(body, name)
        document = provider_config(original, group)
        assert document["apiVersion"] == f"{group}/v1alpha1"
        again = load_config(document, name)
        # The CRD has no words for a rule.
        bare = [rule.model_copy(update={"description": None}) for rule in original.spec.selection_rules]
        assert again.spec.selection_rules == bare
        assert [r.url for r in again.spec.installation.helm_repos] == [
            r.url for r in original.spec.installation.helm_repos
        ]
        if group == "airunway.ai":
            assert again.spec.capabilities == original.spec.capabilities
            installation = json.loads(document["metadata"]["annotations"]["airunway.ai/installation"])
            assert [c["name"] for c in installation.get("helmCharts", [])] == [
                c.name for c in original.spec.installation.helm_charts
            ]
        else:
            assert {c.name for c in again.spec.capabilities.engines} == {
                c.name for c in original.spec.capabilities.engines
            }
            assert all("values" not in chart for chart in document["spec"]["installation"].get("helmCharts", []))


def test_a_bad_delivery_of_one_deployment_is_refused_with_its_path() -> None:
    assert "deployments[0].delivery" in refused({"delivery": "helm"})


def test_a_switch_of_delivery_is_told_as_such_in_a_difference() -> None:
    old, new = (
        deployment_document(stack({"delivery": delivery}).deployments[0]) for delivery in ("direct", "modeldeployment")
    )
    del old["delivery"]  # as a release without delivery wrote it
    sides: list[Any] = [{"stack": "s", "resources": [], "deployments": [side]} for side in (old, new)]
    (change,) = compare(*sides).selections
    assert (change.new, change.because) == (
        "llamacpp on kaito as ModelDeployment",
        "delivery direct -> modeldeployment",
    )
