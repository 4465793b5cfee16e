"""Unit (pure): the user's flags against those of the program that they are for. The lists of flags meet the real
parsers in test_vllm_flags.py, test_dynamo_flags.py and test_ray_flags.py.
"""

from typing import Any

import pytest
import yaml

from airunway.provider.image_references import is_release
from airunway.text.problems import InputError
from tests.unit.samples import plan, worker_containers

NEXT_RELEASE = "registry.example/worker:9.9.9"


def fields(provider: str, engine: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"provider": {"name": provider}, "resources": {"gpu": {"count": 1}}, "engine": engine} | more


def arguments(fields: dict[str, Any]) -> list[str]:
    """What the user's settings become, after the model."""
    resource = plan(fields).rendered.resource
    spec = resource["spec"]
    if "components" in spec:
        (worker,) = worker_containers(resource).values()
        result: list[str] = worker["args"][2:]
        return result
    words: list[str] = spec["template"]["spec"]["containers"][0]["args"]
    return words[3:]


def keywords(engine: dict[str, Any]) -> dict[str, Any]:
    resource = plan(fields("kuberay", engine)).rendered.resource
    serve = yaml.safe_load(resource["spec"]["serveConfigV2"])
    result: dict[str, Any] = serve["applications"][0]["args"]["llm_configs"][0]["engine_kwargs"]
    return result


def problems(fields: dict[str, Any]) -> str:
    with pytest.raises(InputError) as refused:
        plan(fields)
    return str(refused.value)


@pytest.mark.parametrize(
    ("engine", "flag", "way"),
    [
        ("vllm", "tool-call-parser=llama3_json", "set engine.args.dyn-tool-call-parser"),
        ("vllm", "enable-auto-tool-choice", "leave it out, engine.args.dyn-tool-call-parser is enough"),
        ("vllm", "chat-template=/t.jinja", "set engine.args.custom-jinja-template"),
        ("vllm", "uvicorn-log-level=debug", "on Dynamo the frontend serves the API"),
        ("vllm", "no-enable-log-outputs", "on Dynamo the frontend serves the API"),
        ("vllm", "mem-fraction-static=0.8", "set engine.args.gpu-memory-utilization"),
        ("vllm", "max-model-length=4", "did you mean 'max-model-len'?"),
        ("vllm", "frobnicate", "its documentation lists them"),
        ("sglang", "max-num-seqs=4", "set engine.args.max-running-requests"),
        ("sglang", "max-model-len=4096", "set engine.contextLength"),
        ("sglang", "enforce-eager", "set engine.enforceEager: true"),
        ("trtllm", "kv-cache-dtype=fp8", "set engine.args.trtllm.kv_cache_config.dtype"),
        ("trtllm", "mem-fraction-static=0.8", "set engine.args.free-gpu-memory-fraction"),
        ("trtllm", "max-num-batched-tokens=8192", "set engine.args.max-num-tokens"),
        ("trtllm", "data-parallel-size=2", "set scaling.replicas"),
        ("trtllm", "chat-template=/t.jinja", "set engine.args.custom-jinja-template"),
    ],
)
def test_a_flag_of_another_program_is_refused_with_what_to_set(engine: str, flag: str, way: str) -> None:
    name, _, value = flag.partition("=")
    program = f"dynamo.{engine} 1.6.1 has no flag --{name} for engine.args or engine.extraArgs"
    for setting, field in (
        ({"args": {name: value}}, f"engine.args.{name}"),
        ({"extraArgs": [f"--{flag}"]}, "engine.extraArgs[0]"),
    ):
        output = problems(fields("dynamo", {"type": engine} | setting))
        assert f"{field}: {program}; " in output
        assert way in output


@pytest.mark.parametrize(
    ("provider", "engine"),
    [
        ("dynamo", {"type": "vllm", "args": {"dyn-tool-call-parser": "hermes", "reasoning-parser": "qwen3"}}),
        ("dynamo", {"type": "vllm", "extraArgs": ["--hf-overrides.rope_theta", "1e6", "--no-enable-log-requests"]}),
        ("dynamo", {"type": "sglang", "args": {"tool-call-parser": "qwen25", "reasoning-parser": "qwen3"}}),
        ("dynamo", {"type": "sglang", "extraArgs": ["--tp", "1", "--cuda-graph-bs-decode", "1", "2", "4"]}),
        ("dynamo", {"type": "sglang", "extraArgs": ["--engine-route", "a", "--engine-route", "b"]}),
        ("dynamo", {"type": "trtllm", "args": {"free-gpu-memory-fraction": "0.8", "enable-attention-dp": "true"}}),
        ("kuberay", {"args": {"enable-auto-tool-choice": "", "tool-call-parser": "hermes", "chat-template": "/t"}}),
        ("vllm", {"args": {"enable-auto-tool-choice": "", "tool-call-parser": "hermes", "chat-template": "/t"}}),
    ],
    ids=str,
)
def test_a_programs_own_flags_are_accepted(provider: str, engine: dict[str, Any]) -> None:
    plan(fields(provider, engine))


@pytest.mark.parametrize(
    ("engine", "setting", "message"),
    [
        ("vllm", {"args": {"max-num-seqs": ""}}, "--max-num-seqs of dynamo.vllm 1.6.1 takes a value"),
        ("vllm", {"extraArgs": ["--seed", "--enforce-eager"]}, "--seed of dynamo.vllm 1.6.1 takes a value"),
        ("vllm", {"args": {"enable-expert-parallel": "2"}}, "'2' given; --enable-expert-parallel of dynamo.vllm"),
        ("vllm", {"extraArgs": ["--enable-eplb=1"]}, "'1' given; --enable-eplb of dynamo.vllm 1.6.1 is a switch"),
        ("vllm", {"extraArgs": ["--enable-eplb=true"]}, "'true' given; --enable-eplb is a switch and takes no value"),
        ("vllm", {"extraArgs": ["4096", "--enable-eplb"]}, "engine.extraArgs[0]: '4096' given, must be a flag"),
        ("vllm", {"extraArgs": ["--enable-eplb", "true"]}, "--enable-eplb is a switch and takes no value"),
        ("vllm", {"extraArgs": ["--seed", "1", "2"]}, "no flag takes the argument '2', which follows it"),
        ("sglang", {"args": {"enable-dp-attention": "false"}}, "is a switch and takes no value; leave it out"),
        ("vllm", {"args": {"connector": "nixl"}}, "dynamo.vllm refuses it; set engine.args.kv-transfer-config"),
    ],
    ids=str,
)
def test_values_that_a_flag_does_not_take_are_refused(engine: str, setting: dict[str, Any], message: str) -> None:
    assert message in problems(fields("dynamo", {"type": engine} | setting))


@pytest.mark.parametrize(
    ("provider", "engine", "args", "words"),
    [
        ("dynamo", "vllm", {"enable-prefix-caching": "true"}, ["--enable-prefix-caching"]),
        ("dynamo", "vllm", {"enable_chunked_prefill": "False"}, ["--no-enable-chunked-prefill"]),
        ("dynamo", "vllm", {"no-async-scheduling": "true"}, ["--no-async-scheduling"]),
        ("dynamo", "vllm", {"no-async-scheduling": "false"}, ["--async-scheduling"]),
        ("dynamo", "sglang", {"enable-dp-attention": "True"}, ["--enable-dp-attention"]),
        ("dynamo", "trtllm", {"enable-attention-dp": "false"}, ["--no-enable-attention-dp"]),
        ("dynamo", "trtllm", {"trtllm.a.b": "true"}, ["--trtllm.a.b", "true"]),
        ("vllm", "vllm", {"enable-sleep-mode": "true"}, ["--enable-sleep-mode"]),
        ("vllm", "vllm", {"enable-cascade-attn": "false"}, ["--disable-cascade-attn"]),
    ],
)
def test_a_switch_may_be_given_as_a_truth_value(
    provider: str, engine: str, args: dict[str, str], words: list[str]
) -> None:
    assert arguments(fields(provider, {"type": engine, "args": args})) == words
    assert arguments(fields(provider, {"type": engine, "args": args, "image": NEXT_RELEASE})) == words


@pytest.mark.parametrize("text", ["true", "False", ""])
def test_a_preset_of_kaito_takes_no_switch(text: str) -> None:
    message = "engine.args.enable-expert-parallel: provider kaito can't honour this: a preset takes no bare flags"
    assert message in problems(fields("kaito", {"type": "vllm", "args": {"enable-expert-parallel": text}}))


@pytest.mark.parametrize(
    ("engine", "args", "words"),
    [
        ("vllm", {"tp": "1"}, ["--tensor-parallel-size", "1"]),
        ("vllm", {"max_num_seqs": "4"}, ["--max-num-seqs", "4"]),
        ("sglang", {"tp-size": "1"}, ["--tensor-parallel-size", "1"]),
        ("sglang", {"max_running_requests": "4"}, ["--max-running-requests", "4"]),
        ("trtllm", {"tp": "1", "max_batch_size": "4"}, ["--max-batch-size", "4", "--tensor-parallel-size", "1"]),
    ],
)
def test_a_flag_is_rendered_as_its_parser_spells_it(engine: str, args: dict[str, str], words: list[str]) -> None:
    assert arguments(fields("dynamo", {"type": engine, "args": args})) == words


def test_aliases_are_those_of_the_engine() -> None:
    assert "has no flag --tp-size" in problems(fields("dynamo", {"type": "vllm", "args": {"tp-size": "1"}}))
    assert "has no flag --tp" in problems(fields("dynamo", {"type": "vllm", "extraArgs": ["--tp=1"]}))
    assert keywords({"args": {"tp": "1"}}) == {"tensor_parallel_size": 1}


@pytest.mark.parametrize("provider", ["dynamo", "kuberay", "vllm", "kaito"])
@pytest.mark.parametrize(
    ("setting", "field"),
    [
        (
            {"args": {"max-num-batched-tokens": "1", "max_num_batched_tokens": "2"}},
            "engine.args.max_num_batched_tokens",
        ),
        ({"args": {"block_size": "1"}, "extraArgs": ["--block-size=2"]}, "engine.extraArgs[0]"),
        ({"extraArgs": ["--seed", "1", "--seed", "2"]}, "engine.extraArgs[2]"),
        ({"args": {"async-scheduling": ""}, "extraArgs": ["--no-async-scheduling"]}, "engine.extraArgs[0]"),
        ({"args": {"tp": "1", "tensor-parallel-size": "1"}}, "engine.args.t"),
    ],
    ids=str,
)
def test_one_flag_is_given_once_in_whatever_spelling(provider: str, setting: dict[str, Any], field: str) -> None:
    if provider == "kaito" and "extraArgs" in setting:
        return
    output = problems(fields(provider, {"type": "vllm"} | setting))
    assert field in output
    assert "which is the same flag; give it once" in output


def test_llama_cpp_is_given_a_flag_once() -> None:
    setting = {"args": {"context_size": "4"}, "extraArgs": ["--context-size=8"]}
    assert "give it once" in problems({"engine": setting})


@pytest.mark.parametrize(
    ("argument", "flag"),
    [
        ("--max-model-len 4096", "--max-model-len"),
        ("--enforce-eager ", "--enforce-eager"),
        ("-tp 2", "-tp"),
        ("--hf-token\thf_secret", "--hf-token"),
    ],
)
@pytest.mark.parametrize("provider", ["dynamo", "kuberay", "vllm"])
def test_one_element_is_one_argument(provider: str, argument: str, flag: str) -> None:
    output = problems(fields(provider, {"extraArgs": [argument]}))
    assert f"engine.extraArgs[0]: {flag} and its value are in one element" in output
    assert "hf_secret" not in output


def test_values_may_hold_blanks() -> None:
    engine = {"extraArgs": ["--chat-template={{ a b }}", "--served-model-name", "a b"]}
    assert arguments(fields("vllm", engine)) == engine["extraArgs"]


DOTTED = "trtllm.kv_cache_config.enable_block_reuse"


def test_options_of_tensorrt_llm_have_dotted_names() -> None:
    engine = {"type": "trtllm", "args": {DOTTED: "true"}}
    assert arguments(fields("dynamo", engine)) == [f"--{DOTTED}", "true"]
    output = problems(fields("dynamo", engine | {"enablePrefixCaching": False}))
    assert f"engine.args.{DOTTED}: engine.enablePrefixCaching sets --{DOTTED} already" in output


@pytest.mark.parametrize(
    "setting",
    [
        {"args": {"override_engine_args": "{}"}, "trustRemoteCode": True},
        {"args": {"override-engine-args": "{}", "trtllm.x": "1"}},
        {"extraArgs": ["--override-engine-args={}", "--trtllm.x", "1"]},
    ],
    ids=str,
)
def test_options_of_tensorrt_llm_are_given_in_one_way(setting: dict[str, Any]) -> None:
    output = problems(fields("dynamo", {"type": "trtllm"} | setting))
    assert "TensorRT-LLM does not accept it together with options" in output
    plan(fields("dynamo", {"type": "trtllm", "args": {"override-engine-args": "{}"}}))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"args": {"trtllm.x": ""}}, "takes its value as an argument of its own"),
        ({"extraArgs": ["--trtllm.x=1"]}, "takes its value as an argument of its own"),
        ({"extraArgs": ["--trtllm.x..y", "1"]}, "is no option; dotted flags begin with --trtllm. and name one"),
        ({"args": {"kv_cache_config.dtype": "fp8"}}, "dotted flags begin with --trtllm."),
    ],
    ids=str,
)
def test_options_that_tensorrt_llm_would_not_read_are_refused(setting: dict[str, Any], message: str) -> None:
    assert message in problems(fields("dynamo", {"type": "trtllm", "image": NEXT_RELEASE} | setting))


@pytest.mark.parametrize(
    ("provider", "engine"), [("dynamo", "sglang"), ("kuberay", "vllm"), ("kaito", "vllm"), ("kaito", "llamacpp")]
)
def test_dotted_names_are_refused_where_there_are_none(provider: str, engine: str) -> None:
    output = problems(fields(provider, {"type": engine, "args": {"a.b": "1"}}))
    assert "engine.args.a.b: " in output
    assert "dotted" in output


@pytest.mark.parametrize("name", [".a", "a.", "a..b", "-a"])
def test_a_name_of_a_flag_is_a_name(name: str) -> None:
    assert "letters, digits, -, _ and . are valid" in problems(fields("dynamo", {"args": {name: "1"}}))


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"revision": "0012"}, {"revision": "0012"}),
        ({"revision": "1234567"}, {"revision": "1234567"}),
        ({"code-revision": "1e5"}, {"code_revision": "1e5"}),
        ({"tokenizer_revision": "true"}, {"tokenizer_revision": "true"}),
        ({"quantization": "null"}, {"quantization": "null"}),
        ({"load-format": "0x10"}, {"load_format": "0x10"}),
        ({"max-num-seqs": "16"}, {"max_num_seqs": 16}),
        ({"max-num-seqs": "016"}, {"max_num_seqs": "016"}),
        ({"gpu-memory-utilization": "0.5"}, {"gpu_memory_utilization": 0.5}),
        ({"enable-expert-parallel": "true"}, {"enable_expert_parallel": True}),
    ],
    ids=str,
)
def test_text_stays_text_on_ray(args: dict[str, str], expected: dict[str, Any]) -> None:
    assert keywords({"args": args}) == expected
    (name, value), *_ = args.items()
    assert keywords({"extraArgs": [f"--{name}={value}"]}) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("autoscaling-config", "a setting of Ray Serve, not of the engine, and no field sets it yet"),
        ("lora_config", "a setting of Ray Serve, not of the engine"),
        ("max-ongoing-requests", "a setting of Ray Serve, not of the engine"),
        ("placement-group-config", "a setting of Ray Serve, not of the engine"),
        ("num-replicas", "set scaling.replicas instead"),
        ("runtime-env", "set env instead"),
        ("distributed-executor-backend", "Ray Serve LLM sets it to ray"),
        ("served_model_name", "set model.servedName instead"),
    ],
)
def test_ray_serves_own_settings_are_no_arguments_of_the_engine(name: str, message: str) -> None:
    for setting, field in (
        ({"args": {name: "1"}}, f"engine.args.{name}: "),
        ({"extraArgs": [f"--{name}=1"]}, "engine.extraArgs[0]: "),
    ):
        output = problems(fields("kuberay", setting | {"image": NEXT_RELEASE}))
        assert field in output
        assert message in output


def test_an_unknown_argument_is_refused_on_the_release_of_ray_that_is_known() -> None:
    engine = {"args": {"max-model-length": "1"}}
    for image in ({}, {"image": "registry.example/rayproject/ray-llm:2.58.0-py312-cu130@sha256:" + "0" * 64}):
        output = problems(fields("kuberay", engine, **image))
        assert "knows no engine argument max-model-length; did you mean 'max-model-len'?" in output
    plan(fields("kuberay", engine, image=NEXT_RELEASE))


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
def test_the_flags_of_another_release_are_not_checked(engine: str) -> None:
    setting = {"type": engine, "args": {"a-new-flag": "1"}, "extraArgs": ["--seed", "1", "2"]}
    assert "has no flag --a-new-flag" in problems(fields("dynamo", setting))
    mirrored = problems(fields("dynamo", setting, image="registry.example:5000/runtime:1.6.1@sha256:" + "0" * 64))
    assert "has no flag --a-new-flag" in mirrored
    words = arguments(fields("dynamo", setting, image=NEXT_RELEASE))
    assert words == ["--a-new-flag", "1", "--seed", "1", "2"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("a/b:1.6.1", True),
        ("a/b:v1.6.1", True),
        ("a/b:1.6.1-cuda13", True),
        ("r:5000/b:1.6.1@sha256:0", True),
        ("a/b:1.6.10", False),
        ("a/b:1.6.1rc1", False),
        ("a/b:11.6.1", False),
        ("a/b", False),
        ("r:5000/b", False),
        ("a/b@sha256:1.6.1", False),
    ],
)
def test_the_tag_says_of_which_release_an_image_is(image: str, expected: bool) -> None:
    assert is_release(image, "1.6.1") is expected
