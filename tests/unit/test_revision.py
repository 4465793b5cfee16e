"""Unit (pure): a model's revision reaches every engine, and is read back from the objects that were made of it."""

from typing import Any

import pytest
import yaml

from airunway.live.adoption import adopt
from airunway.planning.deployment import plan_entry
from airunway.planning.image_build import plan_image
from airunway.planning.settings import StackSettings
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError
from tests.unit.samples import TARGET, spec

REVISION = "0042798"
ROLES = {"serving": {"mode": "disaggregated"}, "scaling": {r: {"gpu": {"count": 1}} for r in ("prefill", "decode")}}


def entry(provider: str, engine: str, **fields: Any) -> dict[str, Any]:
    base = {
        "name": "demo",
        "model": {"id": "org/m", "revision": REVISION},
        "provider": {"name": provider},
        "engine": {"type": engine},
    }
    whole: dict[str, Any] = merge_patch(
        base, fields if "serving" in fields else {"resources": {"gpu": {"count": 1}}} | fields
    )
    return whole


def rendered(written: dict[str, Any]) -> dict[str, Any]:
    resource: dict[str, Any] = plan_entry(written, TARGET).rendered.resource
    return resource


def adopted_model(written: dict[str, Any]) -> Any:
    result = adopt(yaml.safe_load(yaml.safe_dump(rendered(written))), TARGET)
    assert result.entry is not None, result.reasons
    return result.entry["model"], result.entry["engine"].get("args")


COMMANDS = [("dynamo", "vllm"), ("dynamo", "sglang"), ("dynamo", "trtllm"), ("vllm", "vllm")]


def commands(value: Any) -> list[list[str]]:
    """The arguments of all containers in ``value``."""
    if isinstance(value, list):
        return [result for inner in value for result in commands(inner)]
    if not isinstance(value, dict):
        return []
    return [value["args"]] if "args" in value else [result for inner in value.values() for result in commands(inner)]


@pytest.mark.parametrize(("provider", "engine"), COMMANDS)
def test_a_command_line_has_the_revision(provider: str, engine: str) -> None:
    written = entry(provider, engine)
    result = commands(rendered(written))
    assert result
    assert all(args[args.index("--revision") + 1] == REVISION for args in result)
    assert adopted_model(written) == ({"id": "org/m", "revision": REVISION}, None)


@pytest.mark.parametrize("fields", [{}, ROLES], ids=["aggregated", "disaggregated"])
def test_ray_serve_has_the_revision_as_text(fields: Any) -> None:
    written = entry("kuberay", "vllm", **fields)
    config = yaml.safe_load(rendered(written)["spec"]["serveConfigV2"])["applications"][0]["args"]
    models = config.get("llm_configs") or list(config.values())
    assert [model["engine_kwargs"]["revision"] for model in models] == [REVISION] * len(models)
    assert adopted_model(written) == ({"id": "org/m", "revision": REVISION}, None)


@pytest.mark.parametrize(
    ("revision", "part"),
    [(REVISION, REVISION), ("v1.0", "v1.0"), ("refs/pr/7", "refs%2Fpr%2F7"), ("main", "main"), (None, "main")],
)
def test_the_address_of_a_gguf_file_has_the_revision(revision: str | None, part: str) -> None:
    model = {"id": "org/m-GGUF", "gguf": {"file": "sub/m.gguf"}} | ({"revision": revision} if revision else {})
    written = {"name": "demo", "model": model}
    ((address, *_),) = commands(rendered(written))
    assert address == f"https://huggingface.co/org/m-GGUF/resolve/{part}/sub/m.gguf"
    result, _ = adopted_model(written)
    assert result.get("revision") == (None if revision == "main" else revision)


def test_a_built_image_is_of_its_revision() -> None:
    model = {"id": "org/m-GGUF", "gguf": {"file": "m.gguf", "build": True}}
    settings = StackSettings.model_validate({"registry": {"managed": {"nodeCidrs": ["10.0.0.0/16"]}}})
    images = {
        revision: plan_image(spec(model=model | ({"revision": revision} if revision else {})), settings)
        for revision in (None, "v1", "v2")
    }
    references = {image.push for image in images.values() if image}
    assert len(references) == 3
    sources = {revision: image.inputs.source for revision, image in images.items() if image}
    assert sources == {
        None: "huggingface://org/m-GGUF/m.gguf",
        "v1": "https://huggingface.co/org/m-GGUF/resolve/v1/m.gguf",
        "v2": "https://huggingface.co/org/m-GGUF/resolve/v2/m.gguf",
    }


@pytest.mark.parametrize(
    ("written", "output"),
    [
        (entry("kaito", "vllm"), "model.revision: provider kaito can't honour this with engine vllm"),
        ({"name": "demo", "model": {"id": "o/m-GGUF", "revision": "v1"}}, "model.revision: llama.cpp takes a revision"),
        (
            merge_patch(entry("dynamo", "vllm"), {"engine": {"args": {"revision": "v2"}}}),
            "engine.args.revision: model.revision sets --revision already; give it once",
        ),
    ],
)
def test_a_revision_that_can_t_be_honoured_is_refused(written: dict[str, Any], output: str) -> None:
    with pytest.raises(InputError) as raised:
        rendered(written)
    assert [str(problem)[: len(output)] for problem in raised.value.problems] == [output]


def test_llama_cpp_does_not_stream_from_an_object_store() -> None:
    with pytest.raises(InputError, match=r"model\.id: 's3://bucket/m' given, but llama\.cpp fetches only from"):
        rendered({"name": "demo", "model": {"id": "s3://bucket/m"}})


def test_llama_cpp_takes_a_file_for_a_quantisation() -> None:
    with pytest.raises(InputError, match="write o/m-GGUF, and the file of Q8_0 as"):
        rendered({"name": "demo", "model": {"id": "o/m-GGUF:Q8_0"}})


@pytest.mark.parametrize(
    ("engine", "field"),
    [
        ({"args": {"context_size": "8"}}, "engine.args.context_size"),
        ({"extraArgs": ["--debug", "--context-size=8"]}, "engine.extraArgs[1]"),
        ({"extraArgs": ["--context_size", "8"]}, "engine.extraArgs[0]"),
    ],
)
def test_llama_cpp_gets_the_context_s_length_once(engine: dict[str, Any], field: str) -> None:
    written = {"name": "demo", "model": {"id": "o/m-GGUF"}, "engine": engine | {"contextLength": 4096}}
    with pytest.raises(InputError) as raised:
        rendered(written)
    assert [str(p) for p in raised.value.problems] == [
        f"{field}: engine.contextLength sets --context-size already; give it once"
    ]
