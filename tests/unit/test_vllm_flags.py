"""Unit (pure), opt-in: every command line that the provider vllm can make, read by the real parser of the pinned vLLM.

``AIRUNWAY_VLLM_PYTHON`` names an interpreter with that vLLM (`pip install vllm==RELEASE`); it takes neither a GPU nor a
model.
"""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airunway.text.problems import InputError
from providers.vllm.arguments import known_flags
from tests.unit.running_parser import WorkerParser, running_parser
from tests.unit.samples import plan

INTERPRETER = os.environ.get("AIRUNWAY_VLLM_PYTHON")
pytestmark = pytest.mark.skipif(
    not INTERPRETER, reason="AIRUNWAY_VLLM_PYTHON names no interpreter with the pinned vLLM"
)


@pytest.fixture(scope="module", name="parser")
def _parser() -> Iterator[WorkerParser]:
    with running_parser(str(INTERPRETER), "worker_parser.py", "vllm") as parser:
        yield parser


def arguments(fields: dict[str, Any]) -> list[str]:
    pod = plan({"provider": {"name": "vllm"}} | fields).rendered.resource["spec"]["template"]["spec"]
    result: list[str] = pod["containers"][0]["args"]
    return result


def test_the_flags_are_those_of_the_pinned_release(parser: WorkerParser) -> None:
    assert parser.flags == parser.known(known_flags())


# Flags of the user with a value, what they parse to, and where.
FLAGS: dict[str, tuple[str, str, Any]] = {
    "gpu-memory-utilization": ("0.85", "gpu_memory_utilization", 0.85),
    "seed": ("-1", "seed", -1),
    "max_num_seqs": ("64", "max_num_seqs", 64),
    "kv-cache-dtype": ("fp8", "kv_cache_dtype", "fp8"),
    "override-generation-config": (
        '{"temperature": 0.5, "a": [1, "--x"]}',
        "override_generation_config",
        {"temperature": 0.5, "a": [1, "--x"]},
    ),
    "chat-template": ("--{{ messages }} = {% x %}", "chat_template", "--{{ messages }} = {% x %}"),
    "async-scheduling": ("", "async_scheduling", True),
    "enable-expert-parallel": ("", "enable_expert_parallel", True),
    "no-enable-chunked-prefill": ("", "enable_chunked_prefill", False),
    "enable-sleep-mode": ("true", "enable_sleep_mode", True),
    "enable-cascade-attn": ("false", "disable_cascade_attn", True),
    "disable-log-requests": ("", "enable_log_requests", False),
}
name = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12).filter(
    re.compile(r"\S([^\r\n]*\S)?").fullmatch
)
fields_of = st.fixed_dictionaries(
    {
        # A repository of Hugging Face, or a folder in the container.
        "id": st.from_regex(r"([a-z0-9][A-Za-z0-9._-]{0,9}/)?[A-Z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True)
        | st.from_regex(r"/[A-Za-z0-9._/:@-]{0,20}", fullmatch=True),
        "served": st.none() | name,
        "length": st.none() | st.integers(1, 10**7),
        "trust": st.booleans(),
        "caching": st.booleans(),
        "eager": st.booleans(),
        "gpus": st.integers(1, 64),
        "pipeline": st.sampled_from([1, 1, 2, 4]),
        "flags": st.sets(st.sampled_from(sorted(FLAGS))),
    }
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=fields_of)
def test_what_is_rendered_parses_to_what_was_meant(parser: WorkerParser, drawn: dict[str, Any]) -> None:
    pipeline, gpus = drawn["pipeline"], drawn["gpus"]
    args = {flag: FLAGS[flag][0] for flag in drawn["flags"]} | (
        {"pipeline-parallel-size": str(pipeline)} if pipeline > 1 else {}
    )
    engine = {
        "args": args,
        "trustRemoteCode": drawn["trust"],
        "enablePrefixCaching": drawn["caching"],
        "enforceEager": drawn["eager"],
        **({"contextLength": drawn["length"]} if drawn["length"] else {}),
    }
    model = {"id": drawn["id"]} | ({"servedName": drawn["served"]} if drawn["served"] else {})
    fields = {"model": model, "engine": engine, "resources": {"gpu": {"count": gpus}}}
    if gpus % pipeline:
        with pytest.raises(InputError, match=r"resources\.gpu\.count"):
            arguments(fields)
        return
    result = parser.parse(arguments(fields))
    assert "error" not in result, result
    expected = {
        "model_tag": drawn["id"],
        "host": None,
        "port": 8000,
        "served_model_name": [drawn["served"]] if drawn["served"] else None,
        "max_model_len": drawn["length"],
        "trust_remote_code": drawn["trust"],
        "enforce_eager": drawn["eager"],
        "enable_prefix_caching": None if drawn["caching"] else False,
        "tensor_parallel_size": gpus // pipeline,
        "pipeline_parallel_size": pipeline,
    }
    expected |= {FLAGS[flag][1]: FLAGS[flag][2] for flag in drawn["flags"]}
    assert {key: result[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("engine", "key", "value"),
    [
        ({"extraArgs": ["--block-size", "32"]}, "block_size", 32),
        ({"extraArgs": ["-tp", "2", "-pp=2"]}, "tensor_parallel_size", 2),
        ({"extraArgs": ["--max_num_batched_tokens=2048"]}, "max_num_batched_tokens", 2048),
        ({"extraArgs": ["--hf-overrides.a", "1"]}, "hf_overrides", {"a": 1}),
        ({"args": {"tensor-parallel-size": "2", "data-parallel-size": "2"}}, "tensor_parallel_size", 2),
    ],
    ids=str,
)
def test_arguments_as_they_are_parse_beside_the_derived_ones(
    parser: WorkerParser, engine: dict[str, Any], key: str, value: Any
) -> None:
    result = parser.parse(arguments({"engine": engine, "resources": {"gpu": {"count": 4}}}))
    assert result.get(key) == value, result


@pytest.mark.parametrize(
    "engine",
    [
        {"extraArgs": ["--tp", "2"]},
        {"args": {"enable-expert-parallel": "1"}},
        {"extraArgs": ["--enforce-eager", "1"]},
        {"extraArgs": ["--max-num-seqs", "4", "8"]},
        {"args": {"max-num-seqs": ""}},
        {"extraArgs": ["--enable-experts"]},
        {"extraArgs": ["--enforce-eager=1"]},
    ],
    ids=str,
)
def test_what_is_refused_is_what_the_parser_refuses(parser: WorkerParser, engine: dict[str, Any]) -> None:
    fields = {"engine": engine, "resources": {"gpu": {"count": 2}}}
    with pytest.raises(InputError):
        arguments(fields)
    # An image of another release is not checked; what it would be given then is.
    assert "error" in parser.parse(arguments(fields | {"image": "registry.example/vllm:mine"}))


def test_switches_that_the_parser_does_not_list_are_accepted(parser: WorkerParser) -> None:
    for switch in known_flags().unlisted_switches:
        assert "error" not in parser.parse(["model", f"--{switch}"]), switch
