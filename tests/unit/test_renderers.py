"""Unit (pure): what each provider's renderer writes, against golden files and the upstream CRDs."""

import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from airunway.planning.catalog import provider_configs
from airunway.planning.deployment import PlanContext, plan_entry
from airunway.planning.files import Files
from airunway.planning.settings import StackSettings
from airunway.provider.contract import is_kubernetes_own
from airunway.text.problems import InputError
from airunway.text.yaml_writing import to_documents
from providers import PROVIDERS
from tests.unit.samples import plan
from tests.upstream_crds import CRD_FILES as CRD_FILES
from tests.upstream_crds import crd_folder

GOLDEN = Path(__file__).parent / "golden"
CASES = yaml.safe_load((GOLDEN / "cases.yaml").read_text())
ROOT = Path(__file__).parents[2]
_schemas: dict[tuple[str, str], Any] = {}


@pytest.mark.parametrize("case", CASES)
def test_golden_objects(case: str) -> None:
    rendered = plan(CASES[case]).rendered
    text = to_documents([*rendered.supporting, rendered.resource])
    path = GOLDEN / f"{case}.yaml"
    if os.environ.get("GOLDEN") == "rewrite":
        path.write_text(text)
    assert path.read_text() == text, "`make golden` rewrites the golden files"


def test_no_golden_file_is_left_over() -> None:
    assert {p.stem for p in GOLDEN.glob("*.yaml")} == {"cases", *CASES}


def schema_of(kind: str, version: str) -> Any:
    if (kind, version) not in _schemas:
        crd = yaml.load((crd_folder() / CRD_FILES[kind]).read_text(), yaml.CSafeLoader)
        served = next(v for v in crd["spec"]["versions"] if v["name"] == version)
        schema = closed(served["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        _schemas[kind, version] = jsonschema.Draft202012Validator(schema)
    return _schemas[kind, version]


def closed(schema: Any) -> Any:
    """The schema as strict field validation reads it: what it does not name is refused."""
    if not isinstance(schema, dict):
        return schema
    result = {k: closed(v) if k in ("items", "additionalProperties") else v for k, v in schema.items()}
    if "properties" in schema:
        result["properties"] = {k: closed(v) for k, v in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in schema:
            result["additionalProperties"] = False
    return result


# What the API server itself has no CRD for goes to a real one, in tests/cluster.
@pytest.mark.parametrize(
    "case", [case for case in CASES if not is_kubernetes_own(plan(CASES[case]).rendered.resource["apiVersion"])]
)
def test_an_object_is_valid_by_the_upstream_crd(case: str) -> None:
    resource = plan(CASES[case]).rendered.resource
    validator = schema_of(resource["kind"], resource["apiVersion"].split("/")[1])
    assert [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(resource)] == []


def test_the_crd_check_finds_an_unknown_field() -> None:
    resource = plan(CASES["dynamo-vllm-aggregated"]).rendered.resource
    resource["spec"]["components"][0]["nope"] = 1
    assert list(schema_of("DynamoGraphDeployment", "v1beta1").iter_errors(resource))


def test_overrides_come_last_and_null_deletes() -> None:
    side = {"name": "side", "image": "example.com/side:1"}
    overrides = {"inference": {"template": {"spec": {"containers": [side]}}}, "resource": {"count": None}}
    resource = plan({"provider": {"overrides": overrides}}).rendered.resource
    model, added = resource["inference"]["template"]["spec"]["containers"]
    assert (model["name"], added) == ("model", side | {"resources": {}})
    assert "count" not in resource["resource"]


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "http://demo.ml.svc/v1"),
        ({"resources": {"gpu": {"count": 1}}}, "http://demo-frontend.ml.svc:8000/v1"),
        ({"provider": {"name": "kuberay"}, "resources": {"gpu": {"count": 1}}}, "http://demo-serve-svc.ml.svc:8000/v1"),
    ],
)
def test_the_endpoint_is_one_that_the_rendered_object_brings_about(fields: dict[str, Any], url: str) -> None:
    assert plan(fields).rendered.endpoint.url("ml") == url


TYPES = [
    ({"engine": {"type": "vllm"}}, "nvcr.io/nvidia/ai-dynamo/vllm-runtime:", "dynamo.spec.images.vllm"),
    ({"engine": {"type": "trtllm"}}, "nvcr.io/nvidia/ai-dynamo/tensorrtllm-runtime:", "dynamo.spec.images.trtllm"),
    ({"provider": {"name": "kuberay"}}, "rayproject/ray-llm:", "kuberay.spec.images.vllm"),
    ({"provider": {"name": "vllm"}}, "vllm/vllm-openai:", "vllm.spec.images.vllm"),
    ({"engine": {"type": "llamacpp"}}, "ghcr.io/kaito-project/aikit/runners/llama-cpp-cuda:", "images.llamacppGpu"),
    ({"model": {"source": "aikit", "id": "gemma2:2b"}}, "ghcr.io/kaito-project/aikit/gemma2:2b", "images.premade"),
]


@pytest.mark.parametrize("gpu_type", ["amd.com/gpu", "gpu.intel.com/xe", "habana.ai/gaudi"])
@pytest.mark.parametrize(("fields", "image", "setting"), TYPES)
def test_another_maker_s_gpu_takes_an_image_for_it(gpu_type: str, fields: Any, image: str, setting: str) -> None:
    fields = {"resources": {"gpu": {"count": 1, "type": gpu_type}}, **fields}
    with pytest.raises(InputError) as error:
        plan(fields)
    (problem,) = error.value.problems
    assert problem.field.endswith("resources.gpu.type")
    assert problem.message.startswith(f"{gpu_type} given, but {image}")
    assert "is built for CUDA; name an image for" in problem.message
    assert setting in problem.message
    plan(fields | {"engine": {**fields.get("engine", {}), "image": "registry.example/rocm:1"}})
    plan(fields | {"resources": {"gpu": {"count": 1, "type": "nvidia.com/mig-1g.10gb"}}})


def test_each_role_s_gpu_takes_an_image_for_it() -> None:
    gpus = {role: {"gpu": {"count": 1, "type": f"amd.com/{role}"}} for role in ("prefill", "decode")}
    with pytest.raises(InputError) as error:
        plan({"serving": {"mode": "disaggregated"}, "scaling": gpus})
    assert [p.field.split("spec.", 1)[1] for p in error.value.problems] == [
        "scaling.prefill.gpu.type",
        "scaling.decode.gpu.type",
    ]


def test_a_stack_s_own_image_is_taken_for_one_that_fits_its_gpus() -> None:
    own = {"providers": {"dynamo": {"spec": {"images": {"vllm": "registry.example/rocm:1"}}}}}
    settings = StackSettings.model_validate(own)
    context = PlanContext(PROVIDERS, provider_configs(settings, Files(), PROVIDERS), settings)
    entry = {"name": "demo", "model": {"id": "org/model"}, "resources": {"gpu": {"count": 1, "type": "amd.com/gpu"}}}
    assert plan_entry(entry, context).request.selection.provider == "dynamo"


def test_a_token_is_referred_to_never_copied() -> None:
    for case in (
        "kaito-llamacpp-cpu-full",
        "kaito-vllm-gpu-full",
        "dynamo-vllm-aggregated-full",
        "kuberay-vllm-aggregated-full",
    ):
        assert "hf" in to_documents([plan(CASES[case]).rendered.resource]).split()


def test_a_users_own_token_variable_replaces_the_secret() -> None:
    own = [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "mine", "key": "token"}}}]
    for provider in ("dynamo", "kuberay"):
        fields = {
            "provider": {"name": provider},
            "resources": {"gpu": {"count": 1}},
            "env": own,
            "secrets": {"huggingFaceToken": "hf"},
        }
        assert "hf" not in to_documents([plan(fields).rendered.resource]).split()


def test_a_flag_of_the_user_replaces_a_derived_one() -> None:
    fields = {"resources": {"gpu": {"count": 4}}, "engine": {"args": {"tp": "2"}}}
    worker = plan(fields).rendered.resource["spec"]["components"][1]
    args = worker["podTemplate"]["spec"]["containers"][0]["args"]
    assert args == ["--model", "org/model", "--tensor-parallel-size", "2"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.9", 0.9),
        ("8", 8),
        ("1e3", 1000),
        ("true", True),
        ("null", None),
        ("on", "on"),
        ("2026-01-01", "2026-01-01"),
        ('{"a": [1.5, null]}', {"a": [1.5, None]}),
        ("[1, 2]", [1, 2]),
        ("{a: 1}", "{a: 1}"),
        ("{% if x %}", "{% if x %}"),
        ("[a", "[a"),
        ("*x", "*x"),
        ("a: b: c", "a: b: c"),
        ("9" * 5000, "9" * 5000),
        (".inf", ".inf"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_the_text_of_a_flag_becomes_what_vllm_would_read(text: str, value: Any) -> None:
    engine = {"args": {"x-y": text}, "image": "registry.example/ray-llm:mine"}
    fields = {"provider": {"name": "kuberay"}, "resources": {"gpu": {"count": 1}}, "engine": engine}
    arguments = yaml.safe_load(plan(fields).rendered.resource["spec"]["serveConfigV2"])["applications"][0]["args"]
    assert arguments["llm_configs"][0]["engine_kwargs"]["x_y"] == value


def test_long_names_that_are_cut_stay_apart() -> None:
    from airunway.text.names import dns_label

    one, two = dns_label("x" * 70, "a"), dns_label("x" * 70, "b")
    assert one != two
    assert max(len(one), len(two)) <= 63
    assert dns_label("fine", "name") == "fine-name"
    assert dns_label("A_b") != dns_label("a-b")
