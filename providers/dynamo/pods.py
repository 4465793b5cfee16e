"""The pods of a DynamoGraphDeployment."""

from airunway.provider.contract import MetricsPort
from airunway.provider.pod_groups import PodGroup, read_tolerations
from airunway.provider.pod_reading import Object
from airunway.spec.model import GPU_RESOURCE
from providers.dynamo import v1alpha1, v1beta1

METRICS_PORT: MetricsPort | None = MetricsPort("system")
"""Of workers only (the operator's component_worker.go and component_frontend.go, read in November 2026): the frontend
tells nothing of their KV caches. Seen of the workers of ai-dynamo 1.6.1."""


def pods(obj: Object) -> tuple[PodGroup, ...]:
    """The pods of each component of the graph. Raises ``UnreadableError``."""
    version = v1beta1 if obj.get("apiVersion") == v1beta1.API_VERSION else v1alpha1
    _, components = version.read_graph(obj)
    return tuple(
        PodGroup(
            component.name,
            component.replicas,
            component.gpus or 0,
            component.gpu_type or GPU_RESOURCE,
            cpu=component.limits.get("cpu"),
            memory=component.limits.get("memory"),
            node_selector=component.scheduling.get("nodeSelector", {}),
            tolerations=read_tolerations(component.scheduling.get("tolerations", ())),
            nodes=component.nodes,
        )
        for component in components
    )
