"""Stacks that build an image from a GGUF file, and what is planned for them."""

from typing import Any

from airunway.planning.files import Files
from airunway.planning.image_build import PlannedImage
from airunway.planning.plan import Plan, parse_settings, plan_stack
from providers import PROVIDERS

MANAGED = {"managed": {"nodeCidrs": ["10.0.0.0/16"]}}
EXISTING = {"existing": {"host": "registry.internal/ml", "pullHost": "mirror.internal/ml", "username": "ci"}}
BUILT = {"name": "a", "model": {"id": "Qwen/Qwen3-0.6B-GGUF", "gguf": {"file": "Qwen3-0.6B-Q8_0.gguf", "build": True}}}


def stack(*deployments: Any, has_password: bool = False, **settings: Any) -> Plan:
    """The plan of a stack with a registry in the cluster, unless ``settings`` say otherwise."""
    raw = {"cluster": {"context": "x"}, "registry": MANAGED, "deployments": list(deployments)} | settings
    return plan_stack(parse_settings(raw), Files(), PROVIDERS, has_password=has_password)


def planned_image(**settings: Any) -> PlannedImage:
    """The image that the one deployment ``BUILT`` needs."""
    (built,) = stack(BUILT, **settings).images
    return built


def container(plan: Plan) -> Any:
    """The container of the first deployment's Workspace."""
    return plan.deployments[0].rendered.resource["inference"]["template"]["spec"]["containers"][0]
