"""One model, served by whichever provider the selection rules pick."""

from collections.abc import Mapping
from typing import Any

import pulumi

from airunway.assessment.cost import Cost
from airunway.planning.await_annotations import supporting_objects, with_await_annotations
from airunway.planning.catalog import provider_configs
from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_entry
from airunway.planning.files import Files
from airunway.planning.policy_input import POLICY_INPUT, policy_input
from airunway.planning.settings import StackSettings
from airunway.program.plan_collector import is_collected
from airunway.program.plan_outputs import with_built_image
from airunway.program.type_token import MODEL_DEPLOYMENT
from airunway.spec.entry import DeploymentEntry
from airunway.text.problems import InputError
from components.arguments import ArgumentError, Arguments, plan_deployments, read_arguments
from components.children import child_options, ignored_claim_fields, retained_options
from components.failure import failure_hook
from components.kubernetes_object import KubernetesObject, other_version
from components.model_platform import Platform
from components.rollout import Rollout, all_served
from components.spec_types import ModelDeploymentArgs
from providers import PROVIDERS


class ModelDeployment(pulumi.ComponentResource):
    """One model, served by whichever inference provider the selection rules pick when it is planned.

    Namespace, operator and token Secret must exist, unless a ``Platform`` or ``ModelServing`` creates them.
    """

    provider: pulumi.Output[str]
    """Inference provider."""

    selected_reason: pulumi.Output[str]
    """``explicit``, or the matching rule with its priority."""

    engine: pulumi.Output[str]
    """Inference engine."""

    endpoint: pulumi.Output[str]
    """OpenAI-compatible base URL inside the cluster."""

    resource: pulumi.Output[dict[str, str]]
    """The upstream object: ``apiVersion``, ``kind``, ``namespace`` and ``name``."""

    def __init__(
        self,
        name: str,
        args: ModelDeploymentArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        platform: Platform | None = None,
        plan: PlannedDeployment | None = None,
        cost: Cost | None = None,
    ) -> None:
        """Plan the deployment, unless ``plan`` is given, and create its objects.

        Whoever gives ``plan`` waits for ``rollout_failures`` too; ``cost`` is told to policy packs. Raises
        ``ArgumentError`` with all problems.
        """
        arguments = Arguments() if plan else read_arguments(args, DeploymentEntry)
        is_alone = plan is None
        plan = plan or _plan(name, arguments, platform.target if platform else default_target())
        for warning in plan.warnings if not platform or platform.plan is None else ():
            pulumi.log.warn(f"{name}: {warning}")
        outputs = outputs_of(plan)
        # Not an input, so no step shows it; a preview without an engine has no policy pack to tell.
        for_policies = {} if is_collected() else {POLICY_INPUT: policy_input(plan, cost)}
        self.rollout_failures: list[pulumi.Output[str]] = []
        super().__init__(MODEL_DEPLOYMENT, name, outputs, opts)
        dependencies = [*(platform.dependencies(plan) if platform else ()), *arguments.resources]
        if platform and plan.image:
            plan = with_built_image(plan, plan.image.pull, platform.image_reference(plan.image))
        on_failure = platform.on_failure if platform else failure_hook(None, f"airunway-failure-{name}")
        cluster = platform.cluster if platform else None
        rollout = Rollout(cluster, plan) if cluster and not plan.skip_await else None
        resource = self._create(plan, dependencies, on_failure, rollout)
        if rollout and not pulumi.runtime.is_dry_run():
            self.rollout_failures = [rollout.failure_of(resource)]
        if is_alone and self.rollout_failures:
            all_served(self.rollout_failures)
        self.provider = pulumi.Output.from_input(outputs["provider"])
        self.selected_reason = pulumi.Output.from_input(outputs["selectedReason"])
        self.engine = pulumi.Output.from_input(outputs["engine"])
        self.endpoint = pulumi.Output.from_input(outputs["endpoint"])
        reference: dict[str, str] = outputs["resource"]
        self.resource = self.endpoint.apply(lambda _: reference)  # from_input would create an Output for each value
        self.register_outputs(outputs | for_policies)

    def _create(
        self,
        plan: PlannedDeployment,
        dependencies: list[pulumi.Resource],
        on_failure: pulumi.ErrorHook,
        rollout: Rollout | None,
    ) -> KubernetesObject:
        rendered = plan.rendered
        # A changed ConfigMap gets a new name, so the old one must not be protected.
        children = [
            KubernetesObject(
                obj["metadata"]["name"],
                obj,
                self._claim_options(obj, dependencies, on_failure)
                if obj["kind"] == "PersistentVolumeClaim" and obj["metadata"]["name"] in rendered.retained
                else child_options(
                    self,
                    depends_on=dependencies,
                    protect=False if obj["kind"] == "ConfigMap" else None,
                    ignore_changes=ignored_claim_fields(obj),
                ),
            )
            for obj in supporting_objects(plan)
        ]
        options = child_options(
            self,
            depends_on=[*dependencies, *children],
            timeout=plan.ready_timeout,
            on_error=on_failure,
            after_update=rollout.hook if rollout else None,
            replace_on_changes=rendered.replace_on_changes,
            replacement_trigger=rendered.replacement_trigger,
            aliases=[other_version(rendered.resource, version) for version in rendered.other_api_versions],
            # The new object has the old one's name.
            delete_before_replace=True if rendered.replace_on_changes else None,
        )
        return KubernetesObject(plan.name, with_await_annotations(plan), options)

    def _claim_options(
        self, claim: Mapping[str, Any], dependencies: list[pulumi.Resource], on_failure: pulumi.ErrorHook
    ) -> pulumi.ResourceOptions:
        """Return the options of a claim that is retained; only a class that is left out may be the cluster's."""
        ignored = () if "storageClassName" in claim["spec"] else ignored_claim_fields(claim)
        return retained_options(self, dependencies, ignored, on_failure)


def default_target() -> PlanContext:
    """Return the target of a deployment without a platform: built-in providers and default settings."""
    settings = StackSettings()
    return PlanContext(PROVIDERS, provider_configs(settings, Files(), PROVIDERS), settings)


def outputs_of(plan: PlannedDeployment) -> dict[str, Any]:
    """Return a deployment's outputs, which are all known at plan time."""
    request, resource = plan.request, plan.rendered.resource
    return {
        "provider": request.selection.provider,
        "selectedReason": request.selection.reason,
        "engine": str(request.selection.engine),
        "endpoint": plan.rendered.endpoint.url(request.namespace),
        "resource": {
            "apiVersion": resource["apiVersion"],
            "kind": resource["kind"],
            "namespace": request.namespace,
            "name": resource["metadata"]["name"],
        },
    }


def _plan(name: str, args: Arguments, target: PlanContext) -> PlannedDeployment:
    args.data = {"name": name} | args.data
    try:
        (plan,) = plan_deployments(args, lambda data: [plan_entry(data, target)])
    except InputError as error:
        raise ArgumentError(name, error) from error
    return plan
