"""The engine of a deployment that names none."""

from collections.abc import Iterable

from airunway.selection.capabilities import offered_engines, unfit_reason
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import InputError, Problem

PREFERENCE = (Engine.VLLM, Engine.SGLANG, Engine.TRTLLM, Engine.LLAMACPP)
"""The engines, most preferred first. On CPU the built-in providers leave only llama.cpp."""


def default_engine(spec: ModelDeploymentSpec, pool: Iterable[InferenceProviderConfig]) -> Engine:
    """The first engine that can run ``spec`` on one of ``pool``; a GGUF model's is llama.cpp. Raises ``InputError``."""
    configs = list(pool)
    for engine in (Engine.LLAMACPP,) if spec.is_gguf else PREFERENCE:
        if any(unfit_reason(config, spec, engine) is None for config in configs):
            return engine
    compute = "GPU" if spec.needs_gpu else "CPU"
    offers = "; ".join(f"{c.name} runs {offered_engines(c)}" for c in configs) or "no provider is configured"
    only = f"; a GGUF model runs with {Engine.LLAMACPP} only, unless engine.type says otherwise" if spec.is_gguf else ""
    raise InputError([Problem("engine.type", f"no engine fits {compute}, {spec.serving.mode} serving: {offers}{only}")])
