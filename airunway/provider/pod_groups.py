"""The pods that an object makes: how many, what each asks for, and which nodes take them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airunway.provider.live_object import WholeNumber, read_as, read_value
from airunway.provider.live_pod import PodSpec
from airunway.spec.model import GPU_RESOURCE, Toleration


@dataclass(frozen=True)
class PodGroup:
    """Equal pods; each asks for ``gpus`` of the extended resource ``gpu_resource``.

    ``replicas`` are workers, each of ``nodes`` pods; ``most_replicas`` is set where the number of workers scales.
    ``cpu`` and ``memory`` are Kubernetes quantities; None where nothing is asked for. ``role`` is what the pods do, or
    empty where all do the same. ``whole_node`` means that a pod takes every GPU of its node.
    """

    role: str
    replicas: int
    gpus: int = 0
    gpu_resource: str = GPU_RESOURCE
    cpu: str | None = None
    memory: str | None = None
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    nodes: int = 1
    most_replicas: int | None = None
    whole_node: bool = False

    @property
    def pods(self) -> int:
        """Number of pods, at most."""
        return max(self.replicas, self.most_replicas or 0) * self.nodes

    @property
    def least_share(self) -> float:
        """The part of all pods that there is at least."""
        return self.replicas * self.nodes / self.pods if self.pods else 1

    @property
    def total_gpus(self) -> tuple[int, int]:
        """GPUs of all pods: fewest and most."""
        return self.replicas * self.nodes * self.gpus, self.pods * self.gpus


def pod_group(role: str, replicas: int, pod: PodSpec, field: str, **others: Any) -> PodGroup:
    """The group of the pods of a template, found at ``field``. Raises ``UnreadableError``."""
    limits = [container.resources.limits for container in pod.containers]
    resource = next((name for container in limits for name in container if "/" in name), GPU_RESOURCE)
    counts = [
        read_value(WholeNumber, container[resource], f"{field}.containers[].resources.limits.{resource}")
        for container in limits
        if resource in container
    ]
    sizes = {name: [container[name] for container in limits if name in container] for name in ("cpu", "memory")}
    return PodGroup(
        role,
        replicas,
        sum(counts),
        resource,
        # Of several containers the first is the engine's.
        cpu=next(iter(sizes["cpu"]), None),
        memory=next(iter(sizes["memory"]), None),
        node_selector=pod.node_selector,
        tolerations=read_tolerations(pod.tolerations),
        **others,
    )


def read_tolerations(tolerations: Iterable[Mapping[str, Any]]) -> tuple[Toleration, ...]:
    """Tolerations of a pod. Raises ``UnreadableError``."""
    return tuple(read_as(Toleration, toleration, "tolerations[]") for toleration in tolerations)
