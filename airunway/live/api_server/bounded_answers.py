"""Answers of a server no longer than a limit, which holds for what they are once decompressed."""

from pathlib import Path

import httpx

from airunway.live.api_server.responses import InvalidResponseError
from airunway.live.bounded_gzip import InvalidGzipError, gunzip
from airunway.text.problems import format_value
from airunway.text.yaml_reading import load_data

MAX_BYTES = int(load_data(Path(__file__).with_name("limits.yaml"))["answerBytes"])
_OF_THE_TRANSFER = {b"content-encoding", b"content-length", b"transfer-encoding"}
_GZIP = {"gzip", "x-gzip"}


async def send(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send a request and return the whole answer.

    Raises ``InvalidResponseError`` for an answer that is too long, which a compressed one may be at any size, and
    ``httpx.HTTPError``. The client's own decompression has no limit, least of all for what is packed twice.
    """
    request.headers["Accept-Encoding"] = "gzip"
    answer = await client.send(request, stream=True)
    content = bytearray()
    try:
        async for chunk in answer.aiter_raw():
            content += chunk
            if len(content) > MAX_BYTES:
                raise InvalidResponseError(f"its answer has more than {MAX_BYTES:,} bytes, the most that is read")
    finally:
        await answer.aclose()
    headers = [(name, value) for name, value in answer.headers.raw if name.lower() not in _OF_THE_TRANSFER]
    return httpx.Response(
        answer.status_code,
        headers=headers,
        content=_decoded(bytes(content), answer.headers.get("content-encoding", "")),
        request=request,
        extensions=answer.extensions,
    )


def _decoded(content: bytes, encoding: str) -> bytes:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return content
    if name not in _GZIP:
        raise InvalidResponseError(f"its answer has the encoding {format_value(encoding)}, must be gzip or none")
    try:
        return gunzip(content, MAX_BYTES)
    except InvalidGzipError as error:
        raise InvalidResponseError(f"its answer {error}") from error
