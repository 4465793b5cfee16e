"""The Pulumi program: plan the stack from its configuration, then create the platform and each deployment."""

import gc
import os
import signal
import threading

import pulumi

from airunway.program.stack_config import plan_from_config
from components import ModelDeployment, Platform
from components.cluster import cluster_provider
from components.last_update import last_update
from components.model_deployment import outputs_of

# Many objects, few cycles: with Python's threshold the collector takes two fifths of a preview of 1,000 deployments.
gc.set_threshold(50_000, 20, 20)

# The language host interrupts the program when the engine gives up or a person does. Python would print where that met it, and the
# engine would find nobody to ask what to say of the operations that it cancels.
if "PULUMI_CONFIG" in os.environ:
    signal.signal(signal.SIGINT, lambda *_: threading.Timer(1, os._exit, [130]).start())

plan, secrets = plan_from_config()
for warning in plan.warnings:
    pulumi.log.warn(warning)

last = last_update()
cluster = cluster_provider(plan.settings.cluster, last)
options = pulumi.ResourceOptions(providers={"kubernetes": cluster}, protect=plan.settings.protect)

platform = Platform("platform", {"plan": plan, "secrets": secrets, "last": last}, options)
for planned in plan.deployments:
    ModelDeployment(planned.name, {"planned": planned, "platform": platform}, options)

pulumi.export("deployments", {planned.name: outputs_of(planned) for planned in plan.deployments})
