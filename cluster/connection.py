"""The API server of a stack's cluster, by kr8s: lists as plain data, and errors that say which cluster and what to do."""

import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import kr8s.asyncio
from kr8s import APITimeoutError, ServerError

from providers.problems import InputError, Problem
from providers.stack import Cluster

_PAGE = 500
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429


class ForbiddenError(Exception):
    """The account may not read this."""


class UnreachableError(InputError):
    """The API server does not answer, or says that it can't now; it may do so later."""


@dataclass(frozen=True)
class Connection:
    """An open connection; ``api`` is kr8s's."""

    api: Any
    name: str

    async def items(
        self, version: str, resource: str, namespace: str | None = None, *, selector: str = "", metadata_only: bool = False
    ) -> list[dict[str, Any]] | None:
        """Every object of a kind, page by page; None where the kind is not served. Raises ``ForbiddenError`` and ``InputError``."""
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": _PAGE} | ({"labelSelector": selector} if selector else {})
        headers = {"Accept": _METADATA_ONLY} if metadata_only else {}
        kind = ""
        while True:
            answer = await self._get(version, resource, namespace, query, headers)
            if answer is None:
                return None
            kind = str(answer.get("kind", "")).removesuffix("List")
            # A list's elements leave out what the list says for all of them.
            found += [{"apiVersion": version, "kind": kind} | item for item in answer.get("items") or []]
            more = answer["metadata"].get("continue")
            if not more:
                return found
            query["continue"] = more

    async def items_of(self, version: str, resource: str, namespaces: Sequence[str]) -> list[dict[str, Any]] | None:
        """As ``items`` for the whole cluster; where the account may not list that, one list for each of ``namespaces``."""
        try:
            return await self.items(version, resource)
        except ForbiddenError:
            try:
                lists = [await self.items(version, resource, namespace) for namespace in namespaces]
            except ForbiddenError as error:
                raise InputError([Problem(self.name, f"{resource} may not be read: {error}")]) from error
        return None if None in lists else [item for found in lists for item in found or []]

    async def get(self, version: str, path: str) -> dict[str, Any] | None:
        """One object or document; None where it is not there."""
        return await self._get(version, path, None, {}, {})

    async def delete(self, version: str, path: str) -> None:
        """Delete one object; one that is not there is fine. Raises ``ForbiddenError`` and ``InputError``."""
        try:
            async with self.api.call_api("DELETE", version=version, url=path, raise_for_status=False) as response:
                code = response.status_code
                answer: dict[str, Any] = response.json()
        except (APITimeoutError, httpx.HTTPError, OSError, ValueError) as error:
            raise _unreachable(self.name, error) from error
        if code == _FORBIDDEN:
            raise ForbiddenError(answer.get("message"))
        if response.is_error and code != _NOT_FOUND:
            raise InputError([Problem(self.name, f"{path} can't be deleted: {answer.get('message') or code}")])

    async def _get(
        self, version: str, path: str, namespace: str | None, query: dict[str, Any], headers: dict[str, str]
    ) -> dict[str, Any] | None:
        for attempt in range(2):
            try:
                # kr8s's own retries replace the session under requests that run beside this one.
                async with self.api.call_api(
                    "GET", version=version, url=path, namespace=namespace, params=query, headers=headers, raise_for_status=False
                ) as response:
                    code = response.status_code
                    if code == _UNAUTHORIZED and attempt == 0:
                        await self.api.reauthenticate()  # tokens of cloud providers last for an hour or less
                        continue
                    if code == _NOT_FOUND:
                        return None
                    answer: dict[str, Any] = response.json()
            except (APITimeoutError, httpx.HTTPError, OSError, ValueError) as error:
                raise _unreachable(self.name, error) from error
            if code == _FORBIDDEN:
                raise ForbiddenError(answer.get("message"))
            if response.is_error:
                refused = UnreachableError if code == _TOO_MANY or response.is_server_error else InputError
                raise refused([Problem(self.name, f"the API server refused: {answer.get('message') or code}")])
            return answer
        raise InputError([Problem(self.name, "the API server refused the credentials")])


@asynccontextmanager
async def connected(cluster: Cluster) -> AsyncIterator[Connection]:
    """The cluster that the stack names. Raises ``InputError`` where its kubeconfig has no such context or can't be read."""
    name = f"cluster {cluster.context or cluster.kubeconfig}"
    # kr8s warns of every server that is newer than itself; lists have not changed since v1.
    warnings.filterwarnings("ignore", category=UserWarning, module="kr8s")
    try:
        api = await kr8s.asyncio.api(kubeconfig=cluster.kubeconfig, context=cluster.context)
    except (APITimeoutError, ServerError, httpx.HTTPError) as error:
        raise _unreachable(name, error) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            [Problem(name, f"can't be opened: {error}; give cluster.context or cluster.kubeconfig of a kubeconfig")]
        ) from error
    api.timeout = 30
    yield Connection(api, name)


def _unreachable(name: str, error: Exception) -> UnreachableError:
    return UnreachableError([Problem(name, f"the API server can't be reached: {error or type(error).__name__}")])
