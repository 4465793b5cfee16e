"""The HTTP session for registries: bounded answers, certificates of the environment, a few tries."""

import os
import ssl
from collections.abc import Iterator
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from airunway.text.bounded_streams import AS_IT_IS, UnendingError, bounded, refuse_packed
from airunway.text.problems import InputError, Problem

SECONDS = 30.0
"""Most time for a connection, and for a part of an answer."""
MAX_BYTES, MAX_SECONDS = 4 * 2**20, 60.0
"""Most that is read of an answer: registries limit manifests to 4 MiB (distribution-spec, "pushing manifests")."""
BACKOFF = 1.0
"""Seconds before an answer that says try later is asked for again, doubled each time."""
_PIECE = 64 * 1024
_REDIRECTS = 5


def registry_session() -> Session:
    """A session that reads no more than the limits; beyond them it raises ``UnendingError``."""
    session = Session()
    session.auth = _unchanged
    session.max_redirects = _REDIRECTS
    session.headers.update(AS_IT_IS)
    retry = Retry(
        connect=1,
        read=0,
        other=0,
        status=2,
        status_forcelist=(502, 503, 504),
        raise_on_status=False,
        respect_retry_after_header=False,
        backoff_factor=BACKOFF,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(max_retries=retry))
    return session


def certificates() -> str | bool:
    """The file of the authorities that are trusted; True for those of the library. Raises ``InputError``."""
    path = os.environ.get("SSL_CERT_FILE")
    if not path:
        return True
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        raise InputError(
            [Problem("SSL_CERT_FILE", f"has no certificates that can be read: {error.strerror}")]
        ) from error
    return path


def _unchanged(request: PreparedRequest) -> PreparedRequest:
    """Keep the login that the registry's client sends, also where a .netrc has another."""
    return request


class _BoundedAnswer:
    """An answer of urllib3, which is read as it comes."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """The bytes of the answer; one that is not read to its end is hung up."""
        pieces = iter(lambda: self._answer.read1(_PIECE, decode_content=False), b"")
        try:
            yield from bounded(pieces, MAX_BYTES, MAX_SECONDS)
        except BaseException:
            self._answer.close()
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)


class _Adapter(HTTPAdapter):
    """Bounds every answer, also of redirects."""

    def send(self, request: PreparedRequest, *arguments: Any, **keywords: Any) -> Response:
        """Send a request, and let its answer be read up to the limits."""
        response = super().send(request, *arguments, **keywords)
        response.raw = _BoundedAnswer(response.raw)
        try:
            refuse_packed("" if request.method == "HEAD" else response.headers.get("Content-Encoding", ""))
        except UnendingError:
            response.raw.close()
            raise
        return response
