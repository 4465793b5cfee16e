"""Unit (pure), opt-in: the command lines that the provider dynamo renders, read by each worker's own parser.

AIRUNWAY_DYNAMO_VLLM_PYTHON and AIRUNWAY_DYNAMO_SGLANG_PYTHON name interpreters with the releases of
``providers/dynamo/flags.yaml``; either of them serves for TensorRT-LLM too, which need not be installed. Neither takes
a GPU or a model. Without a GPU's CUDA tools some of NVIDIA's packages can't be had, and none of them is needed:

    uv venv dynamo-vllm && uv pip install --python dynamo-vllm ai-dynamo==1.6.1 vllm==0.31.0 uvloop blake3
    uv venv dynamo-sglang && uv pip install --python dynamo-sglang ai-dynamo==1.6.1 sglang==0.5.21 uvloop
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.provider.engine_args import Flag, flag_arguments
from airunway.spec.model import Engine
from airunway.text.problems import InputError
from providers.dynamo.render import SERVICE, known_flags
from tests.unit.running_parser import WorkerParser, running_parser
from tests.unit.samples import plan, worker_containers

VLLM, SGLANG = (os.environ.get(f"AIRUNWAY_DYNAMO_{name}_PYTHON") for name in ("VLLM", "SGLANG"))
INTERPRETERS = {Engine.VLLM: VLLM, Engine.SGLANG: SGLANG, Engine.TRTLLM: VLLM or SGLANG}
GOLDEN = Path(__file__).parent / "golden"
CASES = yaml.safe_load((GOLDEN / "cases.yaml").read_text())


@pytest.fixture(scope="module", name="parser", params=list(SERVICE), ids=str)
def _parser(request: pytest.FixtureRequest) -> Iterator[tuple[Engine, WorkerParser]]:
    engine: Engine = request.param
    interpreter = INTERPRETERS[engine]
    if not interpreter:
        variable = f"AIRUNWAY_DYNAMO_{'SGLANG' if engine is Engine.SGLANG else 'VLLM'}_PYTHON"
        pytest.skip(f"{variable} names no interpreter with the pinned release of dynamo.{engine}")
    with running_parser(interpreter, "worker_parser.py", f"dynamo.{engine}") as parser:
        yield engine, parser


def commands(fields: dict[str, Any]) -> dict[str, list[str]]:
    """The arguments of each worker by its name."""
    return {name: c["args"] for name, c in worker_containers(plan(fields).rendered.resource).items()}


# What the parsers call the meaning of the fields.
NAMES: dict[Engine, dict[str, str]] = {
    Engine.VLLM: {
        "model": "model",
        "tensor": "tensor_parallel_size",
        "pipeline": "pipeline_parallel_size",
        "length": "max_model_len",
        "trust": "trust_remote_code",
        "eager": "enforce_eager",
        "served": "served_model_name",
    },
    Engine.SGLANG: {
        "model": "model_path",
        "tensor": "tp_size",
        "pipeline": "pp_size",
        "length": "context_length",
        "trust": "trust_remote_code",
        "eager": "disable_cuda_graph",
        "served": "served_model_name",
    },
    Engine.TRTLLM: {
        "model": "model",
        "tensor": "tensor_parallel_size",
        "pipeline": "pipeline_parallel_size",
        "length": "max_seq_len",
        "served": "served_model_name",
    },
}


def test_the_flags_are_those_of_the_pinned_release(parser: tuple[Engine, WorkerParser]) -> None:
    engine, running = parser
    assert running.flags == running.known(known_flags()[engine])


def test_the_workers_of_the_golden_files_are_understood(parser: tuple[Engine, WorkerParser]) -> None:
    engine, running = parser
    parsed = 0
    for case, fields in CASES.items():
        if not case.startswith(f"dynamo-{engine}") and not (engine is Engine.VLLM and case == "dynamo-overrides"):
            continue
        for name, arguments in commands(fields).items():
            result = running.parse(arguments)
            assert "error" not in result, (case, name, result)
            assert result[NAMES[engine]["model"]] == fields["model"]["id"]
            role = name.removeprefix(SERVICE[engine]).removesuffix("Worker").lower()
            gpu = fields["scaling"][role]["gpu"] if role else fields["resources"]["gpu"]
            assert result[NAMES[engine]["tensor"]] == gpu["count"]
            assert str(result["disaggregation_mode"]).lower().rpartition(".")[2] in (role, "agg", "aggregated", "null")
            parsed += 1
    assert parsed >= 3


def matrix() -> Iterator[tuple[int, int, dict[str, Any]]]:
    """GPUs, pipeline-parallel size, and settings of engines."""
    switches = ("trustRemoteCode", "enforceEager", "enablePrefixCaching")
    for gpus, pipeline, on in itertools.product((1, 4, 16), (1, 2, 4), (False, True)):
        if gpus % pipeline == 0:
            yield gpus, pipeline, dict.fromkeys(switches, on) | ({"contextLength": 4096} if on else {})


def test_a_matrix_of_settings_comes_out_as_meant(parser: tuple[Engine, WorkerParser]) -> None:
    engine, running = parser
    names = NAMES[engine]
    for gpus, pipeline, settings in matrix():
        args = {"pp": str(pipeline)} if pipeline > 1 else {}
        fields = {
            "model": {"id": "org/model", "servedName": "served"},
            "engine": {"type": str(engine), "args": args, **settings},
            "resources": {"gpu": {"count": gpus}},
        }
        (arguments,) = commands(fields).values()
        result = running.parse(arguments)
        assert "error" not in result, (arguments, result)
        expected = {"tensor": gpus // pipeline, "pipeline": pipeline, "length": settings.get("contextLength")}
        expected |= {"trust": settings["trustRemoteCode"], "eager": settings["enforceEager"]}
        assert {key: result[names[key]] for key in expected if key in names} == {
            key: value for key, value in expected.items() if key in names
        }
        assert "served" in result[names["served"]]


# Engine settings of users, by engine, and what they parse to.
SETTINGS: dict[Engine, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    Engine.VLLM: [
        ({"args": {"dyn-tool-call-parser": "hermes"}}, {"dyn_tool_call_parser": "hermes"}),
        ({"args": {"enable-expert-parallel": "true"}}, {"enable_expert_parallel": True}),
        ({"args": {"enable-chunked-prefill": "false"}}, {"enable_chunked_prefill": False}),
        ({"args": {"max_num_seqs": "16", "dyn_reasoning_parser": "qwen3"}}, {"max_num_seqs": 16}),
        ({"args": {"tp": "2"}}, {"tensor_parallel_size": 2}),
        ({"args": {"dp": "4"}}, {"tensor_parallel_size": 2, "data_parallel_size": 4}),
        ({"extraArgs": ["-pp", "2", "--seed=7"]}, {"tensor_parallel_size": 4, "pipeline_parallel_size": 2, "seed": 7}),
        ({"args": {"hf-overrides.rope_theta": "1000000"}}, {"hf_overrides": {"rope_theta": 1000000}}),
        ({"enablePrefixCaching": False}, {"enable_prefix_caching": False}),
    ],
    Engine.SGLANG: [
        ({"args": {"tool-call-parser": "qwen25"}}, {"tool_call_parser": "qwen25"}),
        ({"args": {"dp": "8", "enable-dp-attention": "true"}}, {"tp_size": 8, "dp_size": 8}),
        ({"args": {"data-parallel-size": "2"}}, {"tp_size": 4, "dp_size": 2}),
        ({"args": {"tp-size": "4", "max_running_requests": "8"}}, {"tp_size": 4, "max_running_requests": 8}),
        ({"extraArgs": ["--tp", "8", "--ep", "8"]}, {"tp_size": 8, "ep_size": 8}),
        ({"enablePrefixCaching": False}, {"disable_radix_cache": True}),
    ],
    Engine.TRTLLM: [
        ({"args": {"free-gpu-memory-fraction": "0.8"}}, {"free_gpu_memory_fraction": 0.8}),
        (
            {"args": {"trtllm.kv_cache_config.dtype": "fp8"}, "enablePrefixCaching": False},
            {"override_engine_args": {"kv_cache_config": {"dtype": "fp8", "enable_block_reuse": False}}},
        ),
        ({"args": {"enable-attention-dp": "true", "max_batch_size": "4"}}, {"max_batch_size": 4}),
        ({"args": {"dyn-tool-call-parser": "hermes"}}, {"dyn_tool_call_parser": "hermes"}),
        ({"extraArgs": ["--trtllm.a.b", "-1"]}, {"override_engine_args": {"a": {"b": -1}}}),
    ],
}


def test_settings_of_users_come_out_as_meant(parser: tuple[Engine, WorkerParser]) -> None:
    engine, running = parser
    for setting, expected in SETTINGS[engine]:
        (arguments,) = commands(
            {"engine": {"type": str(engine)} | setting, "resources": {"gpu": {"count": 8}}}
        ).values()
        result = running.parse(arguments)
        assert {key: result.get(key, result.get("error")) for key in expected} == expected, arguments


# Settings that are refused for the pinned release, each because the parser refuses it.
REFUSED: dict[Engine, list[dict[str, Any]]] = {
    Engine.VLLM: [
        {"args": {"enable-auto-tool-choice": ""}},
        {"args": {"tool-call-parser": "hermes"}},
        {"args": {"chat-template": "/t"}},
        {"extraArgs": ["--lora-modules", "a=b"]},
        {"extraArgs": ["--tp", "8"]},
        {"extraArgs": ["--enable-expert-parallel", "true"]},
        {"extraArgs": ["--enable-expert-parallel=true"]},
        {"extraArgs": ["--seed", "1", "2"]},
    ],
    Engine.SGLANG: [
        {"args": {"max-num-seqs": "8"}},
        {"args": {"enable-dp-attention": "1"}},
        {"args": {"max-running-requests": ""}},
        {"extraArgs": ["--gpu-memory-utilization=0.9"]},
    ],
    Engine.TRTLLM: [
        {"args": {"kv-cache-dtype": "fp8"}},
        {"args": {"gpu-memory-utilization": "0.8"}},
        {"args": {"max-model-len": "8"}},
        {"extraArgs": ["--enable-attention-dp", "true"]},
    ],
}


def test_what_is_refused_is_what_the_parser_refuses(parser: tuple[Engine, WorkerParser]) -> None:
    engine, running = parser
    for setting in REFUSED[engine]:
        fields = {"engine": {"type": str(engine)}, "resources": {"gpu": {"count": 8}}}
        with pytest.raises(InputError):
            commands(fields | {"engine": {"type": str(engine)} | setting})
        (arguments,) = commands(fields).values()
        for name, value in setting.get("args", {}).items():
            arguments += flag_arguments(Flag(name, value or None))
        arguments += setting.get("extraArgs", [])
        assert "error" in running.parse(arguments), arguments


def test_every_switch_is_one(parser: tuple[Engine, WorkerParser]) -> None:
    """No switch of the list is taken for another flag by one of the parsers that read a command line in turn."""
    engine, running = parser
    flag = "--model-path" if engine is Engine.SGLANG else "--model"
    failed = {}
    for switch in known_flags()[engine].switches:
        result = running.parse([flag, "org/model", f"--{switch}"])
        if "error" in result and ("unrecognized" in result["error"] or "ambiguous" in result["error"]):
            failed[switch] = result["error"][-200:]
    assert failed == {}
