"""What shows in the graph: the components, and the only code that creates resources."""

from components.inference_provider import InferenceProvider
from components.kubernetes_object import KubernetesObject
from components.model_deployment import ModelDeployment
from components.platform import Platform

__all__ = ["InferenceProvider", "KubernetesObject", "ModelDeployment", "Platform"]
