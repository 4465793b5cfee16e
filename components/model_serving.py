"""All models that one cluster serves, with everything they share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pulumi

from airunway.planning.deployment import PlannedDeployment
from airunway.planning.files import Files
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.planning.settings import PASSWORD_SETTING, TOKEN_SETTING, StackSettings
from airunway.program.plan_collector import report_plan
from airunway.spec.entry import DeploymentEntry
from airunway.text.problems import InputError
from components.arguments import ArgumentError, arguments, planned
from components.cluster import cluster_provider
from components.last_update import last_update
from components.model_deployment import ModelDeployment, outputs_of
from components.model_platform import SECRET_ARGUMENTS, Platform, secrets_of
from components.settings_types import ModelServingArgs
from providers import PROVIDERS


class ModelServing(pulumi.ComponentResource):
    """All models that one cluster serves: operators, namespaces, token Secrets, image builds and each deployment, as
    one graph.

    A stack has one, as a stack has one cluster.
    """

    deployments: pulumi.Output[dict[str, Any]]
    """What each deployment puts out, by name: ``provider``, ``selectedReason``, ``engine``, ``endpoint`` and
    ``resource``.
    """

    def __init__(self, name: str, args: ModelServingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Plan and create. Without ``cluster``, the Kubernetes provider that ``opts`` or the parent gives leads to the
        cluster.

        Raises ``ArgumentError`` with everything that is wrong with ``args``.
        """
        super().__init__("airunway:index:ModelServing", name, {}, opts)
        provider = None if args.get("cluster") else self.get_provider("kubernetes:core/v1:Namespace")
        plan, resources = _planned(name, args, has_provider=provider is not None)
        outputs = serve(
            plan, secrets_of(args), pulumi.ResourceOptions(parent=self, depends_on=list(resources)), provider
        )
        self.deployments = pulumi.Output.from_input(outputs)
        self.register_outputs({"deployments": self.deployments})


def serve(
    plan: Plan,
    secrets: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions | None = None,
    provider: pulumi.ProviderResource | None = None,
) -> dict[str, dict[str, Any]]:
    """Create everything that ``plan`` needs below the parent in ``opts``, and say what each deployment puts out, by
    name.

    ``secrets`` are those of the stack by setting. Without ``provider``, one is made for the cluster that the settings
    name; raises ``pulumi.RunError`` where the stack was deployed to another one.
    """
    report_plan(plan)
    for warning in plan.warnings:
        pulumi.log.warn(warning)
    opts = opts or pulumi.ResourceOptions()
    last = last_update()
    provider = provider or cluster_provider(plan.settings.cluster, last, opts.parent)
    options = pulumi.ResourceOptions(
        parent=opts.parent,
        depends_on=opts.depends_on,
        providers={"kubernetes": provider},
        protect=plan.settings.protect or None,
    )
    platform = Platform("platform", {}, options, plan=plan, secrets=secrets, last=last)
    for deployment in plan.deployments:
        ModelDeployment(deployment.name, {}, options, platform=platform, plan=deployment)  # type: ignore[typeddict-item]
    return {deployment.name: outputs_of(deployment) for deployment in plan.deployments}


class _Stack(StackSettings):
    """A stack's settings whose entries are not checked one by one, but together."""

    deployments: list[DeploymentEntry]


def _planned(name: str, args: ModelServingArgs, *, has_provider: bool) -> tuple[Plan, set[pulumi.Resource]]:
    """The plan for a component's arguments, and the resources that these depend on. Raises ``ArgumentError``."""
    secrets = secrets_of(args)
    plain = arguments({key: value for key, value in args.items() if key not in SECRET_ARGUMENTS}, _Stack)
    plans: list[Plan] = []

    def deployments(data: Any) -> Sequence[PlannedDeployment]:
        has_token, has_password = TOKEN_SETTING in secrets, PASSWORD_SETTING in secrets
        settings = parse_settings(data)
        plans.append(
            plan_stack(
                settings, Files(), PROVIDERS, has_token=has_token, has_password=has_password, has_provider=has_provider
            )
        )
        return plans[-1].deployments

    try:
        served = planned(plain, deployments)
    except InputError as error:
        raise ArgumentError(name, error) from error
    return replace(plans[0], deployments=tuple(served)), plain.resources
