"""Connect to a stack's API server and read lists and objects as plain data."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from airunway.live.api_server.kubeconfig import name_of, read_context
from airunway.live.api_server.resource_names import plural
from airunway.live.api_server.responses import (
    InvalidResponseError,
    Resource,
    read_json,
    read_object,
    read_page,
    read_resources,
    refusal,
)
from airunway.live.api_server.room import Room
from airunway.live.api_server.session import Session
from airunway.planning.settings import Cluster
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import load_data

_PAGE_SIZE, _MAX_PAGES = 500, 1_000
_LIST_REQUESTS = int(load_data(Path(__file__).with_name("limits.yaml"))["listRequests"])
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _GONE, _TOO_MANY = 401, 403, 404, 410, 429


class ForbiddenError(Exception):
    """The account may not do this."""


class UnreachableError(InputError):
    """The API server does not respond, or is overloaded; a retry may succeed."""


class _ExpiredError(Exception):
    """A list's continue token has expired."""


class Connection:
    """One API server. All methods raise ``InputError``, and ``ForbiddenError`` for what the account may not do."""

    def __init__(self, session: Session, name: str) -> None:
        self.session, self.name = session, name
        self._resources: dict[str, dict[str, Resource]] = {}
        self._is_kubernetes = False
        self._lock = asyncio.Lock()

    async def items(
        self,
        version: str,
        kind: str,
        namespace: str | None = None,
        *,
        selector: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> list[dict[str, Any]] | None:
        """List the objects of a kind with these labels and ``fields``, of those that the API server selects by; None if
        the kind is not served.
        """
        resource = await self.resource(version, kind)
        if resource is None:
            return None
        path = _path(version, namespace, resource.name)
        selectors = {"labelSelector": selector, "fieldSelector": fields}
        query = {name: text for name, text in selectors.items() if text}
        headers = {"Accept": _METADATA_ONLY} if metadata_only else {}
        seconds = _LIST_REQUESTS * self.session.timeout
        try:
            async with asyncio.timeout(seconds):
                try:
                    return await self._pages(version, resource, path, query | {"limit": str(_PAGE_SIZE)}, headers)
                except _ExpiredError:
                    # Without pages, as client-go does: they would only expire again.
                    return await self._pages(version, resource, path, query, headers)
        except _ExpiredError as error:
            raise self._invalid(f"its list of {kind} expires while it is read, even as a whole") from error
        except TimeoutError as error:
            raise self._unreachable(f"its list of {kind} does not end within {seconds} seconds") from error

    async def items_of(
        self, version: str, kind: str, namespaces: Sequence[str], selector: str = ""
    ) -> list[dict[str, Any]] | None:
        """List the objects of the whole cluster or, without the right to, of each of ``namespaces``."""
        try:
            return await self.items(version, kind, selector=selector)
        except ForbiddenError:
            try:
                lists = [await self.items(version, kind, namespace, selector=selector) for namespace in namespaces]
            except ForbiddenError as error:
                raise InputError([Problem(self.name, f"{kind} may not be read: {error}")]) from error
        return None if None in lists else [item for objects in lists for item in objects or []]

    async def object(self, version: str, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """Read one object; None if it or its kind does not exist."""
        resource = await self.resource(version, kind)
        body = await self._get(f"{_path(version, namespace, resource.name)}/{name}") if resource else None
        with self._validating():
            return read_object(body, version, resource) if body is not None and resource else None

    async def text(self, path: str, query: Mapping[str, str]) -> bytes | None:
        """Read what is no object, such as a log; None if it does not exist."""
        await self._check_server()
        # As kubectl asks (1.36): errors come as JSON, and a log as it is.
        response = await self._respond("GET", path, query, {"Accept": "application/json, */*"})
        return None if response is None else response.content

    async def delete(self, version: str, kind: str, namespace: str | None, name: str) -> None:
        """Delete one object, if it exists."""
        resource = await self.resource(version, kind)
        if resource is not None:
            await self._request("DELETE", f"{_path(version, namespace, resource.name)}/{name}", {}, {})

    async def resource(self, version: str, kind: str) -> Resource | None:
        """Return the API resource of a kind; None if it is not served."""
        resources = self._resources.get(version, {})
        if kind not in resources:
            try:
                body = await self._get(_path(version, None))
            except ForbiddenError:
                return Resource(name=plural(kind), kind=kind)
            # A missing kind may be installed soon, so only existing ones are cached.
            with self._validating():
                resources = self._resources[version] = {} if body is None else read_resources(body)
        return resources.get(kind)

    async def _pages(
        self, version: str, resource: Resource, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> list[dict[str, Any]] | None:
        objects: list[dict[str, Any]] = []
        tokens: set[str] = set()
        token, room = "", Room()
        while len(tokens) < _MAX_PAGES:
            body = await self._get(path, {**query, "continue": token} if token else query, headers, room)
            if body is None:
                return None
            with self._validating():
                page, token = read_page(body, version, resource)
            objects += page
            if not token:
                return objects
            if token in tokens:
                raise self._invalid(f"its list of {resource.kind} repeats a continue token")
            tokens.add(token)
        raise self._invalid(f"its list of {resource.kind} does not end within {_MAX_PAGES:,} pages")

    async def _get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        room: Room | None = None,
    ) -> Any:
        """Send a GET request; None if the path does not exist. ``room`` is what is left for its answer."""
        await self._check_server()
        return await self._request("GET", path, query or {}, headers or {}, room)

    async def _check_server(self) -> None:
        async with self._lock:
            if not self._is_kubernetes:
                # A server that is not Kubernetes answers 404 to every path, which would look like an empty cluster.
                with suppress(ForbiddenError):
                    version = await self._request("GET", "/version", {}, {})
                    if not isinstance((version or {}).get("gitVersion"), str):
                        raise self._invalid("its /version is not that of Kubernetes")
                self._is_kubernetes = True

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        room: Room | None = None,
    ) -> Any:
        response = await self._respond(method, path, query, {"Accept": "application/json", **headers})
        if response is None:
            return None
        with self._validating():
            (room or Room()).take(response.content)
            return read_json(response)

    async def _respond(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> httpx.Response | None:
        """Send a request and return the answer of one that succeeds; None if the path does not exist."""
        try:
            with self._validating():
                response = await self.session.send(method, path, query, headers)
        except TimeoutError as error:
            raise self._unreachable(f"no response within {self.session.timeout} seconds") from error
        except (httpx.HTTPError, UnicodeError) as error:  # UnicodeError: an invalid host name
            raise self._unreachable(_reason(error)) from error
        code = response.status_code
        if response.is_success:
            return response
        if code == _NOT_FOUND:
            return None
        if code == _FORBIDDEN:
            raise ForbiddenError(refusal(response))
        if code == _GONE and "continue" in query:
            raise _ExpiredError
        if code == _UNAUTHORIZED:
            raise InputError([Problem(self.name, f"the API server refused the credentials: {refusal(response)}")])
        error_type = UnreachableError if code == _TOO_MANY or response.is_server_error else InputError
        raise error_type([Problem(self.name, f"the API server refused: {refusal(response)}")])

    @contextmanager
    def _validating(self) -> Iterator[None]:
        try:
            yield
        except InvalidResponseError as error:
            raise self._invalid(str(error)) from error

    def _invalid(self, reason: str) -> InputError:
        return InputError([Problem(self.name, f"{self.session.server} is not a Kubernetes API server: {reason}")])

    def _unreachable(self, reason: str) -> UnreachableError:
        return UnreachableError(
            [Problem(self.name, f"the API server {self.session.server} can't be reached: {reason}")]
        )


@asynccontextmanager
async def connect(cluster: Cluster, project: Path | None = None) -> AsyncIterator[Connection]:
    """Connect to a stack's cluster on the first request; relative paths start in ``project``.

    Raises ``InputError`` if the kubeconfig can't be read or lacks the context.
    """
    folder = project or Path.cwd()
    async with AsyncExitStack() as exits:
        session = Session(lambda: read_context(cluster, folder, os.environ), os.environ, exits)
        yield Connection(session, name_of(cluster))


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """Run tasks concurrently; if one fails, cancel the others and raise its error itself."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection in time"
    return str(error) or type(error).__name__


def _path(version: str, namespace: str | None, resource: str = "") -> str:
    parts = [
        "/api" if version == "v1" else "/apis",
        version,
        *(["namespaces", namespace] if namespace else []),
        resource,
    ]
    return "/".join(part for part in parts if part)


def label_selector(labels: Mapping[str, str]) -> str:
    """Format a selector for objects with all of ``labels``."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
