"""NVIDIA Dynamo: DynamoGraphDeployments of vLLM, SGLang and TensorRT-LLM on GPU, aggregated or disaggregated."""

from pathlib import Path

from providers.dynamo.reader import read_fields
from providers.dynamo.render import (
    API_VERSION,
    IMMUTABLE,
    KIND,
    NAME,
    OLDER_API_VERSIONS,
    OWNED,
    SELECTOR,
    SUPPORTED,
    endpoint,
    name_limit,
    render,
)
from providers.dynamo.status import READY, observe

FOLDER = Path(__file__).parent

__all__ = [
    "API_VERSION",
    "FOLDER",
    "IMMUTABLE",
    "KIND",
    "NAME",
    "OLDER_API_VERSIONS",
    "OWNED",
    "READY",
    "SELECTOR",
    "SUPPORTED",
    "endpoint",
    "name_limit",
    "observe",
    "read_fields",
    "render",
]
