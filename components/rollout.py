"""``pulumi up`` ends when a changed deployment serves: the program waits after the update of its object."""

from collections.abc import Sequence

import pulumi

from airunway.live.api_server.connection import connect
from airunway.live.failures import failure_message
from airunway.live.pod_complaints import with_pod_complaint
from airunway.live.rollout import RolloutError, until_served
from airunway.live.status import observer_for, workload_of
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.settings import Cluster
from airunway.spec.durations import seconds
from airunway.text.problems import InputError


class Rollout:
    """The wait for the last change of one deployment, as long as its timeout says.

    The Kubernetes provider's own wait takes the status of the object before a change for the one after it
    (pulumi-kubernetes 4.34, waitFor). A hook only notes that the object was updated: while one runs the engine keeps
    the resource's lock, without which no other resource's step ends (pulumi 3.259, pkg/resource/deploy/step.go).
    """

    def __init__(self, cluster: Cluster, planned: PlannedDeployment) -> None:
        self._cluster, self._planned = cluster, planned
        self._updated = False
        self.hook = pulumi.ResourceHook(f"wait for {planned.name}", self._note)
        """Is to run after an update of the object."""

    def _note(self, args: pulumi.ResourceHookArgs) -> None:
        self._updated = True

    def failure_of(self, resource: pulumi.CustomResource) -> pulumi.Output[str]:
        """Return the deployment's name if the last change of its object ``resource`` does not serve, else empty text.

        Why it does not serve is logged at once.
        """
        return resource.id.apply(lambda _: self._wait(resource))

    async def _wait(self, resource: pulumi.CustomResource) -> str:
        if not self._updated:
            return ""
        planned = self._planned
        try:
            reason = await self._reason(resource)
        except InputError as error:
            reason = str(error)
        if not reason:
            return ""
        pulumi.log.error(failure_message(planned.name, planned.rendered.resource, "", reason))
        return planned.name

    async def _reason(self, resource: pulumi.CustomResource) -> str:
        """Return why the last change does not serve; empty where it does. Raises ``InputError``."""
        planned, manifest = self._planned, self._planned.rendered.resource
        async with connect(self._cluster) as connection:
            try:
                await until_served(
                    connection,
                    manifest,
                    observer_for(planned),
                    seconds(planned.ready_timeout),
                    lambda message: pulumi.log.info(f"{planned.name}: {message}", resource),
                    workload_of(planned),
                )
            except RolloutError as error:
                return await with_pod_complaint(connection, manifest, str(error))
        return ""


def all_served(failures: Sequence[pulumi.Output[str]]) -> pulumi.Output[None]:
    """Wait for every change, then fail if some do not serve.

    A program that ends by a ``RunError`` shows no traceback, and the state keeps what was applied. Failing earlier
    would cancel what other resources are in the middle of, such as a replacement whose old object is deleted.
    """

    def fail(names: Sequence[str]) -> None:
        if failed := sorted(filter(None, names)):
            raise pulumi.RunError(f"changes that do not serve: {', '.join(failed)}")

    return pulumi.Output.all(*failures).apply(fail)
