"""One component of a graph, in terms of Kubernetes; ``v1alpha1`` and ``v1beta1`` say it as the API version does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airunway.provider.storage import MountedVolume
from airunway.spec.model import VolumePurpose

FRONTEND = "Frontend"
"""Name of the component that serves the API."""


@dataclass(frozen=True)
class Component:
    """The frontend, or the workers of one role.

    ``role`` is ``prefill`` or ``decode`` in a disaggregated deployment, else empty; a live component has its type
    there. ``gpus`` are None for the frontend.
    ``limits`` and ``requests`` are quantities of cpu and memory. ``token_secret`` is the Secret whose keys become
    environment variables. ``nodes`` are those of each replica. The operator tells the engine of a volume
    whose purpose is compilationCache.
    """

    name: str
    replicas: int
    container: Mapping[str, Any]
    role: str = ""
    gpus: int | None = None
    gpu_type: str = ""
    limits: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[str, str] = field(default_factory=dict)
    env: tuple[dict[str, Any], ...] = ()
    token_secret: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    scheduling: Mapping[str, Any] = field(default_factory=dict)
    nodes: int = 1
    volumes: tuple[MountedVolume, ...] = ()

    @property
    def is_frontend(self) -> bool:
        """Whether it serves the API."""
        return self.name == FRONTEND

    @property
    def multinode(self) -> dict[str, Any]:
        """The field for several nodes, the same in both versions; empty for one node."""
        return {"multinode": {"nodeCount": self.nodes}} if self.nodes > 1 else {}

    @property
    def compilation_cache(self) -> MountedVolume | None:
        """The volume that the operator tells the engine of."""
        return next((v for v in self.volumes if v.purpose is VolumePurpose.COMPILATION_CACHE), None)
