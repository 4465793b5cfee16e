"""A deployment's endpoint on this machine: from its Service to a ready pod's port, forwarded by the API server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx_ws

from airunway.live.api_server.connection import Connection, ForbiddenError
from airunway.live.objects import Pod, Service
from airunway.provider.live_object import read_as
from airunway.provider.request import Endpoint
from airunway.text.problems import InputError, Problem

_CHUNK = 65_536
_DATA, _ERROR = 0, 1
_BROKEN = (httpx_ws.HTTPXWSException, httpx.HTTPError, OSError, InputError)


@dataclass(frozen=True)
class _Way:
    """The way to a pod's port; ``report`` is told why a connection breaks."""

    connection: Connection
    namespace: str
    pod: str
    port: int
    report: Callable[[str], None]

    def open(self) -> Any:
        """A websocket of Kubernetes' channel protocol: the first byte of each message is its channel, 0 for data and 1
        for errors.
        """
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.pod}/portforward"
        return self.connection.session.websocket(path, {"ports": str(self.port)})

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes both ways until one side ends."""
        try:
            async with self.open() as socket:
                sending = asyncio.create_task(_send(reader, socket))
                receiving = asyncio.create_task(_receive(socket, writer, self.report))
                try:
                    await asyncio.wait([sending, receiving], return_when=asyncio.FIRST_COMPLETED)
                    if receiving.done():
                        receiving.result()
                finally:
                    sending.cancel()
                    receiving.cancel()
                    await asyncio.gather(sending, receiving, return_exceptions=True)
        except* _BROKEN as errors:
            self.report(_reason(errors))
        finally:
            writer.close()


@asynccontextmanager
async def forwarded(
    connection: Connection,
    namespace: str,
    endpoint: Endpoint,
    port: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[str]:
    """The endpoint's base URL on 127.0.0.1; ``port`` 0 is any free one, ``report`` is told why a connection breaks
    later.

    Raises ``InputError`` where nothing can be forwarded to.
    """
    pod, remote = await _target(connection, namespace, endpoint)
    way = _Way(connection, namespace, pod.metadata.name, remote, report)
    try:
        async with way.open():
            pass
    except* _BROKEN as errors:
        raise InputError(
            [Problem(f"Pod {namespace}/{way.pod}", f"port {remote} can't be forwarded: {_reason(errors)}")]
        ) from errors
    open_connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(way.carry(reader, writer))
        open_connections.add(task)
        task.add_done_callback(open_connections.discard)

    try:
        server = await asyncio.start_server(accept, "127.0.0.1", port)
    except OSError as error:
        raise InputError([Problem("--port", f"{port} can't be listened on: {error.strerror or error}")]) from error
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        for task in open_connections:
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)


async def _send(reader: asyncio.StreamReader, socket: httpx_ws.AsyncWebSocketSession) -> None:
    while data := await reader.read(_CHUNK):
        await socket.send_bytes(bytes([_DATA]) + data)


async def _receive(
    socket: httpx_ws.AsyncWebSocketSession, writer: asyncio.StreamWriter, report: Callable[[str], None]
) -> None:
    begun: set[int] = set()
    while True:
        try:
            message = await socket.receive_bytes()
        except httpx_ws.WebSocketDisconnect:
            return
        channel, data = int.from_bytes(message[:1]), message[1:]
        if channel not in begun:
            begun.add(channel)  # the first message of each channel is the port's number
        elif channel == _ERROR:
            report(data.decode(errors="replace"))
            return
        else:
            writer.write(data)
            await writer.drain()


def _reason(errors: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    response = getattr(error, "response", None)
    return (
        f"the API server answered {response.status_code}"
        if response is not None
        else str(error) or type(error).__name__
    )


async def _target(connection: Connection, namespace: str, endpoint: Endpoint) -> tuple[Pod, int]:
    where = f"Service {namespace}/{endpoint.service}"
    try:
        live = await connection.object("v1", "Service", namespace, endpoint.service)
        if live is None:
            raise InputError([Problem(where, "is not there; `airunway status` says how far the deployment is")])
        service = read_as(Service, live)
        selector = ",".join(f"{k}={v}" for k, v in sorted(service.spec.selector.items()))
        if not selector:
            raise InputError([Problem(where, "selects no pods, so nothing can be forwarded to")])
        pods = [read_as(Pod, pod) for pod in await connection.items("v1", "Pod", namespace, selector=selector) or []]
    except ForbiddenError as error:
        raise InputError([Problem(where, f"may not be read: {error}")]) from error
    ready = [pod for pod in pods if pod.is_ready]
    if not ready:
        raise InputError([Problem(where, f"has no ready pod ({len(pods)} not ready)")])
    pod = min(ready, key=lambda p: p.metadata.name)
    return pod, target_port(service, endpoint.port, pod)


def target_port(service: Service, port: int, pod: Pod) -> int:
    """The pod's port behind ``port`` of the Service. Raises ``InputError`` where there is none."""
    where = f"Service {service.metadata.name}"
    entry = next((p for p in service.spec.ports if p.port == port), None)
    if entry is None:
        raise InputError([Problem(where, f"has no port {port}")])
    target = entry.target_port or port
    if isinstance(target, int):
        return target
    named = [p for container in pod.spec.containers for p in container.ports if p.name == target]
    if not named:
        raise InputError([Problem(where, f"leads to port '{target}', which pod {pod.metadata.name} does not have")])
    return named[0].container_port
