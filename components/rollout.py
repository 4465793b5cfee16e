"""``pulumi up`` ends when a changed deployment serves: a hook that waits after the update of its object."""

import pulumi

from airunway.live.api_server.connection import connect
from airunway.live.failures import failure_message
from airunway.live.rollout import RolloutError, until_served
from airunway.live.status import observer_for, workload_of
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.settings import Cluster
from airunway.spec.durations import seconds
from airunway.text.problems import InputError


def rollout_hook(cluster: Cluster, planned: PlannedDeployment) -> pulumi.ResourceHook:
    """A hook that waits after an update of ``planned``'s object until the change serves, as long as its timeout says.

    The Kubernetes provider's own wait takes the status of the object before a change for the one after it
    (pulumi-kubernetes 4.34, waitFor). An error of a hook that runs after an update fails the update, while the state
    keeps what was applied (pulumi 3.259, pkg/resource/deploy/step.go).
    """
    manifest = planned.rendered.resource

    async def wait(args: pulumi.ResourceHookArgs) -> None:
        try:
            async with connect(cluster) as connection:
                await until_served(
                    connection,
                    manifest,
                    observer_for(planned),
                    seconds(planned.ready_timeout),
                    lambda message: pulumi.log.info(f"{planned.name}: {message}"),
                    workload_of(planned),
                )
        except (RolloutError, InputError) as error:
            raise RolloutError(failure_message(planned.name, manifest, "", str(error))) from error

    return pulumi.ResourceHook(f"wait for {planned.name}", wait)
