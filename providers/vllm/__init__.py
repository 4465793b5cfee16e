"""vLLM by itself: a Deployment that runs ``vllm serve`` and a Service before it, without an operator."""

from pathlib import Path

from providers.vllm.read import read
from providers.vllm.render import (
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
from providers.vllm.status import READY, observe

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
