"""Unit (pure): engine flags from fields and back: whatever a spec comes to is read to one that comes to the same
arguments.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from airunway.planning.deployment import plan_entry
from airunway.provider.engine_args_reading import read_arguments, read_keyword_arguments
from airunway.provider.engine_flags import ARGUMENT_FIELDS, flag_table
from airunway.provider.live_object import UnreadableError
from airunway.provider.user_flags import is_negative
from airunway.spec.model import Engine, Mode, ModelDeploymentSpec
from airunway.text.problems import InputError
from providers import PROVIDERS
from tests.unit.samples import TARGET, builtin, containers
from tests.unit.spec_leaves import leaves

CONFIGS = {config.name: config for config in builtin()}
ENGINES = [("dynamo", Engine.VLLM), ("dynamo", Engine.SGLANG), ("dynamo", Engine.TRTLLM), ("kuberay", Engine.VLLM)]

# Names that meet those of fields and of what is derived, in every spelling, and some of the user's own.
FLAGS = sorted(
    {row.flag for rows in flag_table().engines.values() for row in rows}
    | {alias for aliases in flag_table().aliases.values() for alias in aliases if alias[0] != "-"}
    | {flag for sizes in flag_table().parallel.values() for flag in sizes.others}
    | {
        "enable-prefix-caching",
        "max_model_len",
        "disaggregation-mode",
        "kv-transfer-config",
        "host",
        "a",
        "b-c",
        "b_c",
        "seed",
        "Z",
        "no-x",
    }
)
TEXTS = [
    "",
    "1",
    "4",
    "8192",
    "0.9",
    "true",
    "false",
    "null",
    "on",
    "x",
    "-1",
    "--x",
    "prefill",
    "nixl",
    '{"a": [1]}',
    "[1.5]",
    "007",
    "1e3",
]
TOKENS = [
    *(f"--{name}" for name in FLAGS),
    *(f"--{name}={text}" for name in ("a", "tp", "max-model-len", "x.y") for text in TEXTS[:5]),
]
args = st.dictionaries(st.sampled_from([name for name in FLAGS if "." not in name]), st.sampled_from(TEXTS), max_size=4)
extra = st.lists(st.sampled_from([*TOKENS, *TEXTS, "--", "---a"]), max_size=4)
engines = st.fixed_dictionaries(
    {},
    optional={
        "contextLength": st.sampled_from([1, 4, 8192]),
        "trustRemoteCode": st.booleans(),
        "enablePrefixCaching": st.booleans(),
        "enforceEager": st.booleans(),
        "args": args,
        "extraArgs": extra,
    },
)
models = st.fixed_dictionaries(
    {"id": st.sampled_from(["org/model", "1"])}, optional={"servedName": st.sampled_from(["m", "1", "--m", "a b"])}
)
sizes = st.sampled_from([0, 1, 2, 4])


def arguments(resource: dict[str, Any]) -> Iterator[Any]:
    """The engine's arguments in each worker: words, or the whole configuration of a model."""
    if "components" in resource["spec"]:
        yield from (container.get("args") for container in containers(resource).values())
    if "serveConfigV2" in resource["spec"]:
        yield yaml.safe_load(resource["spec"]["serveConfigV2"])


@pytest.mark.parametrize(("name", "engine"), ENGINES, ids=str)
@pytest.mark.parametrize("mode", Mode)
@given(model=models, fields=engines, prefill=sizes, decode=sizes)
def test_what_a_spec_comes_to_is_read_back_to_one_that_comes_to_the_same(
    name: str, engine: Engine, mode: Mode, model: Any, fields: Any, prefill: int, decode: int
) -> None:
    scaling = {"scaling": {"prefill": {"gpu": {"count": prefill}}, "decode": {"gpu": {"count": decode}}}}
    size = scaling if mode is Mode.DISAGGREGATED else {"resources": {"gpu": {"count": decode}}}
    base = {"name": "demo", "provider": {"name": name}, "serving": {"mode": str(mode)}}
    # The flags of an image of another release are not checked, so that any name may be one.
    fields = fields | {"image": "registry.example/worker:mine"}
    try:
        resource = plan_entry(
            base | size | {"model": model, "engine": fields | {"type": str(engine)}}, TARGET
        ).rendered.resource
    except InputError:
        assume(False)
    provider = PROVIDERS.require(name)
    again = plan_entry(base | provider.read_fields(resource, CONFIGS[name]), TARGET).rendered.resource
    assert list(arguments(again)) == list(arguments(resource))


NAMES = [
    {"args": {"served-model-name": "x"}},
    {"args": {"served_model_name": "x"}},
    {"extraArgs": ["--served-model-name=x"]},
]


@pytest.mark.parametrize("fields", NAMES, ids=str)
def test_a_name_to_serve_that_ray_would_not_see_is_refused(fields: Any) -> None:
    entry = {
        "name": "demo",
        "model": {"id": "m"},
        "provider": {"name": "kuberay"},
        "resources": {"gpu": {"count": 1}},
        "engine": fields,
    }
    with pytest.raises(
        InputError, match=r"^engine\.(args|extraArgs).*: provider kuberay can't honour this: .* model\.servedName"
    ):
        plan_entry(entry, TARGET)


def test_the_table_has_a_flag_for_each_field_of_every_engine() -> None:
    fields = [[row.field for row in rows] for rows in flag_table().engines.values()]
    assert all(one == fields[0] for one in fields)
    assert set(flag_table().engines) == set(Engine) - {Engine.LLAMACPP}
    assert {leaf for leaf, _ in leaves(ModelDeploymentSpec)} >= ARGUMENT_FIELDS
    for rows in flag_table().engines.values():
        assert [row for row in rows if row.kind == "switch" and row.when is row_default(row.field)] == []


def row_default(path: str | None) -> Any:
    section, _, name = str(path).partition(".")
    aliases = {f.alias: f for f in type(getattr(ModelDeploymentSpec(model={"id": "x"}), section)).model_fields.values()}  # type: ignore[arg-type]
    return aliases[name].default


@pytest.mark.parametrize(
    ("words", "gpus", "expected"),
    [
        ("--model m", 1, {"model": {"id": "m"}, "engine": {}}),
        (
            "--model m --tensor-parallel-size 2 --max-model-len 9",
            2,
            {"model": {"id": "m"}, "engine": {"contextLength": 9}},
        ),
        (
            "--model m --tensor-parallel-size 2",
            4,
            {"model": {"id": "m"}, "engine": {"args": {"tensor-parallel-size": "2"}}},
        ),
        (
            "--model m --seed 7 --max-model-len 9",
            1,
            {"model": {"id": "m"}, "engine": {"args": {"seed": "7"}, "extraArgs": ["--max-model-len", "9"]}},
        ),
        ("--model m --seed\n 7", 1, {"model": {"id": "m"}, "engine": {"extraArgs": ["--seed\n", "7"]}}),
        ("--seed 7 --model m", 1, {"model": {"id": "m"}, "engine": {"args": {"seed": "7"}}}),
        ("--model m --a=1 x", 1, {"model": {"id": "m"}, "engine": {"extraArgs": ["--a=1", "x"]}}),
        (
            "--model m --max-model-len 9 --max-model-len=8",
            1,
            {"model": {"id": "m"}, "engine": {"extraArgs": ["--max-model-len", "9", "--max-model-len=8"]}},
        ),
        ("--model m --a=-x --b -1", 1, {"model": {"id": "m"}, "engine": {"args": {"a": "-x", "b": "-1"}}}),
        ("--model m --a 1 2", 1, {"model": {"id": "m"}, "engine": {"extraArgs": ["--a", "1", "2"]}}),
        ("--model m --max-num-seqs 1", 1, {"model": {"id": "m"}, "engine": {"args": {"max-num-seqs": "1"}}}),
        ("--model m --max_num_seqs 1", 1, {"model": {"id": "m"}, "engine": {"extraArgs": ["--max_num_seqs", "1"]}}),
        (
            "--model m --tensor-parallel-size 2 --pipeline-parallel-size 4",
            8,
            {"model": {"id": "m"}, "engine": {"args": {"pipeline-parallel-size": "4"}}},
        ),
        (
            "--model m --tensor-parallel-size 8 --pipeline-parallel-size 4",
            8,
            {
                "model": {"id": "m"},
                "engine": {
                    "args": {"tensor-parallel-size": "8"},
                    "extraArgs": ["--pipeline-parallel-size", "4"],
                },
            },
        ),
        ("--model m --a -x", 1, {"model": {"id": "m"}, "engine": {"extraArgs": ["--a", "-x"]}}),
        ("--model m --a 1 --a 2", 1, {"model": {"id": "m"}, "engine": {"extraArgs": ["--a", "1", "--a", "2"]}}),
    ],
)
def test_words_are_read_as_fields_where_they_stand_so(words: str, gpus: int, expected: Any) -> None:
    assert read_arguments(Engine.VLLM, words.split(" "), gpus) == expected


@pytest.mark.parametrize(
    ("words", "output"),
    [
        ("serve m", "'serve' is not a flag"),
        ("", "args: name no model"),
        ("--seed 7", "args: name no model"),
        ("--model --seed", "args: name no model"),
        ("--model m --model n", "args: name the model twice"),
    ],
)
def test_words_that_name_no_model_are_told(words: str, output: str) -> None:
    with pytest.raises(UnreadableError, match=output):
        read_arguments(Engine.VLLM, words.split(), 1)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"max_model_len": 9, "trust_remote_code": True}, {"contextLength": 9, "trustRemoteCode": True}),
        ({"max_model_len": True, "trust_remote_code": 1}, {"args": {"max-model-len": "", "trust-remote-code": "1"}}),
        ({"enable_prefix_caching": False}, {"enablePrefixCaching": False}),
        ({"enable_prefix_caching": True}, {"args": {"enable-prefix-caching": ""}}),
        ({"no_x": True, "x.y": 1, "z": None}, {"args": {"no-x": "true", "z": "null"}, "extraArgs": ["--x.y=1"]}),
        ({"tensor_parallel_size": 2}, {}),
        ({"tensor_parallel_size": 2, "tp": 2}, {"args": {"tensor-parallel-size": "2", "tp": "2"}}),
        ({"a": "8", "b": "", "c=d": 1}, {}),
    ],
    ids=str,
)
def test_keyword_arguments_are_read_as_fields_or_as_flags_that_come_to_them(arguments: Any, expected: Any) -> None:
    assert read_keyword_arguments(Engine.VLLM, arguments, 2) == {"engine": expected}


@pytest.mark.parametrize(
    ("argument", "expected"), [("-1", True), ("-.5", True), ("-1\n", False), ("-", False), ("-1x", False)]
)
def test_a_negative_number_is_one_from_its_first_character_to_its_last(argument: str, expected: bool) -> None:
    assert is_negative(argument) is expected
