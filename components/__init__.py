"""What shows in the graph: the components, and the only code that creates resources."""

from components.image_builder import ImageBuilder, ModelImage
from components.image_registry import ImageRegistry
from components.inference_provider import InferenceProvider
from components.kubernetes_object import KubernetesObject
from components.model_deployment import ModelDeployment
from components.platform import Platform

__all__ = ["ImageBuilder", "ImageRegistry", "InferenceProvider", "KubernetesObject", "ModelDeployment", "ModelImage", "Platform"]
