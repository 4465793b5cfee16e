"""Runs in another interpreter: the parser of a program that serves a model, driven by lines of JSON.

The program is the first argument: ``vllm`` for ``vllm serve``, ``dynamo.vllm``, ``dynamo.sglang`` or ``dynamo.trtllm``.
The first line of output lists the flags that its parsers define. Each line of input is a command line, and the reply
is what it parses to, or the error.

No GPU is needed, and no model is fetched. What the real parsers need beyond arguments is replaced:
- ``vllm``, ``dynamo.vllm``: the platform is CPU, since vLLM refuses to guess one without a device; the parser of a
  release is the same on all platforms.
- ``dynamo.sglang``: the model is not fetched, and the parsed namespace stands for ``ServerArgs``, whose constructor
  reads the model's configuration.
- ``dynamo.trtllm``: TensorRT-LLM is not installed; of it the parser takes four defaults only, which a stub gives.
"""

import argparse
import asyncio
import contextlib
import io
import json
import sys
import types
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import version
from typing import Any

KINDS = {0: "switches", None: "values", "?": "optional", "+": "lists", "*": "lists"}
Parse = Callable[[list[str]], dict[str, Any]]


def prepare_serve() -> tuple[list[argparse.ArgumentParser], Parse]:
    use_cpu()
    parsers = import_module("vllm.utils.argparse_utils")
    root = parsers.FlexibleArgumentParser(prog="vllm")
    command = import_module("vllm.entrypoints.cli.serve").ServeSubcommand()
    serve = command.subparser_init(root.add_subparsers(required=True, dest="subparser"))

    def parse(words: list[str]) -> dict[str, Any]:
        parsed = root.parse_args(["serve", *words])
        command.validate(parsed)
        return {key: value for key, value in vars(parsed).items() if key not in ("dispatch_function", "subparser")}

    return [serve], parse


def use_cpu() -> None:
    platforms: Any = import_module("vllm.platforms")
    platforms.current_platform = import_module("vllm.platforms.cpu").CpuPlatform()


def prepare_vllm() -> tuple[list[argparse.ArgumentParser], Parse]:
    use_cpu()
    module: Any = import_module("dynamo.vllm.args")
    engine = module.FlexibleArgumentParser(add_help=False)
    module.AsyncEngineArgs.add_cli_args(engine, async_args_only=False)

    def parse(words: list[str]) -> dict[str, Any]:
        config = module.parse_args(words)
        engine_args: dict[str, Any] = vars(config.engine_args)
        return engine_args | {k: v for k, v in vars(config).items() if k != "engine_args"}

    return [own_parser("vllm", "DynamoVllmArgGroup"), engine], parse


def prepare_sglang() -> tuple[list[argparse.ArgumentParser], Parse]:
    module: Any = import_module("dynamo.sglang.args")
    engine = argparse.ArgumentParser(add_help=False)
    module.ServerArgs.add_cli_args(engine)
    module.add_sglang_cli_compat(engine)

    async def fetch_model(path: str) -> str:
        return path

    module.fetch_model = fetch_model
    module.ServerArgs.from_cli_args = staticmethod(lambda parsed: parsed)

    def parse(words: list[str]) -> dict[str, Any]:
        config = asyncio.run(module.parse_args(words))
        return {**vars(config.server_args), **vars(config.dynamo_args)}

    return [own_parser("sglang", "DynamoSGLangArgGroup"), engine], parse


def prepare_trtllm() -> tuple[list[argparse.ArgumentParser], Parse]:
    defaults = {"max_batch_size": 2048, "max_num_tokens": 8192, "max_seq_len": None, "max_beam_width": 1}
    fields = {name: types.SimpleNamespace(default=value) for name, value in defaults.items()}
    llmapi = types.ModuleType("tensorrt_llm.llmapi")
    llmapi.BuildConfig = types.SimpleNamespace(model_fields=fields)  # type: ignore[attr-defined]
    sys.modules |= {"tensorrt_llm": types.ModuleType("tensorrt_llm"), "tensorrt_llm.llmapi": llmapi}
    module: Any = import_module("dynamo.trtllm.args")

    def parse(words: list[str]) -> dict[str, Any]:
        config: dict[str, Any] = vars(module.parse_args(words))
        return config | {"override_engine_args": json.loads(config["override_engine_args"] or "{}")}

    return [own_parser("trtllm", "DynamoTrtllmArgGroup")], parse


def own_parser(engine: str, group: str) -> argparse.ArgumentParser:
    """The flags that Dynamo itself gives the worker of an engine."""
    router = import_module("dynamo.common.configuration.groups.router_args")
    runtime = import_module("dynamo.common.configuration.groups.runtime_args")
    parser = argparse.ArgumentParser(add_help=False)
    runtime.DynamoRuntimeArgGroup().add_arguments(parser)
    getattr(import_module(f"dynamo.{engine}.backend_args"), group)().add_arguments(parser)
    router.add_worker_router_arguments(parser)
    return parser


def flags_of(parsers: Iterable[argparse.ArgumentParser]) -> dict[str, list[str]]:
    """The long flags by what they take; ``repeated`` are those that may be given several times."""
    result: dict[str, set[str]] = {kind: set() for kind in (*KINDS.values(), "repeated")}
    for parser in parsers:
        for action in parser._actions:
            names = {name[2:] for name in action.option_strings if name.startswith("--")} - {"help", "version"}
            result[KINDS.get(action.nargs, "lists")] |= names
            if isinstance(action, argparse._AppendAction | argparse._ExtendAction):
                result["repeated"] |= names
    return {kind: sorted(names) for kind, names in result.items()}


def reply_to(parse: Parse, words: list[str]) -> dict[str, Any]:
    """What the words parse to, or the error."""
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            return parse(words)
    except (SystemExit, Exception) as error:
        return {"error": f"{output.getvalue()}{error!r}"}


PROGRAMS = {
    "vllm": (prepare_serve, {"release": "vllm"}),
    "dynamo.vllm": (prepare_vllm, {"release": "ai-dynamo", "engine": "vllm"}),
    "dynamo.sglang": (prepare_sglang, {"release": "ai-dynamo", "engine": "sglang"}),
    "dynamo.trtllm": (prepare_trtllm, {"release": "ai-dynamo"}),
}


def main() -> None:
    prepare, packages = PROGRAMS[sys.argv[1]]
    with contextlib.redirect_stdout(sys.stderr):
        parsers, parse = prepare()
    versions = {key: version(package) for key, package in packages.items()}
    print(json.dumps(versions | flags_of(parsers)), flush=True)
    for line in sys.stdin:
        print(json.dumps(reply_to(parse, json.loads(line)), default=str), flush=True)


if __name__ == "__main__":
    main()
