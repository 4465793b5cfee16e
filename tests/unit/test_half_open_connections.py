"""Unit (a real server on loopback): a connection that sends no whole request is closed, any other is served."""

import asyncio
import time
from typing import Any

import pytest
import uvicorn

from airunway.console.process_group import LIMITS
from airunway.console.serve import Protocol


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers after longer than a request's headers may take."""
    await asyncio.sleep(0.6)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def answer(request: bytes) -> bytes:
    config = uvicorn.Config(application, port=0, lifespan="off", log_level="error", http=Protocol)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        server.should_exit = True
        await task


@pytest.mark.parametrize("request_", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-"])
def test_a_connection_without_a_request_is_closed(request_: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "requestSeconds", 0.3)
    started = time.monotonic()
    assert asyncio.run(answer(request_)) == b""
    assert time.monotonic() - started < 4


def test_a_request_that_takes_longer_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "requestSeconds", 0.3)
    request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert asyncio.run(answer(request)).startswith(b"HTTP/1.1 204")
