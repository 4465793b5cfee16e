"""KAITO: Workspaces with a vLLM preset on GPU, or with a llama.cpp container on CPU or GPU."""

from pathlib import Path

from providers.kaito.pods import METRICS_PORT, pods
from providers.kaito.reader import read_fields
from providers.kaito.render import (
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
from providers.kaito.status import READY, WORKLOAD, observe

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
