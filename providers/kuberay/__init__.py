"""KubeRay: RayServices that run Ray Serve LLM with vLLM on GPU."""

from pathlib import Path

from providers.kuberay.pods import METRICS_PORT, pods
from providers.kuberay.reader import read_fields
from providers.kuberay.render import (
    API_VERSION,
    KIND,
    NAME,
    OLDER_API_VERSIONS,
    OPERATOR_DEFAULTS,
    REPLACE_ON_CHANGES,
    SELECTOR,
    SUPPORTED,
    endpoint,
    name_limit,
    render,
)
from providers.kuberay.status import READY, WORKLOAD, observe

FOLDER = Path(__file__).parent

__all__ = [
    "API_VERSION",
    "FOLDER",
    "KIND",
    "METRICS_PORT",
    "NAME",
    "OLDER_API_VERSIONS",
    "OPERATOR_DEFAULTS",
    "READY",
    "REPLACE_ON_CHANGES",
    "SELECTOR",
    "SUPPORTED",
    "WORKLOAD",
    "endpoint",
    "name_limit",
    "observe",
    "pods",
    "read_fields",
    "render",
]
