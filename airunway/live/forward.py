"""Forward a deployment's endpoint to this machine: through the API server to a ready pod of its Service."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx_ws

from airunway.live.api_server.connection import Connection, ForbiddenError
from airunway.live.missing_rights import PODS, PORT_FORWARDS, SERVICES, MissingRightError
from airunway.live.objects import Pod, Service
from airunway.provider.live_object import read_as
from airunway.provider.request import Endpoint
from airunway.text.problems import InputError, Problem

_CHUNK = 65_536
_DATA, _ERROR = 0, 1
_FORBIDDEN = 403
_BROKEN = (httpx_ws.HTTPXWSException, httpx.HTTPError, OSError, InputError)


@dataclass(frozen=True)
class _PodPort:
    """A pod's port; ``report`` is called with the reason when a connection fails."""

    connection: Connection
    namespace: str
    pod: str
    port: int
    report: Callable[[str], None]

    def open(self) -> Any:
        """Open a websocket of Kubernetes' channel protocol.

        The first byte of each message is its channel: 0 for data, 1 for errors.
        """
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.pod}/portforward"
        return self.connection.session.websocket(path, {"ports": str(self.port)})

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay bytes in both directions until one side closes."""
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
async def port_forward(
    connection: Connection,
    namespace: str,
    endpoint: Endpoint,
    port: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[str]:
    """Forward the endpoint and yield its base URL on 127.0.0.1; ``port`` 0 is any free port.

    ``report`` is called with the reason when a connection fails later. Raises ``InputError`` if forwarding fails.
    """
    pod, target = await _target(connection, namespace, endpoint)
    async with pod_forward(connection, namespace, (pod.metadata.name, target), port, report) as url:
        yield f"{url}/v1"


@asynccontextmanager
async def pod_forward(
    connection: Connection,
    namespace: str,
    target: tuple[str, int],
    port: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[str]:
    """Forward a port of a pod, ``target`` is the pod's name and its port, and yield the URL of the port on 127.0.0.1.

    ``port`` and ``report`` are those of ``port_forward``. Raises ``InputError`` if forwarding fails.
    """
    pod_port = _PodPort(connection, namespace, *target, report)
    try:
        async with pod_port.open():
            pass
    except* _BROKEN as errors:
        if _status(errors) == _FORBIDDEN:
            raise MissingRightError(namespace, PORT_FORWARDS, _reason(errors)) from errors
        raise InputError(
            [Problem(f"Pod {namespace}/{target[0]}", f"port {target[1]} can't be forwarded: {_reason(errors)}")]
        ) from errors
    open_connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(pod_port.relay(reader, writer))
        open_connections.add(task)
        task.add_done_callback(open_connections.discard)

    try:
        server = await asyncio.start_server(accept, "127.0.0.1", port)
    except OSError as error:
        hint = "; give another one, or --port 0 for a free one" if error.errno == errno.EADDRINUSE else ""
        message = f"{port} can't be listened on: {os.strerror(error.errno) if error.errno else error}{hint}"
        raise InputError([Problem("--port", message)]) from error
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
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
    open_channels: set[int] = set()
    while True:
        try:
            message = await socket.receive_bytes()
        except httpx_ws.WebSocketDisconnect:
            return
        channel, data = int.from_bytes(message[:1]), message[1:]
        if channel not in open_channels:
            open_channels.add(channel)  # the first message of each channel is the port's number
        elif channel == _ERROR:
            report(data.decode(errors="replace"))
            return
        else:
            writer.write(data)
            await writer.drain()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _status(errors: BaseExceptionGroup[BaseException]) -> int | None:
    """The status that the API server refused a websocket with, if it answered."""
    status: int | None = getattr(getattr(_first(errors), "response", None), "status_code", None)
    return status


def _reason(errors: BaseExceptionGroup[BaseException]) -> str:
    error, status = _first(errors), _status(errors)
    if status is not None:
        return f"the API server answered {status}"
    if isinstance(error, TimeoutError):
        return "the API server did not answer in time"
    return str(error) or type(error).__name__


async def _target(connection: Connection, namespace: str, endpoint: Endpoint) -> tuple[Pod, int]:
    subject = f"Service {namespace}/{endpoint.service}"
    try:
        live_service = await connection.object("v1", "Service", namespace, endpoint.service)
    except ForbiddenError as error:
        raise MissingRightError(namespace, SERVICES, str(error)) from error
    if live_service is None:
        raise InputError([Problem(subject, "does not exist; `airunway status` shows the deployment's state")])
    service = read_as(Service, live_service)
    selector = ",".join(f"{k}={v}" for k, v in sorted(service.spec.selector.items()))
    if not selector:
        raise InputError([Problem(subject, "selects no pods to forward to")])
    pods = await selected_pods(connection, namespace, selector)
    ready = [pod for pod in pods if pod.is_ready]
    if not ready:
        raise InputError([Problem(subject, f"has no ready pod ({len(pods)} not ready)")])
    pod = min(ready, key=lambda p: p.metadata.name)
    return pod, target_port(service, endpoint.port, pod)


async def selected_pods(connection: Connection, namespace: str, selector: str) -> list[Pod]:
    """Read the pods of a label selector. Raises ``InputError``."""
    try:
        return [read_as(Pod, pod) for pod in await connection.items("v1", "Pod", namespace, selector=selector) or []]
    except ForbiddenError as error:
        raise MissingRightError(namespace, PODS, str(error)) from error


def target_port(service: Service, port: int, pod: Pod) -> int:
    """Return the pod's port behind ``port`` of the Service. Raises ``InputError`` if there is none."""
    subject = f"Service {service.metadata.name}"
    entry = next((p for p in service.spec.ports if p.port == port), None)
    if entry is None:
        raise InputError([Problem(subject, f"has no port {port}")])
    target = entry.target_port or port
    if isinstance(target, int):
        return target
    number = named_port(pod, target)
    if number is None:
        raise InputError([Problem(subject, f"targets port '{target}', which pod {pod.metadata.name} does not have")])
    return number


def named_port(pod: Pod, name: str) -> int | None:
    """Return the number of a pod's port of that name; None if it has none."""
    ports = (port for container in pod.spec.containers for port in container.ports)
    return next((port.container_port for port in ports if port.name == name), None)
