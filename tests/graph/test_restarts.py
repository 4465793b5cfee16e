"""Graph (in this process, every provider's own renderer): which changes restart an engine, and what a
difference says of them.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.report.compare import Difference, ResourceChange, compare
from airunway.report.difference_text import field_sentence
from airunway.report.field_changes import FieldChange
from airunway.report.impact import deployment_changes
from airunway.report.preview_document import preview_document
from airunway.report.restarts import new_settings
from tests.graph.previews import stack

GPU = {"resources": {"gpu": {"count": 1}}}


def vllm(provider: str, model: str = "Qwen/Qwen3-8B", **rest: Any) -> dict[str, Any]:
    return (
        {"name": "m", "model": {"id": model}, "provider": {"name": provider}, "engine": {"type": "vllm"}} | GPU | rest
    )


PHI = "microsoft/Phi-4-mini-instruct"
GGUF = {"name": "m", "model": {"id": "Qwen/Qwen3-0.6B-GGUF", "gguf": {"file": "q.gguf"}}}
DEPLOYMENTS = {
    "dynamo": vllm("dynamo"),
    "kuberay": vllm("kuberay"),
    "vllm": vllm("vllm"),
    "kaito": vllm("kaito", PHI),
    "controller": vllm("dynamo", delivery="modeldeployment"),
    "llamacpp": GGUF | {"engine": {"type": "llamacpp"}},
}
CONTEXTS = {
    "dynamo": "m: its engine restarts with --max-model-len 8192 -> 32768",
    "kuberay": "m: its engine restarts with max_model_len 8192 -> 32768",
    "vllm": "m: its engine restarts with --max-model-len 8192 -> 32768",
    "kaito": "m: its engine restarts with max-model-len 8192 -> 32768",
    "controller": "m: its engine restarts with engine.contextLength 8192 -> 32768",
    "llamacpp": "m: not served while its Workspace is deleted and created again, with --context-size 8192 -> 32768",
}


def difference(tmp_path: Path, before: dict[str, Any], after: dict[str, Any]) -> Difference:
    return compare(*(preview_document(stack(tmp_path, deployments=[entry])) for entry in (before, after)))


def sentences(tmp_path: Path, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [change.sentence for change in deployment_changes(difference(tmp_path, before, after))]


@pytest.mark.parametrize("kind", DEPLOYMENTS)
def test_another_context_restarts_the_engine_of_every_provider(kind: str, tmp_path: Path) -> None:
    entry = DEPLOYMENTS[kind]
    lengths = [entry | {"engine": entry["engine"] | {"contextLength": length}} for length in (8192, 32768)]
    assert sentences(tmp_path, *lengths) == [CONTEXTS[kind]]


@pytest.mark.parametrize("kind", ["dynamo", "vllm", "controller"])
def test_other_replicas_restart_nothing(kind: str, tmp_path: Path) -> None:
    more = DEPLOYMENTS[kind] | {"scaling": {"replicas": 2}}
    assert sentences(tmp_path, DEPLOYMENTS[kind], more) == ["m: 1 GPU -> 2 GPUs"]


@pytest.mark.parametrize("kind", ["dynamo", "kuberay", "vllm"])
def test_other_labels_of_the_object_restart_nothing(kind: str, tmp_path: Path) -> None:
    assert sentences(tmp_path, DEPLOYMENTS[kind], DEPLOYMENTS[kind] | {"labels": {"team": "a"}}) == []


@pytest.mark.parametrize("kind", ["dynamo", "kuberay", "vllm"])
def test_another_environment_restarts_the_engine(kind: str, tmp_path: Path) -> None:
    with_env = DEPLOYMENTS[kind] | {"env": [{"name": "LOG", "value": "debug"}]}
    (sentence,) = sentences(tmp_path, DEPLOYMENTS[kind], with_env)
    assert sentence.startswith("m: its engine restarts with ")
    assert "env" in sentence


def test_what_a_serve_configuration_and_a_preset_s_say_is_compared_inside(tmp_path: Path) -> None:
    """As texts both begin alike, and end beyond what is shown of them."""
    for kind, path in (
        ("kuberay", "spec.serveConfigV2.applications[0].args.llm_configs[0].engine_kwargs.max_model_len"),
        ("kaito", "inference.config.inference_config.yaml.vllm.max-model-len"),
    ):
        entry = DEPLOYMENTS[kind]
        lengths = [entry | {"engine": {"type": "vllm", "contextLength": length}} for length in (8192, 32768)]
        changes = [c for c in difference(tmp_path, *lengths).resources if c.fields]
        told = [field_sentence(field, change) for change in changes for field in change.fields]
        assert told == [f"{path}: 8192 -> 32768"]


def test_a_configuration_that_is_no_yaml_is_compared_as_text() -> None:
    def side(text: str) -> dict[str, Any]:
        urn = "urn:pulumi:s::p::kubernetes:ray.io/v1:RayService::m"
        inputs = {"apiVersion": "ray.io/v1", "kind": "RayService", "spec": {"serveConfigV2": text}}
        resource = {"urn": urn, "type": "kubernetes:ray.io/v1:RayService", "name": "m", "inputs": inputs}
        return {"stack": "s", "deployments": [], "resources": [resource | {"parent": "", "dependencies": []}]}

    (change,) = compare(side("a: ["), side("b: [")).resources
    assert change.fields == (FieldChange("spec.serveConfigV2", "a: [", "b: ["),)
    for pair in (("a", "b"), ("[a]", "[b]"), ("", "a: 1")):
        assert [(f.old, f.new) for c in compare(*map(side, pair)).resources for f in c.fields] == [pair]


IMAGE = "registry.example/team/a-rather-long-name-of-an-image"


@pytest.mark.parametrize(
    ("field", "old", "new", "told", "setting"),
    [
        ("spec.template.spec.containers[0].args[--a]", None, True, "", "--a unset -> set"),
        ("spec.template.spec.containers[0].args[--a]", "1", None, "", "--a 1 -> unset"),
        ("spec.template.spec.containers[0].env[2].value", "x", "y", "", "env[2].value x -> y"),
        ("spec.template.spec.tolerations", [1], [2], "", "tolerations changed"),
        ("spec.template.spec.containers[0].image", f"{IMAGE}:1.0", f"{IMAGE}:1.1", "", "image 1.0 -> 1.1"),
        ("spec.template.spec.containers[0].image", "a" * 60, "b" * 60, "", f"image {'a' * 39}… -> {'b' * 39}…"),
        ("spec.template.spec.containers[0].image", "a:1", f"a@sha256:{'c' * 64}", "moved to ccccccc", None),
        ("spec.template.spec.containers[0].args[--model]", "o/m", "o/large", "o/m -> o/large", None),
        ("spec.template.spec.containers[0].args[--revision]", "a" * 40, "b" * 40, "from aaaaaaa to bbbbbbb", None),
        ("spec.template.spec.containers[0].args[--b]", "1", "8", "1 GPU -> 8 GPUs", "--b 1 -> 8"),
        ("spec.template.spec.containers[0].resources.limits.nvidia.com/gpu", 1, 2, "", None),
    ],
)
def test_settings_are_named_as_their_author_does_and_told_once(
    field: str, old: Any, new: Any, told: str, setting: str | None
) -> None:
    assert new_settings([FieldChange(field, old, new)], told) == ([setting] if setting else [])


def test_a_secret_setting_is_not_shown() -> None:
    field = FieldChange("spec.template.spec.containers[0].env[0].value", None, None, secret=True)
    assert new_settings([field], "") == []


def test_more_than_three_settings_are_counted(tmp_path: Path) -> None:
    args = {f"max-{name}": "2" for name in ("num-seqs", "num-batched-tokens", "logprobs")}
    engine = {"type": "vllm", "args": args, "contextLength": 8192, "enforceEager": True}
    (sentence,) = sentences(tmp_path, DEPLOYMENTS["dynamo"], DEPLOYMENTS["dynamo"] | {"engine": engine})
    assert sentence.endswith(", 2 more")


@given(st.text(max_size=60), st.text(max_size=60))
def test_two_values_that_differ_are_told_as_such_unless_both_are_too_long(old: str, new: str) -> None:
    change = FieldChange("spec.template.spec.containers[0].args[--a]", old, new)
    (setting,) = new_settings([change], "")
    before, arrow, after = setting.removeprefix("--a ").partition(" -> ")
    assert arrow
    assert len(before) + len(after) <= 120


def test_only_what_serves_a_model_restarts() -> None:
    field = FieldChange("spec.template.spec.containers[0].image", "a", "b")
    kinds = ["Deployment", "DynamoGraphDeployment", "RayService", "Workspace", "ModelDeployment", "Job", "Release"]
    restarting = [kind for kind in kinds if ResourceChange("update", "u", kind, "m", (field,)).restarting]
    assert restarting == ["Deployment", "DynamoGraphDeployment", "RayService", "Workspace", "ModelDeployment"]
