"""Pulumi component resources that serve models. Only they and ``__main__.py`` create resources."""

from components.arguments import ArgumentError
from components.model_deployment import ModelDeployment
from components.model_platform import Platform
from components.model_serving import ModelServing
from components.settings_types import Deployment, ModelServingArgs, PlatformArgs
from components.spec_types import ModelDeploymentArgs

__all__ = [
    "ArgumentError",
    "Deployment",
    "ModelDeployment",
    "ModelDeploymentArgs",
    "ModelServing",
    "ModelServingArgs",
    "Platform",
    "PlatformArgs",
]
