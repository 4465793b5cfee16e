"""The KubeAIRunway controller of a cluster."""

from collections.abc import Sequence
from typing import Any, TypedDict

import pulumi

from airunway.planning.await_annotations import FORCE_ANNOTATION
from airunway.planning.controller import PlannedController
from airunway.planning.settings import InstallationMode
from components.children import child_options, retained_options
from components.kubernetes_object import KubernetesObject
from components.secret_object import secret_object


class ControllerArgs(TypedDict):
    """Arguments of ``Controller``."""

    controller: PlannedController
    """The planned controller."""


class Controller(pulumi.ComponentResource):
    """The controller, if the stack installs it, and its InferenceProviderConfigs.

    Namespaces and CRDs are retained when the stack is destroyed: deleting a CRD deletes every object of its kind.
    """

    def __init__(self, name: str, args: ControllerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        planned = args["controller"]
        installation = str(InstallationMode.MANAGED if planned.managed else InstallationMode.EXISTING)
        super().__init__("airunway:index:Controller", name, {"installation": installation}, opts)
        foundation = [KubernetesObject(_resource_name(obj), obj, retained_options(self)) for obj in planned.foundation]
        installed = [self._install_object(obj, foundation) for obj in planned.objects]
        for config in planned.configs:
            KubernetesObject(
                _resource_name(config),
                _with_forced_ownership(config),
                child_options(self, depends_on=[*foundation, *installed]),
            )
        self.register_outputs({"installation": installation})

    def _install_object(self, obj: dict[str, Any], depends_on: Sequence[pulumi.Resource]) -> KubernetesObject:
        if obj["kind"] == "Secret":
            return secret_object(self, _resource_name(obj), _with_secret_data(obj), depends_on, secrets=())
        return KubernetesObject(_resource_name(obj), obj, child_options(self, depends_on=depends_on))


def _resource_name(obj: dict[str, Any]) -> str:
    """Name a resource with its namespace, as objects in different namespaces may share a name."""
    metadata = obj["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def _with_secret_data(obj: dict[str, Any]) -> dict[str, Any]:
    """Mark the data of the Secret ``obj`` as secret."""
    return {k: pulumi.Output.secret(v) if k in ("data", "stringData") else v for k, v in obj.items()}


def _with_forced_ownership(config: dict[str, Any]) -> dict[str, Any]:
    """Let ``config`` override the fields that a provider shim wrote when it started."""
    metadata = config["metadata"]
    return config | {"metadata": metadata | {"annotations": metadata.get("annotations", {}) | FORCE_ANNOTATION}}
