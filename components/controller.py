"""The KubeAIRunway controller of a cluster."""

from collections.abc import Sequence
from typing import Any, TypedDict

import pulumi

from airunway.planning.await_annotations import FORCE_ANNOTATION
from airunway.planning.controller import PlannedController
from airunway.planning.settings import InstallationMode
from components.children import child_options, kept_options
from components.kubernetes_object import KubernetesObject
from components.secret_object import secret_object


class ControllerArgs(TypedDict):
    """Arguments of ``Controller``."""

    controller: PlannedController
    """The controller, as planned."""


class Controller(pulumi.ComponentResource):
    """Installation of the controller, where the stack has it, and the InferenceProviderConfigs that it decides by.

    Namespaces and CRDs stay when the stack goes: with a CRD, every object of its kind would go.
    """

    def __init__(self, name: str, args: ControllerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        planned = args["controller"]
        installation = str(InstallationMode.MANAGED if planned.managed else InstallationMode.EXISTING)
        super().__init__("airunway:index:Controller", name, {"installation": installation}, opts)
        foundation = [KubernetesObject(_name(obj), obj, kept_options(self)) for obj in planned.foundation]
        installed = [self._installed(obj, foundation) for obj in planned.objects]
        for config in planned.configs:
            KubernetesObject(_name(config), _owned(config), child_options(self, depends_on=[*foundation, *installed]))
        self.register_outputs({"installation": installation})

    def _installed(self, obj: dict[str, Any], needs: Sequence[pulumi.Resource]) -> KubernetesObject:
        if obj["kind"] == "Secret":
            return secret_object(self, _name(obj), _guarded(obj), needs, secrets=())
        return KubernetesObject(_name(obj), obj, child_options(self, depends_on=needs))


def _name(obj: dict[str, Any]) -> str:
    """Several objects of one kind may have one name, in different namespaces."""
    metadata = obj["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def _guarded(obj: dict[str, Any]) -> dict[str, Any]:
    """The Secret ``obj`` with what it holds as a secret."""
    return {k: pulumi.Output.secret(v) if k in ("data", "stringData") else v for k, v in obj.items()}


def _owned(config: dict[str, Any]) -> dict[str, Any]:
    """``config`` so that it wins over the fields that a provider shim wrote when it started."""
    metadata = config["metadata"]
    return config | {"metadata": metadata | {"annotations": metadata.get("annotations", {}) | FORCE_ANNOTATION}}
