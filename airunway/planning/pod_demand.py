"""The pods that a planned deployment asks for."""

from airunway.planning.deployment import PlannedDeployment
from airunway.provider.live_object import UnreadableError
from airunway.provider.pod_groups import PodGroup
from airunway.provider.render import render
from airunway.spec.entry import Delivery
from airunway.text.problems import InputError


def pod_groups(planned: PlannedDeployment) -> tuple[PodGroup, ...]:
    """The pods that a deployment makes; none where overrides leave an object that can't be read.

    A ModelDeployment is taken for the object that its controller makes of it.
    """
    try:
        rendered = planned.rendered
        if planned.delivery is Delivery.MODELDEPLOYMENT:
            rendered = render(planned.provider, planned.request)
        return planned.provider.pods(rendered.resource)
    except (InputError, UnreadableError):
        return ()
