"""A deployment's endpoint on this machine: from its Service to a ready pod's port, forwarded by the API server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import httpx_ws
from kr8s import ServerError
from kr8s.asyncio.objects import Pod
from kr8s.asyncio.portforward import PortForward

from cluster.connection import Connection, ForbiddenError
from providers.problems import InputError, Problem
from providers.rendering import Endpoint


@asynccontextmanager
async def forwarded(connection: Connection, namespace: str, endpoint: Endpoint, port: int = 0) -> AsyncIterator[str]:
    """The endpoint's base URL on 127.0.0.1; ``port`` 0 is any free one. Raises ``InputError`` where nothing can be forwarded to."""
    target, remote = await _target(connection, namespace, endpoint)
    pod = Pod(target, api=connection.api)
    await _probe(pod, remote)
    asyncio.get_running_loop().set_exception_handler(_quietly)
    async with AsyncExitStack() as stack:
        try:
            local = await stack.enter_async_context(PortForward(pod, remote, local_port=port or "auto"))
        except OSError as error:
            raise InputError([Problem("--port", f"{port} can't be listened on: {error.strerror or error}")]) from error
        yield f"http://127.0.0.1:{local}/v1"


def _quietly(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of connections that are open at the end: asyncio's streams report their cancellation as an error (Python 3.11)."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


async def _probe(pod: Pod, port: int) -> None:
    """Open a forward once: kr8s (0.20) tries for ever where the server refuses."""
    where = f"{pod.endpoint}/{pod.name}/portforward"
    try:
        async with pod.api.open_websocket(version=pod.version, url=where, namespace=pod.namespace, params={"ports": str(port)}):
            return
    except (httpx_ws.HTTPXWSException, httpx.HTTPError, ServerError) as error:
        raise InputError([Problem(f"Pod {pod.namespace}/{pod.name}", f"port {port} can't be forwarded: {_reason(error)}")]) from error


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    return f"the API server answered {response.status_code}" if response is not None else str(error) or type(error).__name__


async def _target(connection: Connection, namespace: str, endpoint: Endpoint) -> tuple[dict[str, Any], int]:
    where = f"Service {namespace}/{endpoint.service}"
    try:
        service = await connection.get("v1", f"namespaces/{namespace}/services/{endpoint.service}")
        if service is None:
            raise InputError([Problem(where, "is not there; `airunway status` says how far the deployment is")])
        selector = ",".join(f"{k}={v}" for k, v in sorted((service["spec"].get("selector") or {}).items()))
        if not selector:
            raise InputError([Problem(where, "selects no pods, so nothing can be forwarded to")])
        pods = await connection.items("v1", "pods", namespace, selector=selector) or []
    except ForbiddenError as error:
        raise InputError([Problem(where, f"may not be read: {error}")]) from error
    ready = [pod for pod in pods if _is_ready(pod)]
    if not ready:
        raise InputError([Problem(where, f"has no ready pod ({len(pods)} not ready)")])
    pod = min(ready, key=lambda p: str(p["metadata"]["name"]))
    return pod, target_port(service, endpoint.port, pod)


def target_port(service: Mapping[str, Any], port: int, pod: Mapping[str, Any]) -> int:
    """The pod's port behind ``port`` of the Service. Raises ``InputError`` where there is none."""
    where = f"Service {service['metadata']['name']}"
    entry = next((p for p in service["spec"].get("ports") or [] if p["port"] == port), None)
    if entry is None:
        raise InputError([Problem(where, f"has no port {port}")])
    target = entry.get("targetPort", port)
    if isinstance(target, int):
        return target
    named = [p for c in pod["spec"]["containers"] for p in c.get("ports") or [] if p.get("name") == target]
    if not named:
        raise InputError([Problem(where, f"leads to port '{target}', which pod {pod['metadata']['name']} does not have")])
    return int(named[0]["containerPort"])


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    gone = pod["metadata"].get("deletionTimestamp")
    return not gone and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
