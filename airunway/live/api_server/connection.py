"""The API server of a stack's cluster: lists and objects as plain data, and errors that say which cluster and what to
do.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from airunway.live.api_server.answers import (
    OddAnswerError,
    Resource,
    read_json,
    read_object,
    read_page,
    read_resources,
    refusal,
)
from airunway.live.api_server.kubeconfig import name_of, read_context
from airunway.live.api_server.resource_names import plural
from airunway.live.api_server.session import DEADLINE, Session
from airunway.planning.settings import Cluster
from airunway.text.problems import InputError, Problem

_PAGE, _MAX_PAGES = 500, 1_000
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _GONE, _TOO_MANY = 401, 403, 404, 410, 429


class ForbiddenError(Exception):
    """The account may not do this."""


class UnreachableError(InputError):
    """The API server does not answer, or says that it can't now; it may do so later."""


class _ExpiredError(Exception):
    """The state from which a list's pages come is gone."""


class Connection:
    """One API server. All methods raise ``InputError``, and ``ForbiddenError`` for what the account may not do."""

    def __init__(self, session: Session, name: str) -> None:
        self.session, self.name = session, name
        self._resources: dict[str, dict[str, Resource]] = {}
        self._recognized = False
        self._lock = asyncio.Lock()

    async def items(
        self, version: str, kind: str, namespace: str | None = None, *, selector: str = "", metadata_only: bool = False
    ) -> list[dict[str, Any]] | None:
        """Every object of a kind; None where the kind is not served."""
        resource = await self.resource(version, kind)
        if resource is None:
            return None
        path = _path(version, namespace, resource.name)
        query = {"labelSelector": selector} if selector else {}
        headers = {"Accept": _METADATA_ONLY} if metadata_only else {}
        try:
            return await self._pages(version, resource, path, query | {"limit": str(_PAGE)}, headers)
        except _ExpiredError:
            # All at once, as client-go does: pages would only expire again.
            return await self._pages(version, resource, path, query, headers)

    async def items_of(
        self, version: str, kind: str, namespaces: Sequence[str], selector: str = ""
    ) -> list[dict[str, Any]] | None:
        """As ``items`` for the whole cluster; where the account may not list that, one list for each of
        ``namespaces``.
        """
        try:
            return await self.items(version, kind, selector=selector)
        except ForbiddenError:
            try:
                lists = [await self.items(version, kind, namespace, selector=selector) for namespace in namespaces]
            except ForbiddenError as error:
                raise InputError([Problem(self.name, f"{kind} may not be read: {error}")]) from error
        return None if None in lists else [item for found in lists for item in found or []]

    async def object(self, version: str, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        """One object; None where it is not there, or its kind is not served."""
        resource = await self.resource(version, kind)
        answer = await self._get(f"{_path(version, namespace, resource.name)}/{name}") if resource else None
        with self._reading():
            return read_object(answer, version, resource) if answer is not None and resource else None

    async def delete(self, version: str, kind: str, namespace: str | None, name: str) -> None:
        """Delete one object; one that is not there is fine."""
        resource = await self.resource(version, kind)
        if resource is not None:
            await self._answer("DELETE", f"{_path(version, namespace, resource.name)}/{name}", {}, {})

    async def resource(self, version: str, kind: str) -> Resource | None:
        """How the API knows a kind; None where it is not served."""
        known = self._resources.get(version, {})
        if kind not in known:
            try:
                answer = await self._get(_path(version, None))
            except ForbiddenError:
                return Resource(name=plural(kind), kind=kind)
            # What is not there now may be soon, so only what is there is kept.
            with self._reading():
                known = self._resources[version] = {} if answer is None else read_resources(answer)
        return known.get(kind)

    async def _pages(
        self, version: str, resource: Resource, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> list[dict[str, Any]] | None:
        objects: list[dict[str, Any]] = []
        tokens: set[str] = set()
        token = ""
        while len(tokens) < _MAX_PAGES:
            answer = await self._get(path, {**query, "continue": token} if token else query, headers)
            if answer is None:
                return None
            with self._reading():
                page, token = read_page(answer, version, resource)
            objects += page
            if not token:
                return objects
            if token in tokens:
                raise self._odd(f"its list of {resource.kind} leads back to a page that was there before")
            tokens.add(token)
        raise self._odd(f"its list of {resource.kind} does not end within {_MAX_PAGES:,} pages")

    async def _get(
        self, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The map that the server answers with; None where there is no such thing."""
        async with self._lock:
            if not self._recognized:
                # A server that knows nothing of Kubernetes has nothing at any path, which would look like an empty
                # cluster.
                with suppress(ForbiddenError):
                    version = await self._answer("GET", "/version", {}, {})
                    if not isinstance((version or {}).get("gitVersion"), str):
                        raise self._odd("its /version is not Kubernetes'")
                self._recognized = True
        return await self._answer("GET", path, query or {}, headers or {})

    async def _answer(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Any:
        try:
            response = await self.session.send(method, path, query, {"Accept": "application/json", **headers})
        except TimeoutError as error:
            raise self._unreachable(f"no answer within {DEADLINE:.0f} seconds") from error
        except (httpx.HTTPError, UnicodeError) as error:  # the latter of a host that is no name
            raise self._unreachable(str(error) or type(error).__name__) from error
        code = response.status_code
        if response.is_success:
            with self._reading():
                return read_json(response)
        if code == _NOT_FOUND:
            return None
        if code == _FORBIDDEN:
            raise ForbiddenError(refusal(response))
        if code == _GONE and "continue" in query:
            raise _ExpiredError
        if code == _UNAUTHORIZED:
            raise InputError([Problem(self.name, f"the API server refused the credentials: {refusal(response)}")])
        refused = UnreachableError if code == _TOO_MANY or response.is_server_error else InputError
        raise refused([Problem(self.name, f"the API server refused: {refusal(response)}")])

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OddAnswerError as error:
            raise self._odd(str(error)) from error

    def _odd(self, what: str) -> InputError:
        return InputError([Problem(self.name, f"{self.session.server} does not answer as an API server does: {what}")])

    def _unreachable(self, why: str) -> UnreachableError:
        return UnreachableError([Problem(self.name, f"the API server {self.session.server} can't be reached: {why}")])


@asynccontextmanager
async def connected(cluster: Cluster, project: Path | None = None) -> AsyncIterator[Connection]:
    """The cluster that a stack names, which is first asked when something is read; relative paths start in ``project``.

    Raises ``InputError`` where the kubeconfig has no such context or can't be read.
    """
    folder = project or Path.cwd()
    async with AsyncExitStack() as exits:
        session = Session(lambda: read_context(cluster, folder, os.environ), os.environ, exits)
        yield Connection(session, name_of(cluster))


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """Reads that go on at the same time; where one fails the others end, and its error is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _path(version: str, namespace: str | None, resource: str = "") -> str:
    parts = [
        "/api" if version == "v1" else "/apis",
        version,
        *(["namespaces", namespace] if namespace else []),
        resource,
    ]
    return "/".join(part for part in parts if part)


def label_selector(labels: Mapping[str, str]) -> str:
    """The selector of objects that have all of ``labels``."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
