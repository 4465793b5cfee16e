"""Runs in an interpreter with ``ray[serve,llm]``: what it makes of its configuration, driven by lines of JSON.

The first line of output lists the keyword arguments of the engine, and Ray Serve's own settings. Each line of input is
the arguments of an application, and the reply is what each model's engine is given, or the error.

No cluster, GPU or model is needed: the models' configurations are validated and become the engine's arguments, with
the platform CPU, since vLLM refuses to guess one without a device.
"""

import contextlib
import dataclasses
import io
import json
import sys
import typing
from enum import Enum
from importlib import import_module
from importlib.metadata import version
from typing import Any


def is_text(hint: Any) -> bool:
    """Whether a value of this type is text, and nothing that YAML or JSON could write otherwise."""
    origin, arguments = typing.get_origin(hint), [a for a in typing.get_args(hint) if a is not type(None)]
    if origin is typing.Literal:
        return all(isinstance(argument, str) for argument in arguments)
    if origin is typing.Annotated:
        return is_text(arguments[0])
    if origin is not None:
        return origin not in (list, dict, tuple, set, type) and bool(arguments) and all(map(is_text, arguments))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return all(isinstance(member.value, str) for member in hint)
    return isinstance(hint, type) and issubclass(hint, str)


def header(vllm_arguments: type, frontend: type, serve: Any, deployment: Any) -> dict[str, Any]:
    hints = {field.name: field.type for group in (frontend, vllm_arguments) for field in dataclasses.fields(group)}
    flags = {name.replace("_", "-"): hint for name, hint in hints.items() if name[0] != "_"}
    settings = {*serve.model_fields, *deployment.model_fields, "ray_actor_options"} - {"engine_kwargs"}
    return {
        "release": version("ray"),
        "engine": version("vllm"),
        "texts": sorted(name for name, hint in flags.items() if is_text(hint)),
        "others": sorted(name for name, hint in flags.items() if not is_text(hint)),
        "serve": sorted(name.replace("_", "-") for name in settings if name not in hints),
    }


def main() -> None:
    with contextlib.redirect_stdout(sys.stderr):
        platforms: Any = import_module("vllm.platforms")
        platforms.current_platform = import_module("vllm.platforms.cpu").CpuPlatform()
        internal = "ray.llm._internal.serve"
        models = import_module(f"{internal}.engines.vllm.vllm_models")
        engine = import_module(f"{internal}.engines.vllm.vllm_engine")
        llm = import_module("ray.serve.llm")
        decode = import_module(f"{internal}.serving_patterns.prefill_decode.builder")
        deployment = import_module("ray.serve._private.config").DeploymentConfig

    def parse(arguments: dict[str, Any]) -> list[dict[str, Any]]:
        if "llm_configs" in arguments:
            configs = llm.LLMServingArgs.model_validate(arguments).llm_configs
        else:
            pair = decode.PDServingArgs.model_validate(arguments)
            configs = [pair.prefill_config, pair.decode_config]
        return [engine_arguments(config.get_engine_config()) for config in configs]

    def engine_arguments(config: Any) -> dict[str, Any]:
        keywords = engine._normalize_vllm_engine_kwargs(config.get_initialization_kwargs())
        frontend = models.FrontendArgs(**config.frontend_kwargs)
        result: dict[str, Any] = vars(models.AsyncEngineArgs(**keywords)) | vars(frontend)
        return result | {"num_devices": config.num_devices, "placement_bundles": config.placement_bundles}

    print(json.dumps(header(models.AsyncEngineArgs, models.FrontendArgs, llm.LLMConfig, deployment)), flush=True)
    for line in sys.stdin:
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                reply: Any = parse(json.loads(line))
        except Exception as error:
            reply = {"error": f"{error!r}"}
        print(json.dumps(reply, default=str), flush=True)


if __name__ == "__main__":
    main()
