"""Unit (pure), opt-in: the configuration of each model that the provider kuberay renders, read by Ray Serve LLM itself.

AIRUNWAY_RAY_PYTHON names an interpreter with the release of ``providers/kuberay/flags.yaml``; it takes neither a GPU
nor a model:

    uv venv ray && uv pip install --python ray "ray[serve,llm]==2.58.0" vllm==0.26.0
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.text.problems import InputError
from providers.kuberay.arguments import known_arguments
from tests.unit.running_parser import WorkerParser, running_parser
from tests.unit.samples import plan

INTERPRETER = os.environ.get("AIRUNWAY_RAY_PYTHON")
pytestmark = pytest.mark.skipif(not INTERPRETER, reason="AIRUNWAY_RAY_PYTHON names no interpreter with the known Ray")
CASES = yaml.safe_load((Path(__file__).parent / "golden" / "cases.yaml").read_text())
KNOWN_RELEASE, OTHER_RELEASE = f"registry.example/ray-llm:{known_arguments().release}", "registry.example/ray-llm:mine"


@pytest.fixture(scope="module", name="parser")
def _parser() -> Iterator[WorkerParser]:
    with running_parser(str(INTERPRETER), "ray_parser.py") as parser:
        yield parser


def application(fields: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the application."""
    resource = plan({"provider": {"name": "kuberay"}} | fields).rendered.resource
    result: dict[str, Any] = yaml.safe_load(resource["spec"]["serveConfigV2"])["applications"][0]["args"]
    return result


def engine(setting: dict[str, Any], gpus: int = 8, **more: Any) -> dict[str, Any]:
    return {"engine": setting, "resources": {"gpu": {"count": gpus}}, "image": KNOWN_RELEASE} | more


def test_the_arguments_are_those_of_the_known_release(parser: WorkerParser) -> None:
    known = known_arguments()
    assert parser.flags == {key: getattr(known, key, parser.flags[key]) for key in parser.flags}


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("kuberay")])
def test_the_models_of_the_golden_files_are_understood(parser: WorkerParser, case: str) -> None:
    fields = CASES[case]
    result = parser.parse(application(fields))
    if fields.get("engine", {}).get("extraArgs"):
        assert "swap_space" in result["error"]  # a flag of an image of its own, which this release has no more
        fields = fields | {"engine": {k: v for k, v in fields["engine"].items() if k != "extraArgs"}}
        result = parser.parse(application(fields))
    assert "error" not in result, result
    scaling = fields["scaling"] if "serving" in fields else {"": fields["resources"]}
    counts = [part["gpu"]["count"] for part in (scaling[role] for role in ("prefill", "decode", "") if role in scaling)]
    assert [model["tensor_parallel_size"] for model in result] == counts
    assert [len(model["placement_bundles"]) for model in result] == counts
    assert {model["model"] for model in result} == {fields["model"]["id"]}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"args": {"tp": "4"}}, {"tensor_parallel_size": 4}),
        ({"args": {"pipeline-parallel-size": "4"}}, {"tensor_parallel_size": 2, "num_devices": 8}),
        ({"args": {"revision": "0123456", "code-revision": "1e5"}}, {"revision": "0123456", "code_revision": "1e5"}),
        ({"args": {"enable-expert-parallel": "true", "max_num_seqs": "16"}}, {"max_num_seqs": 16}),
        ({"args": {"enable-auto-tool-choice": "", "tool-call-parser": "hermes"}}, {"tool_call_parser": "hermes"}),
        ({"args": {"hf-overrides": '{"a": [1]}'}}, {"hf_overrides": {"a": [1]}}),
        ({"extraArgs": ["--no-enable-chunked-prefill", "--seed", "7"]}, {"enable_chunked_prefill": False, "seed": 7}),
        ({"contextLength": 4096, "enforceEager": True}, {"max_model_len": 4096, "enforce_eager": True}),
    ],
    ids=str,
)
def test_settings_come_out_as_meant(parser: WorkerParser, setting: dict[str, Any], expected: dict[str, Any]) -> None:
    result = parser.parse(application(engine(setting)))
    assert "error" not in result, result
    assert {key: result[0][key] for key in expected} == expected


@pytest.mark.parametrize(
    "setting",
    [
        {"args": {"max-model-length": "1"}},
        {"args": {"swap-space": "4"}},
        {"extraArgs": ["--no-enable-experts"]},
    ],
    ids=str,
)
def test_what_is_refused_is_what_ray_serve_refuses(parser: WorkerParser, setting: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        application(engine(setting))
    result = parser.parse(application(engine(setting, image=OTHER_RELEASE)))
    assert "Unknown engine argument" in result["error"]


def test_ray_serve_refuses_its_own_settings_among_the_arguments(parser: WorkerParser) -> None:
    for name in known_arguments().serve:
        with pytest.raises(InputError, match="a setting of Ray Serve"):
            application(engine({"args": {name: "1"}}))
        arguments = application(engine({}))
        arguments["llm_configs"][0]["engine_kwargs"][name.replace("-", "_")] = 1
        assert "Unknown engine argument" in parser.parse(arguments)["error"], name
