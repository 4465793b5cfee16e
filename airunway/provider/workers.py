"""The workers of a deployment, by role, and the models that they can run."""

from dataclasses import dataclass

from airunway.provider.parallelism import Devices
from airunway.provider.supported_fields import Refusals
from airunway.spec.model import ComponentScaling, Gpu, ModelDeploymentSpec, Source

ANY_ROLE = ""
"""The role of the workers of an aggregated deployment."""


@dataclass(frozen=True)
class Workers:
    """The number of workers of one role, and the resources of each."""

    replicas: int
    gpu: Gpu
    memory: str | None
    gpu_field: str = "resources.gpu.count"

    def devices(self, nodes: int = 1) -> Devices:
        """The GPUs of one worker that runs on ``nodes``."""
        return Devices(self.gpu.count, self.gpu_field, nodes)


def workers_by_role(spec: ModelDeploymentSpec) -> dict[str, Workers]:
    """The workers by role: prefill and decode for a disaggregated deployment, else ``ANY_ROLE``."""
    scaling, resources = spec.scaling, spec.resources
    if spec.disaggregated:
        parts = {"prefill": scaling.prefill or ComponentScaling(), "decode": scaling.decode or ComponentScaling()}
        return {
            role: Workers(
                part.replicas, part.gpu or Gpu(), part.memory or resources.memory, f"scaling.{role}.gpu.count"
            )
            for role, part in parts.items()
        }
    return {ANY_ROLE: Workers(scaling.replicas, resources.gpu or Gpu(), resources.memory)}


def refuse_unknown_models(refusals: Refusals, spec: ModelDeploymentSpec, consumer: str) -> None:
    """Refuse a source or a missing id from which ``consumer`` could not load a safetensors model."""
    refusals.refuse(spec.model.source is Source.AIKIT, "model.source", "AIKit images are for engine llamacpp")
    refusals.refuse(spec.model.id is None, "model.id", f"{consumer} needs an id or a path inside the image")
