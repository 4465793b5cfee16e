"""One model, served by whichever provider the selection rules pick."""

from typing import Any, TypedDict

import pulumi

from airunway.planning.deployment import PlannedDeployment
from components.children import child_options
from components.kubernetes_object import FORCE, KubernetesObject
from components.platform import Platform


class ModelDeploymentArgs(TypedDict):
    """Arguments of ``ModelDeployment``."""

    planned: PlannedDeployment
    """The deployment, decided and rendered by ``providers.plan``."""

    platform: Platform
    """What the cluster shares."""


class ModelDeployment(pulumi.ComponentResource):
    """One model, served by whichever provider the selection rules pick.

    It decides nothing: provider, engine and objects are in the plan, so that a preview shows them all.
    """

    provider: pulumi.Output[str]
    """Inference provider."""

    selected_reason: pulumi.Output[str]
    """``explicit``, or the rule that decided with its priority."""

    engine: pulumi.Output[str]
    """Inference engine."""

    endpoint: pulumi.Output[str]
    """OpenAI-compatible base URL inside the cluster."""

    def __init__(self, name: str, args: ModelDeploymentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        planned = args["planned"]
        outputs = outputs_of(planned)
        super().__init__("airunway:index:ModelDeployment", name, outputs, opts)
        rendered = planned.rendered
        needs = args["platform"].needs(planned)
        # A changed ConfigMap has another name, so its forerunner must not be protected.
        supporting = [
            KubernetesObject(obj["metadata"]["name"], obj, child_options(self, depends_on=needs, protect=False))
            for obj in rendered.supporting
        ]
        options = child_options(
            self,
            depends_on=[*needs, *supporting],
            timeout=planned.ready_timeout,
            on_error=args["platform"].on_failure,
            replace_on_changes=rendered.immutable,
            # The new object has the old one's name.
            delete_before_replace=True if rendered.immutable else None,
        )
        KubernetesObject(planned.name, _awaited(planned), options)
        self.provider = pulumi.Output.from_input(outputs["provider"])
        self.selected_reason = pulumi.Output.from_input(outputs["selectedReason"])
        self.engine = pulumi.Output.from_input(outputs["engine"])
        self.endpoint = pulumi.Output.from_input(outputs["endpoint"])
        self.register_outputs(outputs)


def outputs_of(planned: PlannedDeployment) -> dict[str, Any]:
    """What a deployment puts out, all of it known before anything runs."""
    deployment, resource = planned.request, planned.rendered.resource
    return {
        "provider": deployment.selection.provider,
        "selectedReason": deployment.selection.reason,
        "engine": str(deployment.selection.engine),
        "endpoint": planned.rendered.endpoint.url(deployment.namespace),
        "resource": {
            "apiVersion": resource["apiVersion"],
            "kind": resource["kind"],
            "namespace": deployment.namespace,
            "name": resource["metadata"]["name"],
        },
    }


def _awaited(planned: PlannedDeployment) -> dict[str, Any]:
    """The upstream object with the annotations that tell Pulumi what to wait for, and whether to win over other writers."""
    manifest = planned.rendered.resource
    wait = {"pulumi.com/skipAwait": "true"} if planned.skip_await else {"pulumi.com/waitFor": planned.rendered.wait_for}
    return manifest | {"metadata": manifest["metadata"] | {"annotations": wait | (FORCE if planned.take_over else {})}}
