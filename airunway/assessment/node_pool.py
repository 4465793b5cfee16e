"""A cluster's node pools, as a stack declares them or ``airunway nodes`` writes them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from airunway.spec.model import GPU_RESOURCE, Memory, StrictModel, Text

MAX_NODES = 10_000
"""More nodes than Kubernetes supports in a cluster: https://kubernetes.io/docs/setup/best-practices/cluster-large/."""


class Taint(StrictModel):
    """A taint of a node."""

    key: Text = Field(description="Key.")
    value: str = Field("", description="Value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(description="What it does to other pods.")

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


class PoolGpu(StrictModel):
    """The GPUs of each node of a pool."""

    product: Text = Field(
        description="GPU type, as the label nvidia.com/gpu.product has it, such as NVIDIA-H100-80GB-HBM3."
    )
    count: int = Field(ge=1, le=1_000, description="GPUs per node.")
    resource: Text = Field(GPU_RESOURCE, description="Extended resource that they are requested by.")


def _as_number(value: Any) -> Any:
    return float(value) if type(value) is int else value


class NodePool(StrictModel):
    """Equal nodes of a cluster: ``nodes`` of them, or as many as an autoscaler makes."""

    name: Text = Field(description="Name of the pool.")
    nodes: int | None = Field(None, ge=0, le=MAX_NODES, description="Nodes of a pool of a fixed size.")
    min_nodes: int = Field(0, ge=0, le=MAX_NODES, description="Fewest nodes of an autoscaled pool.")
    max_nodes: int | None = Field(None, ge=1, le=MAX_NODES, description="Most nodes of an autoscaled pool.")
    gpu: PoolGpu | None = Field(None, description="GPUs per node; none without.")
    cpu: Text | None = Field(None, description="CPUs that pods can have of a node, as a Kubernetes quantity.")
    memory: Memory | None = Field(None, description="Memory that pods can have of a node, as a Kubernetes quantity.")
    labels: dict[str, str] = Field({}, description="Labels of the nodes.")
    taints: list[Taint] = Field([], description="Taints of the nodes.")
    price_per_hour: Annotated[float, BeforeValidator(_as_number), Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="Price of a node for an hour, in the stack's currency."
    )

    @model_validator(mode="after")
    def _has_one_size(self) -> "NodePool":
        if (self.nodes is None) == (self.max_nodes is None):
            raise ValueError("give nodes, or maxNodes (and minNodes) of an autoscaled pool")
        if self.max_nodes is not None and self.min_nodes > self.max_nodes:
            raise ValueError(f"minNodes {self.min_nodes} given, must be at most maxNodes, {self.max_nodes}")
        return self

    @property
    def size(self) -> int:
        """Number of nodes, at most."""
        return self.nodes if self.nodes is not None else self.max_nodes or 0

    @property
    def gpus(self) -> int:
        """GPUs of all nodes, at most."""
        return self.size * self.gpu.count if self.gpu else 0

    @property
    def node_labels(self) -> dict[str, str]:
        """The labels of its nodes, with those that Kubernetes and NVIDIA's GPU feature discovery give them."""
        labels = {"kubernetes.io/os": "linux"}
        if self.gpu and self.gpu.resource == GPU_RESOURCE:
            labels |= {
                "nvidia.com/gpu.present": "true",
                "nvidia.com/gpu.product": self.gpu.product,
                "nvidia.com/gpu.count": str(self.gpu.count),
            }
        return labels | self.labels
