"""Unit (a real server on loopback): a connection that sends no whole request is closed, a WebSocket is refused, and
any other is served.
"""

import asyncio
import re
import time
from typing import Any

import pytest
import uvicorn

from airunway.console.process_group import LIMITS
from airunway.console.security import Guard
from airunway.console.serve import server_config


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers after longer than a request's headers may take."""
    await asyncio.sleep(0.6)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def answer(request: bytes, served: Any = application) -> bytes:
    config = server_config(served)
    config.port = 0
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


@pytest.mark.parametrize("host", [b"127.0.0.1:1", b"elsewhere:1"])
def test_a_websocket_s_handshake_is_refused_like_any_request_without_a_login(
    host: bytes, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    request = b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n" + upgrade + b"x" * 22 + b"==\r\n\r\n"
    said = asyncio.run(answer(request, Guard(application, ["127.0.0.1:1"])))
    assert re.match(rb"HTTP/1\.1 403 ", said), said
    assert caplog.text == capsys.readouterr().err == ""
