"""The HTTP client of the model hub: Hugging Face's own, but for answers without end."""

import os
from collections.abc import Iterator

import httpx2
from huggingface_hub import HfApi, set_client_factory
from huggingface_hub.utils._http import default_client_factory

from airunway.text.bounded_streams import AS_IT_IS, bounded, refuse_packed

MAX_BYTES, MAX_SECONDS = 64 * 2**20, 120.0
"""More than what is said of the 100,000 files that the hub advises at most takes (docs/hub/storage-limits)."""


class _BoundedStream(httpx2.SyncByteStream):
    """The bytes of an answer as they come."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return bounded(self._stream, MAX_BYTES, MAX_SECONDS)

    def close(self) -> None:
        self._stream.close()


def hub_client() -> HfApi:
    """A client of the hub that HF_ENDPOINT names; an answer beyond the limits raises ``UnendingError``."""
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"))


def _client() -> httpx2.Client:
    client = default_client_factory()
    client.headers.update(AS_IT_IS)
    client.event_hooks = client.event_hooks | {"response": [_bound]}
    return client


def _bound(response: httpx2.Response) -> None:
    refuse_packed(response.headers.get("content-encoding", ""))
    if isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = _BoundedStream(response.stream)


set_client_factory(_client)  # of all clients of the library in this process
