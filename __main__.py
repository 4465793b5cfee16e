"""The Pulumi program: plan the stack from its configuration, then create the platform and each deployment."""

import gc

import pulumi
import pulumi_kubernetes as kubernetes

from components import ModelDeployment, Platform
from components.model_deployment import outputs_of
from components.stack_config import plan_from_config

# Many objects, few cycles: with Python's threshold the collector takes two fifths of a preview of 1,000 deployments.
gc.set_threshold(50_000, 20, 20)

plan, secrets = plan_from_config()
for warning in plan.warnings:
    pulumi.log.warn(warning)

# An update that was cut off has created objects that its state does not know yet; the next one takes them over.
context, kubeconfig = plan.settings.cluster.context, plan.settings.cluster.kubeconfig
cluster = kubernetes.Provider("cluster", context=context, kubeconfig=kubeconfig, upsert_existing_objects=True)
options = pulumi.ResourceOptions(providers={"kubernetes": cluster}, protect=plan.settings.protect)

platform = Platform("platform", {"plan": plan, "secrets": secrets}, options)
for planned in plan.deployments:
    ModelDeployment(planned.name, {"planned": planned, "platform": platform}, options)

pulumi.export("deployments", {planned.name: outputs_of(planned) for planned in plan.deployments})
