"""KAITO: Workspaces with a vLLM preset on GPU, or with a llama.cpp container on CPU or GPU."""

from pathlib import Path

from providers.kaito.read import read
from providers.kaito.render import (
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
from providers.kaito.status import READY, observe

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
