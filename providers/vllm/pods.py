"""The pods of a Deployment."""

from airunway.provider.contract import MetricsPort
from airunway.provider.live_object import LiveModel, read_as
from airunway.provider.live_pod import PodTemplate
from airunway.provider.pod_groups import PodGroup, pod_group
from airunway.provider.pod_reading import Object

METRICS_PORT: MetricsPort | None = None


class Replicated(LiveModel):
    """The spec of a Deployment."""

    replicas: int = 1
    template: PodTemplate = PodTemplate()


class Deployment(LiveModel):
    """What is read of a Deployment to know its pods."""

    spec: Replicated = Replicated()


def pods(obj: Object) -> tuple[PodGroup, ...]:
    """The pods of the Deployment. Raises ``UnreadableError``."""
    spec = read_as(Deployment, obj).spec
    return (pod_group("", spec.replicas, spec.template.spec, "spec.template.spec"),)
