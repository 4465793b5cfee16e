"""Unit (pure): the tensor-parallel size that a worker's other parallel sizes leave, rendered and read back."""

from typing import Any

import pytest
import yaml

from airunway.live.adoption import adopt
from airunway.planning.deployment import PlanContext
from airunway.planning.settings import StackSettings
from airunway.text.problems import InputError
from providers import PROVIDERS
from tests.unit.samples import builtin, plan, worker_containers

TENSOR = "tensor-parallel-size"


def gpus(count: int) -> dict[str, Any]:
    return {"resources": {"gpu": {"count": count}}}


def multinode(service: str, nodes: Any) -> dict[str, Any]:
    components = [{"name": service, "multinode": {"nodeCount": nodes}}]
    return {"provider": {"overrides": {"spec": {"components": components}}}}


def workers(resource: dict[str, Any]) -> list[dict[str, str]]:
    """The flags of each worker with their values, as long as each has one."""
    if "components" in resource["spec"]:
        lists = [container["args"] for container in worker_containers(resource).values()]
        return [
            {a.removeprefix("--"): b for a, b in zip(args, [*args[1:], ""], strict=True) if a[:1] == "-"}
            for args in lists
        ]
    arguments = yaml.safe_load(resource["spec"]["serveConfigV2"])["applications"][0]["args"]
    configs = arguments.get("llm_configs") or [arguments["prefill_config"], arguments["decode_config"]]
    return [{k.replace("_", "-"): str(v) for k, v in config["engine_kwargs"].items()} for config in configs]


def tensor_sizes(fields: dict[str, Any]) -> list[int]:
    return [int(worker.get(TENSOR, "1")) for worker in workers(plan(fields).rendered.resource)]


# Engine settings by engine, the GPUs of a worker, and the tensor-parallel size that they leave.
SIZES: list[tuple[str, dict[str, Any], int, int]] = [
    ("vllm", {"args": {"data-parallel-size": "4"}}, 4, 1),
    ("vllm", {"args": {"data_parallel_size": "2"}}, 8, 4),
    ("vllm", {"args": {"dp": "2", "pp": "2"}}, 8, 2),
    ("vllm", {"args": {"prefill-context-parallel-size": "2"}}, 4, 2),
    ("vllm", {"extraArgs": ["--pipeline-parallel-size=4"]}, 8, 2),
    ("vllm", {"args": {"decode-context-parallel-size": "2", "enable-expert-parallel": "true"}}, 8, 8),
    ("vllm", {"args": {"data-parallel-size": "16", "data-parallel-size-local": "8"}}, 8, 8),
    ("sglang", {"args": {"pp-size": "2"}}, 8, 4),
    ("sglang", {"args": {"data-parallel-size": "2"}}, 8, 4),
    ("sglang", {"args": {"dp": "4", "enable-dp-attention": ""}}, 8, 8),
    ("sglang", {"args": {"dp-size": "4", "ep": "4"}, "extraArgs": ["--enable-dp-attention"]}, 4, 4),
    ("trtllm", {"args": {"pipeline-parallel-size": "2"}}, 4, 2),
    ("trtllm", {"args": {"expert-parallel-size": "4"}}, 4, 4),
    ("trtllm", {"args": {"pp": "8"}}, 8, 1),
]


@pytest.mark.parametrize(("engine", "settings", "count", "tensor"), SIZES, ids=str)
def test_other_sizes_leave_the_rest_for_tensor_parallelism(
    engine: str, settings: dict[str, Any], count: int, tensor: int
) -> None:
    assert tensor_sizes(gpus(count) | {"engine": settings | {"type": engine}}) == [tensor]


@pytest.mark.parametrize(("engine", "settings", "count", "tensor"), [row for row in SIZES if row[0] == "vllm"], ids=str)
def test_ray_serve_divides_them_alike(engine: str, settings: dict[str, Any], count: int, tensor: int) -> None:
    fields = gpus(count) | {"engine": settings | {"type": engine}, "provider": {"name": "kuberay"}}
    assert tensor_sizes(fields) == [tensor]


def test_a_short_form_counts() -> None:
    engine = {"type": "vllm", "extraArgs": ["-pp", "2", "-dp=2"]}
    assert tensor_sizes(gpus(8) | {"engine": engine}) == [2]


@pytest.mark.parametrize("provider", ["dynamo", "kuberay"])
def test_each_role_divides_its_own_gpus(provider: str) -> None:
    scaling = {"prefill": {"gpu": {"count": 2}}, "decode": {"gpu": {"count": 8}}}
    engine = {"type": "vllm", "args": {"pipeline-parallel-size": "2"}}
    fields = {"serving": {"mode": "disaggregated"}, "scaling": scaling, "provider": {"name": provider}}
    assert tensor_sizes(fields | {"engine": engine}) == [1, 4]
    fields["scaling"] = {**scaling, "prefill": {"gpu": {"count": 3}}}
    with pytest.raises(InputError, match=r"scaling\.prefill\.gpu\.count: 3 given, which") as refused:
        plan(fields | {"engine": engine})
    assert "decode" not in str(refused.value)


@pytest.mark.parametrize("provider", ["dynamo", "kuberay", "vllm"])
@pytest.mark.parametrize(
    ("args", "count", "message"),
    [
        (
            {"data-parallel-size": "3"},
            8,
            f"8 given, which --data-parallel-size 3 does not divide; set engine.args.{TENSOR} too",
        ),
        ({"pipeline-parallel-size": "4"}, 2, "2 given; --pipeline-parallel-size 4 of engine.args or engine.extraArgs"),
        ({TENSOR: "8"}, 2, f"2 given; --{TENSOR} 8 of engine.args or engine.extraArgs take 8"),
        ({"tp": "4", "dp": "4"}, 8, f"8 given; --{TENSOR} 4 × --data-parallel-size 4"),
    ],
    ids=str,
)
def test_sizes_that_do_not_fit_are_refused(provider: str, args: dict[str, str], count: int, message: str) -> None:
    fields = gpus(count) | {"engine": {"type": "vllm", "args": args}, "provider": {"name": provider}}
    with pytest.raises(InputError) as refused:
        plan(fields)
    assert f"resources.gpu.count: {message}" in str(refused.value)


@pytest.mark.parametrize(("engine", "title"), [("vllm", "vLLM"), ("sglang", "SGLang"), ("trtllm", "TensorRT-LLM")])
def test_idle_gpus_are_worth_a_warning(engine: str, title: str) -> None:
    planned = plan(gpus(8) | {"engine": {"type": engine, "args": {"tp": "2", "pipeline-parallel-size": "2"}}})
    assert f"resources.gpu.count: 8 given, of which {title} uses 4 by its parallel sizes" in planned.warnings


@pytest.mark.parametrize(
    ("service", "engine", "nodes", "tensor"),
    [
        ("VllmWorker", "vllm", 2, 8),
        ("SglangWorker", "sglang", 4, 16),
        ("TrtllmWorker", "trtllm", 3, 12),
        ("VllmWorker", "vllm", 1, 4),
        ("VllmWorker", "vllm", "2", 4),
        ("Frontend", "vllm", 2, 4),
    ],
)
def test_a_worker_on_several_nodes_has_the_gpus_of_all(service: str, engine: str, nodes: Any, tensor: int) -> None:
    assert tensor_sizes(gpus(4) | {"engine": {"type": engine}} | multinode(service, nodes)) == [tensor]


def test_sizes_on_several_nodes_are_checked_against_all_of_them() -> None:
    fields = gpus(4) | {"engine": {"type": "vllm", "args": {"dp": "3"}}} | multinode("VllmWorker", 2)
    with pytest.raises(InputError, match="4 on each of 2 nodes given, which --data-parallel-size 3 does not divide"):
        plan(fields)


@pytest.mark.parametrize(
    "fields",
    [
        gpus(8) | {"engine": {"type": "vllm"}} | multinode("VllmWorker", 2),
        gpus(8) | {"engine": {"type": "sglang", "args": {"dp": "2"}}} | multinode("SglangWorker", 2),
        gpus(8) | {"engine": {"type": "vllm", "args": {"data-parallel-size": "4"}}, "provider": {"name": "kuberay"}},
        gpus(8) | {"engine": {"type": "trtllm", "args": {"pipeline-parallel-size": "2", "tp": "2"}}},
    ],
    ids=str,
)
def test_a_live_object_is_read_back_without_the_derived_size(fields: dict[str, Any]) -> None:
    context = PlanContext(PROVIDERS, builtin(), StackSettings(namespace="ml"))
    resource = plan(fields).rendered.resource
    adoption = adopt(resource, context)
    assert adoption.entry is not None, adoption.reasons
    args = adoption.entry["engine"].get("args", {})
    assert (TENSOR in args) == ("tp" in fields["engine"].get("args", {}))
    assert adoption.entry.get("provider", {}).get("overrides") == fields.get("provider", {}).get("overrides")
