"""All models that a cluster serves, and their shared resources."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi

from airunway.assessment.assessment import Assessment
from airunway.assessment.finding import Severity
from airunway.planning.assess import assess
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.files import Files
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.planning.settings import PASSWORD_SETTING, SECRET_SETTINGS, TOKEN_SETTING, StackSettings
from airunway.program.plan_collector import is_collected, report_plan
from airunway.program.plan_outputs import plan_with_outputs
from airunway.program.stack_assessment import assess_stack
from airunway.spec.entry import DeploymentEntry
from airunway.text.problems import InputError
from components.arguments import ArgumentError, plan_deployments, read_arguments
from components.cluster import cluster_provider
from components.last_update import last_update
from components.model_deployment import ModelDeployment, outputs_of
from components.model_platform import SECRET_ARGUMENTS, Platform, secrets_of
from components.rollout import all_served
from components.settings_types import ModelServingArgs
from providers import PROVIDERS


class ModelServing(pulumi.ComponentResource):
    """All models that a cluster serves: operators, namespaces, token Secrets, image builds and each deployment.

    A stack has one, as it has one cluster.
    """

    deployments: pulumi.Output[dict[str, Any]]
    """Outputs of each deployment: ``provider``, ``selectedReason``, ``engine``, ``endpoint`` and ``resource``."""

    def __init__(self, name: str, args: ModelServingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Plan and create everything. Without ``cluster``, use the Kubernetes provider of ``opts`` or the parent.

        Raises ``ArgumentError`` with all problems of ``args``.
        """
        super().__init__("airunway:index:ModelServing", name, {}, opts)
        provider = None if args.get("cluster") else self.get_provider("kubernetes:core/v1:Namespace")
        plan, resources = _plan(name, args, has_kubernetes_provider=provider is not None)
        assessment = _heed(assess(plan))
        options = pulumi.ResourceOptions(parent=self, depends_on=list(resources))
        outputs, served = _create(plan, secrets_of(args), options, provider, assessment)
        # Where the component runs in a plugin, nothing but its outputs is waited for.
        self.deployments = served.apply(lambda _: outputs)
        self.register_outputs({"deployments": outputs})


def serve(
    plan: Plan,
    secrets: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions | None = None,
    provider: pulumi.ProviderResource | None = None,
) -> dict[str, dict[str, Any]]:
    """Create everything that ``plan`` needs below the parent in ``opts``; return each deployment's outputs by name.

    ``secrets`` are the stack's secrets by setting, or by their placeholders in the plan. Without ``provider``, one is
    created for the cluster in the settings. Raises ``pulumi.RunError`` if the stack was deployed to a different
    cluster, or if the plan's assessment has a mandatory finding. The program ends when every change serves.
    """
    is_assessed_later = is_collected()
    assessment = Assessment() if is_assessed_later else _heed(assess_stack(Path.cwd(), pulumi.get_stack(), plan))
    return _create(plan, secrets, opts, provider, assessment)[0]


def _heed(assessment: Assessment) -> Assessment:
    """Warn of what an assessment advises, and return it. Raises ``pulumi.RunError`` if it stops an update."""
    for finding in assessment.findings:
        if finding.severity is Severity.ADVISORY:
            pulumi.log.warn(str(finding))
    if assessment.mandatory:
        raise pulumi.RunError("\n".join(map(str, assessment.mandatory)))
    return assessment


def _create(
    plan: Plan,
    secrets: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions | None,
    provider: pulumi.ProviderResource | None,
    assessment: Assessment,
) -> tuple[dict[str, dict[str, Any]], pulumi.Output[None]]:
    """Create everything; return each deployment's outputs, and an output that is there when every change serves."""
    report_plan(plan)
    if not is_collected():
        for warning in plan.warnings:
            pulumi.log.warn(warning)
    opts = opts or pulumi.ResourceOptions()
    previous_update = last_update()
    provider = provider or cluster_provider(plan.settings.cluster, previous_update, opts.parent)
    options = pulumi.ResourceOptions(
        parent=opts.parent,
        depends_on=opts.depends_on,
        providers={"kubernetes": provider},
        protect=plan.settings.protect or None,
    )
    plan = plan_with_outputs(plan, {text: secret for text, secret in secrets.items() if text not in SECRET_SETTINGS})
    platform = Platform("platform", {}, options, plan=plan, secrets=secrets, previous_update=previous_update)
    costs = {deployment.name: deployment.cost for deployment in assessment.deployments}
    components = [
        ModelDeployment(
            deployment.name,
            {},  # type: ignore[typeddict-item]
            options,
            platform=platform,
            plan=deployment,
            cost=costs.get(deployment.name),
        )
        for deployment in plan.deployments
    ]
    served = all_served([failure for component in components for failure in component.rollout_failures])
    return {deployment.name: outputs_of(deployment) for deployment in plan.deployments}, served


class _Stack(StackSettings):
    """A stack's settings with typed entries, to read arguments; they are validated later."""

    deployments: list[DeploymentEntry]


def _plan(name: str, args: ModelServingArgs, *, has_kubernetes_provider: bool) -> tuple[Plan, set[pulumi.Resource]]:
    """Plan a component's arguments; return the plan and the resources they depend on. Raises ``ArgumentError``."""
    secrets = secrets_of(args)
    arguments = read_arguments({key: value for key, value in args.items() if key not in SECRET_ARGUMENTS}, _Stack)
    plans: list[Plan] = []

    def plan_data(data: Any) -> Sequence[PlannedDeployment]:
        has_token, has_password = TOKEN_SETTING in secrets, PASSWORD_SETTING in secrets
        settings = parse_settings(data)
        plans.append(
            plan_stack(
                settings,
                Files(),
                PROVIDERS,
                has_token=has_token,
                has_password=has_password,
                has_kubernetes_provider=has_kubernetes_provider,
            )
        )
        return plans[-1].deployments

    try:
        planned_deployments = plan_deployments(arguments, plan_data)
    except InputError as error:
        raise ArgumentError(name, error) from error
    return replace(plans[0], deployments=tuple(planned_deployments)), arguments.resources
