"""NVIDIA Dynamo: DynamoGraphDeployments of vLLM, SGLang and TensorRT-LLM on GPU, aggregated or disaggregated."""

from pathlib import Path

from providers.dynamo.pods import METRICS_PORT, pods
from providers.dynamo.reader import read_fields
from providers.dynamo.render import (
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
from providers.dynamo.status import READY, WORKLOAD, observe

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
