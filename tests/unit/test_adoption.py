"""Unit (pure): existing upstream objects as entries of a stack."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.live.adoption import Adoption, adopt
from airunway.live.objects import Schema
from airunway.planning.deployment import PlanContext, plan_entry
from airunway.planning.settings import StackSettings
from airunway.spec.entry import Delivery
from providers import PROVIDERS, kaito
from tests.unit.samples import GPU, TARGET, builtin

GOLDEN = Path(__file__).parent / "golden"
CASES: dict[str, Any] = yaml.safe_load((GOLDEN / "cases.yaml").read_text())


def rendered(fields: dict[str, Any]) -> dict[str, Any]:
    entry = {"name": "demo", "namespace": "ml", "model": {"id": "org/model"}} | fields
    return copy.deepcopy(plan_entry(entry, TARGET).rendered.resource)


def adopted(obj: dict[str, Any], **schema: Any) -> dict[str, Any]:
    result = adopt(obj, TARGET, Schema.model_validate(schema))
    assert result.entry is not None, result.reasons
    again = plan_entry(result.entry, TARGET).rendered.resource
    for key in set(obj) - {"apiVersion", "kind", "metadata", "status"}:
        one, other = (yaml.safe_load(yaml.safe_dump(side.get(key, {}))) for side in (obj, again))
        assert _plain(one) == _plain(other)
    return result.entry


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: yaml.safe_load(v) if k == "serveConfigV2" else _plain(v) for k, v in value.items() if v not in ({}, [])
        }
    return [_plain(v) for v in value] if isinstance(value, list) else str(value)


def refused(obj: dict[str, Any], target: PlanContext = TARGET) -> str:
    result: Adoption = adopt(obj, target)
    assert result.entry is None, result.entry
    return "; ".join(result.reasons)


@pytest.mark.parametrize("case", CASES)
def test_what_we_render_is_read_back_to_an_entry_that_renders_the_same(case: str) -> None:
    adopted(rendered(CASES[case]))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"model": {"id": "org/model"}, "engine": {"type": "llamacpp"}}),
        (GPU, {"model": {"id": "org/model"}, "engine": {"type": "vllm"}, "resources": {"gpu": {"count": 1}}}),
        (
            GPU | {"engine": {"args": {"seed": "7"}, "contextLength": 4096}, "scaling": {"replicas": 2}},
            {
                "model": {"id": "org/model"},
                "engine": {"type": "vllm", "contextLength": 4096, "args": {"seed": "7"}},
                "resources": {"gpu": {"count": 1}},
                "scaling": {"replicas": 2},
            },
        ),
    ],
)
def test_an_entry_says_no_more_than_a_person_would(fields: Any, expected: Any) -> None:
    assert adopted(rendered(fields)) == {"name": "demo", "namespace": "ml", "takeOver": True} | expected


def test_a_provider_is_named_only_where_the_rules_would_choose_another() -> None:
    assert "provider" not in adopted(rendered(GPU))
    assert adopted(rendered(GPU | {"provider": {"name": "kuberay"}}))["provider"] == {"name": "kuberay"}


def test_what_no_field_says_becomes_an_override() -> None:
    graph = rendered(GPU)
    graph["spec"]["components"][1]["sharedMemorySize"] = "20Gi"
    graph["spec"]["env"] = [{"name": "A", "value": "b"}]
    components = [{"name": "VllmWorker", "sharedMemorySize": "20Gi"}]
    assert adopted(graph)["provider"] == {
        "overrides": {"spec": {"components": components, "env": [{"name": "A", "value": "b"}]}}
    }


def test_what_we_would_add_is_taken_away_again() -> None:
    workspace = rendered({})
    del workspace["resource"]["labelSelector"]["matchLabels"]["kubernetes.io/os"]
    workspace["resource"]["labelSelector"]["matchLabels"]["pool"] = "cpu"
    overrides = {"resource": {"labelSelector": {"matchLabels": {"kubernetes.io/os": None}}}}
    result = adopted(workspace)
    assert (result["nodeSelector"], result["provider"]["overrides"]) == ({"pool": "cpu"}, overrides)


def test_the_defaults_of_the_schema_are_not_repeated() -> None:
    workspace = rendered({"provider": {"name": "kaito"}, **GPU})
    workspace["inference"]["preset"]["accessMode"] = "public"
    access = {"properties": {"accessMode": {"default": "public"}}}
    schema = Schema.model_validate({"properties": {"inference": {"properties": {"preset": access}}}})
    result = adopt(workspace, TARGET, schema)
    assert result.entry is not None
    assert result.entry["provider"] == {"name": "kaito"}
    without = adopt(workspace, TARGET).entry
    assert without is not None
    assert without["provider"]["overrides"] == {"inference": {"preset": {"accessMode": "public"}}}


def test_a_default_that_is_rendered_too_is_no_difference() -> None:
    count = {"properties": {"resource": {"properties": {"count": {"default": 1}}}}}
    result = adopt(rendered({}), TARGET, Schema.model_validate(count))
    assert result.entry is not None, result.reasons
    assert "provider" not in result.entry
    assert "scaling" not in result.entry


def test_a_stack_that_delivers_otherwise_takes_over_directly() -> None:
    target = PlanContext(PROVIDERS, builtin(), StackSettings(delivery=Delivery.MODELDEPLOYMENT, namespace="ml"))
    entry = adopt(rendered({}), target).entry
    assert entry is not None
    assert entry["delivery"] == "direct"
    assert "namespace" not in entry


def change(obj: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *parents, last = path.split("/")
    here: Any = obj
    for part in parents:
        here = here[int(part) if part.isdigit() else part]
    here[last.replace("~", "/")] = value
    return obj


WORKER = "spec/components/1/podTemplate/spec/containers/0"


SERVE = rendered(GPU | {"provider": {"name": "kuberay"}})["spec"]["serveConfigV2"]


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        ({"apiVersion": "kaito.sh/v1beta1", "kind": "Workspace", "tuning": {}}, "inference: missing"),
        (change(rendered({}), "inference/template/spec/containers", []), "must have exactly one container, not 0"),
        (change(rendered({}), "apiVersion", "kaito.sh/v1alpha1"), "apiVersion: is kaito.sh/v1alpha1"),
        (change(rendered({}), "metadata", {"name": "Not.Ours", "namespace": "ml"}), "name: "),
        (
            change(rendered({}), "inference/template/spec/securityContext", {"runAsUser": 1}),
            (
                "inference.template.spec.securityContext: is {'runAsUser': 1}; a deployment renders none, which can't"
                " be overridden for security reasons"
            ),
        ),
        (change(rendered({}), "resource", "text"), "resource: input should be"),
        (
            change(rendered({}), "inference/template/spec/containers/0/args", ["--x", 1]),
            "inference.template.spec.containers[0].args[1]: input should be a valid string",
        ),
        (
            change(rendered(GPU), f"{WORKER}/resources/limits/nvidia.com~gpu", "one"),
            "resources.limits.nvidia.com/gpu: 'one' given, must be a whole number",
        ),
        (
            change(
                rendered(GPU | {"provider": {"name": "kuberay"}}),
                "spec/rayClusterConfig/workerGroupSpecs/0/template/spec/containers/0/resources/limits",
                {"nvidia.com/gpu": "1k"},
            ),
            (
                "spec.rayClusterConfig.workerGroupSpecs[0].template.spec.containers[0].resources.limits.nvidia.com/gpu:"
                " '1k' given"
            ),
        ),
        (
            change(
                rendered(GPU | {"provider": {"name": "kuberay"}}),
                "spec/serveConfigV2",
                SERVE.replace("num_replicas: 1", "num_replicas: auto"),
            ),
            (
                "spec.serveConfigV2.applications[0].args.llm_configs[0].deployment_config.num_replicas: input should be"
                " a valid integer"
            ),
        ),
        (
            change(rendered(GPU), "spec/components", [{"name": "Frontend"}, {"name": "a"}, {"name": "b"}]),
            "spec: has a, b, but a deployment has workers of one kind, or prefill and decode workers",
        ),
        (
            change(rendered(GPU), "spec/components", [{"name": "Frontend"}, {"name": "decode"}]),
            "decode: args: name no model",
        ),
        (
            change(change(rendered(GPU), "spec/backendFramework", None), f"{WORKER}/command", ["sh", "-c"]),
            "spec.backendFramework: is missing, and no command python3 -m dynamo.ENGINE of a worker tells the engine",
        ),
        (change(rendered(GPU), "spec/backendFramework", "tgi"), "spec.backendFramework: is tgi, but must be vllm"),
        (
            change(rendered(GPU), f"{WORKER}/args", ["--seed", "7"]),
            "args: name no model",
        ),
        (
            change(rendered(GPU), f"{WORKER}/args", ["serve"]),
            "'serve' is not a flag",
        ),
        (
            change(rendered(GPU), "spec/components/0/replicas", 2),
            "spec.components[Frontend].replicas: is 2; a deployment renders 1, which can't be overridden",
        ),
        (
            change(rendered(GPU | {"provider": {"name": "kuberay"}}), "spec/serveConfigV2", "applications: []"),
            "must be one application",
        ),
        (
            change(rendered(GPU | {"provider": {"name": "kuberay"}}), "spec/rayClusterConfig/workerGroupSpecs", []),
            "must have 1 worker groups, not 0",
        ),
        (
            change(rendered(GPU | {"provider": {"name": "kuberay"}}), "spec/serveConfigV2", "a: ["),
            "spec.serveConfigV2: not YAML",
        ),
    ],
)
def test_what_can_not_be_expressed_says_where_and_why(obj: dict[str, Any], expected: str) -> None:
    assert expected in refused({"metadata": {"name": "demo", "namespace": "ml"}} | obj)


def test_no_reason_is_about_an_override_that_nobody_wrote() -> None:
    service = rendered(GPU | {"provider": {"name": "kuberay"}})
    group = "spec/rayClusterConfig/workerGroupSpecs/0"
    change(service, f"{group}/replicas", 3)
    head = "spec/rayClusterConfig/headGroupSpec/template/spec/containers/0/resources"
    change(service, head, {"limits": {"cpu": "4", "memory": "16Gi", "rdma/ib": "1"}})
    assert refused(service).split("; ") == [
        "spec.rayClusterConfig.headGroupSpec.template.spec.containers[ray-head].resources.limits.rdma/ib: is '1'",
        "a deployment renders none, which can't be overridden",
        "use resources and scaling, which are checked against limits",
        "spec.rayClusterConfig.workerGroupSpecs[gpu-workers].replicas: is 3",
        "a deployment renders 1, which can't be overridden",
        "use resources and scaling, which are checked against limits",
    ]


def test_a_bug_of_ours_is_no_reason_not_to_express_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaito, "read_fields", lambda obj, config: obj["nothing"])
    with pytest.raises(KeyError, match="nothing"):
        adopt(rendered({}), TARGET)


def test_what_the_operator_reads_as_a_truth_value_is_one() -> None:
    service = rendered(GPU | {"provider": {"name": "kuberay"}, "engine": {"trustRemoteCode": True}})
    service["spec"]["serveConfigV2"] = service["spec"]["serveConfigV2"].replace(
        "trust_remote_code: true", "trust_remote_code: on"
    )
    assert adopted(service)["engine"]["trustRemoteCode"] is True


def test_quantities_that_are_numbers_are_read() -> None:
    workspace = rendered({"resources": {"cpu": "4"}})
    container = workspace["inference"]["template"]["spec"]["containers"][0]
    container["resources"] = {"limits": {"cpu": 4}, "requests": {"cpu": 4}}
    assert adopted(workspace)["resources"] == {"cpu": "4"}


def test_an_object_of_a_provider_that_is_off_says_so() -> None:
    assert refused(rendered({}), PlanContext(PROVIDERS, [], StackSettings())) == "provider kaito is off in this stack"


@pytest.mark.parametrize("case", CASES)
def test_an_object_is_read_with_its_own_image_where_the_stack_took_the_images_out(case: str) -> None:
    configs = tuple(c.model_copy(update={"spec": c.spec.model_copy(update={"images": {}})}) for c in builtin())
    live = rendered(CASES[case])
    result = adopt(live, PlanContext(PROVIDERS, configs, StackSettings()))
    if result.entry is None:
        assert result.reasons
    elif "preset" not in live.get("inference", {}):  # whose image KAITO knows
        assert result.entry["engine"].get("image") or result.entry["image"]
