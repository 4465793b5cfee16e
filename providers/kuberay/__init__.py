"""KubeRay: RayServices that run Ray Serve LLM with vLLM on GPU."""

from pathlib import Path

from providers.kuberay.read import read
from providers.kuberay.render import (
    API_VERSION,
    HONOURS,
    IMMUTABLE,
    KIND,
    NAME,
    OWNED,
    SELECTOR,
    endpoint,
    name_limit,
    render,
)
from providers.kuberay.status import READY, observe

FOLDER = Path(__file__).parent

__all__ = [
    "API_VERSION",
    "FOLDER",
    "HONOURS",
    "IMMUTABLE",
    "KIND",
    "NAME",
    "OWNED",
    "READY",
    "SELECTOR",
    "endpoint",
    "name_limit",
    "observe",
    "read",
    "render",
]
