"""vLLM without an operator: a Deployment that runs ``vllm serve``, and its Service."""

from pathlib import Path

from providers.vllm.pods import METRICS_PORT, pods
from providers.vllm.reader import read_fields
from providers.vllm.render import (
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
from providers.vllm.status import READY, WORKLOAD, observe

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
