"""The workers of a deployment, all alike or divided by their roles, and which models they can run."""

from dataclasses import dataclass

from airunway.provider.honoured import Refusals
from airunway.spec.model import ComponentScaling, Gpu, ModelDeploymentSpec, Source

ALIKE = ""
"""The role of workers that are all alike."""


@dataclass(frozen=True)
class Workers:
    """The workers of one role: how many, and what each of them has."""

    replicas: int
    gpu: Gpu
    memory: str | None


def workers_of(spec: ModelDeploymentSpec) -> dict[str, Workers]:
    """The workers by role: prefill and decode of a disaggregated deployment, else ``ALIKE``."""
    scaling, resources = spec.scaling, spec.resources
    if spec.disaggregated:
        parts = {"prefill": scaling.prefill or ComponentScaling(), "decode": scaling.decode or ComponentScaling()}
        return {
            role: Workers(part.replicas, part.gpu or Gpu(), part.memory or resources.memory)
            for role, part in parts.items()
        }
    return {ALIKE: Workers(scaling.replicas, resources.gpu or Gpu(), resources.memory)}


def refuse_unknown_models(refusals: Refusals, spec: ModelDeploymentSpec, who: str) -> None:
    """Refuse what tells an engine of safetensors no model; ``who`` is who would need one."""
    refusals.refuse(spec.model.source is Source.AIKIT, "model.source", "AIKit images are for engine llamacpp")
    refusals.refuse(spec.model.id is None, "model.id", f"{who} needs an id or a path inside the image")
