"""The pods of a RayService, while no other cluster is brought up beside its own."""

from pydantic import Field

from airunway.provider.contract import MetricsPort
from airunway.provider.live_object import LiveModel, read_as
from airunway.provider.live_pod import PodTemplate
from airunway.provider.pod_groups import PodGroup, pod_group
from airunway.provider.pod_reading import Object

_CLUSTER = "spec.rayClusterConfig"
METRICS_PORT: MetricsPort | None = MetricsPort("metrics", {"ray.io/node-type": "worker"})
"""Of every node of Ray, whose ``ray start`` has --metrics-export-port (ray-operator, common/pod.go): Serve's port has
no metrics (seen of Ray 2.58.0)."""


class Group(LiveModel):
    """The head, or one group of workers."""

    group_name: str = ""
    replicas: int = 1
    min_replicas: int = 0
    max_replicas: int | None = None
    num_of_hosts: int = 1
    template: PodTemplate = PodTemplate()


class RayCluster(LiveModel):
    """The cluster of a RayService."""

    enable_in_tree_autoscaling: bool = False
    head_group_spec: Group = Group()
    worker_group_specs: list[Group] = Field([])


class RayServiceSpec(LiveModel):
    """The spec of a RayService."""

    ray_cluster_config: RayCluster = RayCluster()


class RayService(LiveModel):
    """What is read of a RayService to know its pods."""

    spec: RayServiceSpec = RayServiceSpec()


def pods(obj: Object) -> tuple[PodGroup, ...]:
    """The head and the workers of the RayService. Raises ``UnreadableError``."""
    cluster = read_as(RayService, obj).spec.ray_cluster_config
    scales = cluster.enable_in_tree_autoscaling
    head = pod_group("head", 1, cluster.head_group_spec.template.spec, f"{_CLUSTER}.headGroupSpec.template.spec")
    workers = (
        pod_group(
            group.group_name,
            group.min_replicas if scales else group.replicas,
            group.template.spec,
            f"{_CLUSTER}.workerGroupSpecs[{index}].template.spec",
            nodes=group.num_of_hosts,
            most_replicas=group.max_replicas if scales else None,
        )
        for index, group in enumerate(cluster.worker_group_specs)
    )
    return (head, *workers)
