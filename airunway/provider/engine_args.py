"""Engine flags: what the spec's fields mean to vLLM, SGLang and TensorRT-LLM, and how they go together with the user's own.

Flag names: vLLM 0.19 and SGLang 0.5 as started by ai-dynamo 1.1.1; TensorRT-LLM by the flags of ``dynamo.trtllm`` 1.1.1,
whose ``--trtllm.*`` flags reach the engine's own options.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import Problem
from airunway.text.yaml_reading import plain_value

ARGUMENTS = frozenset(
    {
        *("model.id", "model.servedName", "engine.contextLength", "engine.trustRemoteCode", "engine.enablePrefixCaching"),
        *("engine.enforceEager", "engine.args", "engine.extraArgs"),
    }
)
"""The leaves of the spec that become flags here."""


@dataclass(frozen=True)
class Flag:
    """One engine flag; ``value`` is None for a bare one, ``field`` the spec field it comes from, None where it is derived."""

    name: str
    value: Any = None
    field: str | None = None

    @property
    def key(self) -> str:
        """Name under which two spellings of the same flag meet."""
        name = self.name.replace("_", "-")
        return _ALIASES.get(name, name.removeprefix("no-"))


_ALIASES = {"tp": "tensor-parallel-size", "tp-size": "tensor-parallel-size", "model-path": "model"}


def _derived(engine: Engine, spec: ModelDeploymentSpec, gpus: int) -> Iterator[Flag]:
    settings = spec.engine
    model_flag, length_flag = {
        Engine.VLLM: ("model", "max-model-len"),
        Engine.SGLANG: ("model-path", "context-length"),
        Engine.TRTLLM: ("model", "max-seq-len"),
    }[engine]
    yield Flag(model_flag, spec.model.id, "model.id")
    if spec.model.served_name:
        yield Flag("served-model-name", spec.model.served_name, "model.servedName")
    if gpus > 1:
        yield Flag("tensor-parallel-size", gpus)
    if settings.context_length:
        yield Flag(length_flag, settings.context_length, "engine.contextLength")
    bare = {
        Engine.VLLM: ("trust-remote-code", "no-enable-prefix-caching", "enforce-eager"),
        Engine.SGLANG: ("trust-remote-code", "disable-radix-cache", "disable-cuda-graph"),
        Engine.TRTLLM: ("trtllm.trust_remote_code", "trtllm.kv_cache_config.enable_block_reuse", "trtllm.cuda_graph_config"),
    }[engine]
    values: tuple[str | None, ...] = ("true", "false", "null") if engine is Engine.TRTLLM else (None, None, None)
    wanted = (settings.trust_remote_code, not settings.enable_prefix_caching, settings.enforce_eager)
    fields = ("engine.trustRemoteCode", "engine.enablePrefixCaching", "engine.enforceEager")
    for name, value, on, path in zip(bare, values, wanted, fields, strict=True):
        if on:
            yield Flag(name, value, path)


def flags(engine: Engine, spec: ModelDeploymentSpec, gpus: int, *more: Flag) -> tuple[list[Flag], list[Problem]]:
    """All flags in order (the spec's, ``more``, the user's ``engine.args`` by name) and the clashes between them.

    A user's flag replaces a derived one; one that a spec field sets too is a problem.
    """
    own = [*_derived(engine, spec, gpus), *more]
    user = [(Flag(k, v or None), f"engine.args.{k}") for k, v in sorted(spec.engine.args.items())]
    raw = [(Flag(t[2:].split("=", 1)[0]), f"engine.extraArgs[{i}]") for i, t in enumerate(spec.engine.extra_args) if t.startswith("--")]
    problems = []
    for flag, path in [*user, *raw]:
        same = next((f for f in own if f.key == flag.key), None)
        if same is not None and same.field is not None:
            problems.append(Problem(path, f"{same.field} sets --{same.name} already; give it once"))
    replaced = {flag.key for flag, _ in [*user, *raw]}
    return [*(f for f in own if f.key not in replaced), *(flag for flag, _ in user)], problems


def tokens(found: list[Flag], spec: ModelDeploymentSpec) -> list[str]:
    """The flags as command-line arguments, ``engine.extraArgs`` last."""
    words = []
    for flag in found:
        words += [f"--{flag.name}"] if flag.value is None else [f"--{flag.name}", str(flag.value)]
    return words + list(spec.engine.extra_args)


def keyword_arguments(found: list[Flag], spec: ModelDeploymentSpec, provider: str) -> tuple[dict[str, Any], list[Problem]]:
    """The flags as vLLM engine keyword arguments; raw arguments are read as ``--key=value``, ``--key value`` or ``--flag``."""
    problems: list[Problem] = []
    result: dict[str, Any] = {}
    for flag in found:
        result |= _keyword(flag)
    index = 0
    extra = spec.engine.extra_args
    while index < len(extra):
        token = extra[index]
        if not token.startswith("--"):
            wanted = f"{token!r} given; provider {provider} takes --key=value, --key value or --flag"
            problems.append(Problem(f"engine.extraArgs[{index}]", wanted))
            index += 1
            continue
        name, equals, value = token[2:].partition("=")
        if not equals and index + 1 < len(extra) and not extra[index + 1].startswith("--"):
            index, value = index + 1, extra[index + 1]
        result |= _keyword(Flag(name, value or None))
        index += 1
    return result, problems


def _keyword(flag: Flag) -> dict[str, Any]:
    name = flag.name.replace("-", "_")
    if flag.value is None:
        return {name.removeprefix("no_"): False} if name.startswith("no_") else {name: True}
    # A field's text is text; a user's is what vLLM's command line would make of it: JSON, else a number, truth value or text.
    return {name: _read(flag.value) if isinstance(flag.value, str) and flag.field is None else flag.value}


def _read(text: str) -> Any:
    if text.startswith(("{", "[")):
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text)
    return plain_value(text)
