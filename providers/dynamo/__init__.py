"""NVIDIA Dynamo: DynamoGraphDeployments of vLLM, SGLang and TensorRT-LLM on GPU, in one piece or prefill and decode
apart.
"""

from pathlib import Path

from providers.dynamo.read import read
from providers.dynamo.render import (
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
from providers.dynamo.status import READY, observe

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
