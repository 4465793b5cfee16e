"""Unit (pure): objects whose parts have names and sizes that we would not give them, as entries and as overrides."""

from dataclasses import replace
from typing import Any

import pytest

from airunway.live.adoption import adopt
from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_entry
from airunway.text.problems import InputError
from tests.unit.samples import TARGET

MODEL = {"name": "demo", "namespace": "ml", "model": {"id": "org/model"}}
GPU = MODEL | {"resources": {"gpu": {"count": 1}}}
PAIR = MODEL | {
    "serving": {"mode": "disaggregated"},
    "scaling": {"prefill": {"gpu": {"count": 1}}, "decode": {"gpu": {"count": 1}}},
}
RAY = GPU | {"provider": {"name": "kuberay"}}
TOKEN = [{"secretRef": {"name": "hf-token-secret"}}]


def plan(entry: dict[str, Any], **overrides: Any) -> PlannedDeployment:
    provider = entry.get("provider", {}) | ({"overrides": {"spec": overrides}} if overrides else {})
    return plan_entry(entry | {"provider": provider}, TARGET)


def refusal(entry: dict[str, Any], **overrides: Any) -> str:
    with pytest.raises(InputError) as raised:
        plan(entry, **overrides)
    return str(raised.value)


def entry_of(obj: dict[str, Any], target: PlanContext = TARGET) -> dict[str, Any]:
    """The entry for an object, which renders just that."""
    result = adopt(obj, target)
    assert result.entry is not None, result.reasons
    return result.entry


def component(name: str, kind: str, container: dict[str, Any], **fields: Any) -> dict[str, Any]:
    pod = {"spec": {"containers": [{"name": "main", "image": "r/vllm:1", **container}]}}
    return {"name": name, "type": kind, "replicas": 1, "podTemplate": pod, **fields}


def worker(name: str, kind: str, *arguments: str, engine: str = "vllm", **fields: Any) -> dict[str, Any]:
    model = "--model" if engine == "vllm" else "--model-path"
    container = {
        "command": ["python3", "-m", f"dynamo.{engine}"],
        "args": [model, "org/model", *arguments],
        "envFrom": TOKEN,
        "workingDir": "/workspace",
        "resources": {"limits": {"nvidia.com/gpu": "1"}, "requests": {"ephemeral-storage": "2Gi"}},
    }
    return component(name, kind, container, **fields)


def graph(*components: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": "nvidia.com/v1beta1",
        "kind": "DynamoGraphDeployment",
        "metadata": {"name": "demo", "namespace": "ml"},
        "spec": {"components": [component("Frontend", "frontend", {}), *components], **fields},
    }


def service(role: str = "", **fields: Any) -> dict[str, Any]:
    container = {"image": "r/vllm:1", "command": ["python3", "-m", "dynamo.vllm"], "args": ["--model", "org/model"]}
    kind = {"componentType": "worker"} | ({"subComponentType": role} if role else {})
    resources = {"limits": {"gpu": "1"}, "requests": {"custom": {"ephemeral-storage": "2Gi"}}}
    return {**kind, "replicas": 1, "resources": resources, "extraPodSpec": {"mainContainer": container}, **fields}


def older_graph(**services: dict[str, Any]) -> dict[str, Any]:
    frontend = {
        "componentType": "frontend",
        "replicas": 1,
        "extraPodSpec": {"mainContainer": {"image": "r/vllm:1"}},
    }
    return graph() | {
        "apiVersion": "nvidia.com/v1alpha1",
        "spec": {"services": {"Frontend": frontend, **services}},
    }


@pytest.mark.parametrize("name", ["decode", "agg", "VllmDecodeWorker", "worker", "TRTLLMWorker"])
@pytest.mark.parametrize("framework", [{}, {"backendFramework": "vllm"}])
def test_a_worker_keeps_the_name_that_it_has(name: str, framework: dict[str, Any]) -> None:
    entry = entry_of(graph(worker(name, "worker"), **framework))
    spec = entry["provider"]["overrides"]["spec"]
    assert spec["components"][:2][0] == {"name": "VllmWorker", "$patch": "delete"}
    assert (spec["components"][1]["name"], spec["components"][1]["type"]) == (name, "worker")
    assert ("backendFramework" in spec) == (not framework)
    assert (entry["engine"]["type"], entry["model"]) == ("vllm", {"id": "org/model"})


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
def test_the_command_tells_the_engine(engine: str) -> None:
    assert entry_of(graph(worker("decode", "worker", engine=engine)))["engine"]["type"] == engine


def test_a_module_among_the_arguments_is_no_argument_of_the_engine() -> None:
    obj = graph(worker("agg", "worker", "--seed", "7"))
    container = obj["spec"]["components"][1]["podTemplate"]["spec"]["containers"][0]
    container |= {"command": ["python3"], "args": ["-m", "dynamo.vllm", *container["args"]]}
    assert entry_of(obj)["model"] == {"id": "org/model"}


@pytest.mark.parametrize(
    ("prefill", "decode"),
    [
        (worker("prefill", "prefill"), worker("decode", "decode")),
        (worker("prefill", "worker"), worker("decode", "worker")),
        (worker("VllmPrefillWorker", "prefill"), worker("VllmDecodeWorker", "decode")),
        (worker("a", "prefill", multinode={"nodeCount": 2}), worker("b", "decode", multinode={"nodeCount": 4})),
    ],
)
def test_prefill_and_decode_workers_are_told_by_type_or_name_in_any_order(prefill: Any, decode: Any) -> None:
    for workers in ([prefill, decode], [decode, prefill]):
        entry = entry_of(graph(*workers))
        assert entry["serving"] == {"mode": "disaggregated"}
        assert list(entry["scaling"]) == ["prefill", "decode"]


def test_another_component_is_told_by_what_no_override_may_say() -> None:
    planner = component("Planner", "planner", {"command": ["python3", "-m", "dynamo.planner"]})
    result = adopt(graph(planner, worker("decode", "worker")), TARGET)
    assert result.reasons == (
        "spec.components[Planner].replicas: is 1; a deployment renders none, which can't be overridden; use resources"
        " and scaling, which are checked against limits",
    )
    del planner["replicas"]
    entry = entry_of(graph(planner, worker("decode", "worker")))
    assert planner in entry["provider"]["overrides"]["spec"]["components"]


def test_workers_of_the_older_version_keep_their_names() -> None:
    entry = entry_of(older_graph(worker=service()))
    services = entry["provider"]["overrides"]["spec"]["services"]
    assert services["VllmWorker"] is None
    assert services["worker"]["componentType"] == "worker"
    assert services["worker"]["resources"]["requests"] == {"gpu": None, "custom": {"ephemeral-storage": "2Gi"}}
    assert entry_of(older_graph(decode=service("decode"), prefill=service("prefill")))["scaling"]
    assert entry_of(older_graph(decode=service("decode")))["resources"] == {"gpu": {"count": 1}}


def test_arguments_that_no_entry_may_have_stay_as_they_are() -> None:
    prefill = worker("prefill", "prefill", "--disaggregation-mode", "prefill")
    decode = worker("decode", "decode", "--seed", "7", "--disaggregation-mode", "decode")
    entry = entry_of(graph(prefill, decode))
    assert set(entry["engine"]) == {"type", "image"}


def test_a_key_among_the_arguments_is_not_hidden_in_an_override() -> None:
    arguments = ("--api-key", "abc", "--disaggregation-mode", "decode")
    result = adopt(graph(worker("prefill", "prefill"), worker("decode", "decode", *arguments)), TARGET)
    assert result.entry is None
    assert "clear text" in "; ".join(result.reasons)


def test_a_name_from_an_override_is_that_of_the_rendered_worker() -> None:
    components = [{"name": "VllmWorker", "$patch": "delete"}, {"name": "decode", "type": "worker"}]
    before, after = plan(GPU), plan(GPU, components=components)
    workers = after.rendered.resource["spec"]["components"]
    assert [c["name"] for c in workers] == ["Frontend", "decode"]
    assert workers[1] | {"name": "VllmWorker"} == before.rendered.resource["spec"]["components"][1]
    assert (before.rendered.replacement_trigger, after.rendered.replacement_trigger) == (
        "Frontend, VllmWorker",
        "Frontend, decode",
    )


def test_names_go_to_the_workers_of_their_type() -> None:
    gone = [{"name": f"Vllm{role}Worker", "$patch": "delete"} for role in ("Prefill", "Decode")]
    named = [{"name": "d", "type": "decode"}, {"name": "p", "type": "prefill"}]
    workers = plan(PAIR, components=[*gone, *named]).rendered.resource["spec"]["components"]
    assert [(c["name"], c["type"]) for c in workers] == [("Frontend", "frontend"), ("p", "prefill"), ("d", "decode")]


def test_a_longer_name_of_a_worker_leaves_less_for_that_of_the_graph() -> None:
    entry = GPU | {"name": "a" * 35}
    components = [{"name": "VllmWorker", "$patch": "delete"}, {"name": "VllmDecodeWorker", "type": "worker"}]
    assert plan(entry)
    assert "at most 29 characters" in refusal(entry, components=components)


def test_what_is_deleted_for_no_other_of_its_kind_is_gone() -> None:
    planner = component("Planner", "planner", {})
    del planner["replicas"]
    components = [{"name": "VllmWorker", "$patch": "delete"}, planner]
    left = plan(GPU, components=components).rendered.resource["spec"]["components"]
    assert [c["name"] for c in left] == ["Frontend", "Planner"]
    typo = [{"name": "VLLMWorker", "$patch": "delete"}]
    assert "did you mean 'VllmWorker'" in refusal(GPU, components=typo)


def test_a_sidecar_is_not_taken_for_ray() -> None:
    obj = plan(RAY).rendered.resource
    cluster = obj["spec"]["rayClusterConfig"]
    (container,) = cluster["headGroupSpec"]["template"]["spec"]["containers"]
    sidecar = {"name": "sidecar", "image": "r/x:1"}
    for containers in ([container, sidecar], [sidecar, container]):
        cluster["headGroupSpec"]["template"]["spec"]["containers"] = containers
        head = entry_of(obj)["provider"]["overrides"]["spec"]["rayClusterConfig"]["headGroupSpec"]
        assert {"name": "ray-head", "$patch": "delete"} not in head["template"]["spec"]["containers"]


OPENED = ["authOptions", "automountServiceAccountToken", "securityContext"]
OPEN = replace(
    TARGET,
    settings=TARGET.settings.model_copy(
        update={"allowed": TARGET.settings.allowed.model_copy(update={"overrides": OPENED})}
    ),
)
"""A stack that allows what other people's RayServices leave open."""


def test_a_ray_service_without_tokens_is_taken_where_the_stack_allows_it() -> None:
    refused = adopt(ray_service("gpu-workers", "ray-worker", {}, "48Gi"), TARGET)
    assert refused.entry is None
    for key in OPENED:
        assert any(f"airunway:allowed.overrides lists {key}" in reason for reason in refused.reasons)
    cluster = entry_of(ray_service("gpu-workers", "ray-worker", {}, "48Gi"), OPEN)["provider"]["overrides"]["spec"]
    assert cluster["rayClusterConfig"]["authOptions"] is None


def ray_service(group: str, container: str, head: dict[str, Any], worker_memory: str) -> dict[str, Any]:
    obj = plan(RAY).rendered.resource
    cluster = obj["spec"]["rayClusterConfig"]
    cluster["enableInTreeAutoscaling"] = True
    del cluster["authOptions"]
    for part in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        for key in ("automountServiceAccountToken", "securityContext"):
            del part["template"]["spec"][key]
    cluster["headGroupSpec"]["rayStartParams"] = {"num-cpus": "0"}
    cluster["headGroupSpec"]["template"]["spec"]["containers"][0]["resources"] = head
    (workers,) = cluster["workerGroupSpecs"]
    workers |= {"groupName": group, "minReplicas": 0, "maxReplicas": 4}
    resources = workers["template"]["spec"]["containers"][0]
    resources["name"] = container
    amounts = {"cpu": "32", "memory": worker_memory, "nvidia.com/gpu": "1"}
    resources["resources"] = {"limits": amounts, "requests": amounts | {"ephemeral-storage": "100Gi"}}
    return obj


@pytest.mark.parametrize(("group", "container"), [("gpu-group", "llm"), ("gpu-workers", "llm"), ("a", "ray-worker")])
@pytest.mark.parametrize("head", [{}, {"limits": {"cpu": "2", "memory": "5Gi"}, "requests": {"cpu": 1}}])
def test_a_ray_service_keeps_names_and_sizes(group: str, container: str, head: dict[str, Any]) -> None:
    entry = entry_of(ray_service(group, container, head, "48Gi"), OPEN)
    assert entry["resources"] == {"gpu": {"count": 1}, "cpu": "32", "memory": "48Gi"}
    groups = entry["provider"]["overrides"]["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    assert groups[-1]["groupName"] == group
    assert groups[-1]["maxReplicas"] == 4


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"limits": {"cpu": "513"}}, "resources.limits.cpu: '513' given, must be at most 512"),
        ({"requests": {"memory": "5Ti"}}, "resources.requests.memory: '5Ti' given, must be at most 4Ti"),
        ({"requests": {"memory": "16"}}, "resources.requests.memory: '16' given, which is 16 bytes; write 16Gi"),
        ({"requests": {"ephemeral-storage": "many"}}, "ephemeral-storage: 'many' given, must be a Kubernetes quantity"),
        ({"limits": {"nvidia.com/gpu": "65"}}, "resources.limits.nvidia.com/gpu: can't be overridden; use resources"),
        ({"limits": {"rdma/ib": "1"}}, "resources.limits.rdma/ib: can't be overridden"),
        ({"claims": [{"name": "gpu"}]}, "resources.claims: can't be overridden"),
        ("4", "resources: can't be overridden"),
        ({"limits": "4"}, "resources.limits: can't be overridden"),
    ],
)
def test_overridden_resources_are_checked_against_the_ceilings(resources: Any, expected: str) -> None:
    pod = {"spec": {"containers": [{"name": "main", "resources": resources}]}}
    assert expected in refusal(GPU, components=[{"name": "Frontend", "podTemplate": pod}])


def test_resources_that_fit_are_overridden_and_others_left_out() -> None:
    resources = {"limits": {"cpu": "8"}, "requests": {"memory": None, "ephemeral-storage": "500Gi"}}
    pod = {"spec": {"containers": [{"name": "main", "resources": resources}]}}
    frontend = plan(GPU, components=[{"name": "Frontend", "podTemplate": pod}]).rendered.resource["spec"]["components"][
        0
    ]
    result = frontend["podTemplate"]["spec"]["containers"][0]["resources"]
    assert (result["limits"], set(result["requests"])) == ({"cpu": "8"}, {"cpu", "ephemeral-storage"})


def test_a_controller_refuses_overridden_resources() -> None:
    pod = {"spec": {"containers": [{"name": "main", "resources": {"limits": {"cpu": "8"}}}]}}
    expected = "podTemplate.spec.containers[0].resources: the controller's webhook refuses it; use delivery: direct"
    entry = GPU | {"delivery": "modeldeployment"}
    assert expected in refusal(entry, components=[{"name": "Frontend", "podTemplate": pod}])
