"""Whether a provider can run a deployment, by the capabilities that its InferenceProviderConfig declares."""

from airunway.selection.provider_config import EngineCapability, InferenceProviderConfig
from airunway.spec.model import Engine, ModelDeploymentSpec


def unfit_reason(config: InferenceProviderConfig, spec: ModelDeploymentSpec, engine: Engine) -> str | None:
    """The reason why the provider can't run the spec, or None if it can."""
    capability = config.capability(engine)
    if capability is None:
        return f"does not run {engine} (runs {', '.join(c.name for c in config.spec.capabilities.engines)})"
    return _unfit_compute(capability, spec, engine)


def _unfit_compute(capability: EngineCapability, spec: ModelDeploymentSpec, engine: Engine) -> str | None:
    if spec.serving.mode not in capability.serving_modes:
        return f"does not serve {engine} {spec.serving.mode}"
    if spec.needs_gpu and not capability.gpu_support:
        return f"does not run {engine} on GPU"
    if not spec.needs_gpu and not capability.cpu_support:
        return f"{engine} needs a GPU (set resources.gpu.count)"
    return None


def offered_engines(config: InferenceProviderConfig) -> str:
    """The engines that the provider runs, for messages."""
    return ", ".join(
        f"{c.name} on {_compute(c)} ({'/'.join(c.serving_modes)})" for c in config.spec.capabilities.engines
    )


def _compute(capability: EngineCapability) -> str:
    kinds = [
        name for name, supported in (("GPU", capability.gpu_support), ("CPU", capability.cpu_support)) if supported
    ]
    return " and ".join(kinds) or "nothing"
