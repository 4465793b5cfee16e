"""An HTTP client for one API server, made from a kubeconfig's context as client-go (0.36) makes its own."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from airunway.live.api_server import bounded_answers
from airunway.live.api_server.credentials import Credentials, credentials_of
from airunway.live.api_server.kubeconfig import Context
from airunway.live.api_server.kubeconfig_entries import ClusterEntry, UserEntry
from airunway.live.api_server.proxy import environment_proxy
from airunway.live.api_server.retries import pause_before_retry
from airunway.live.api_server.tls import tls_context
from airunway.spec.durations import is_duration, seconds
from airunway.text.problems import InputError, Problem, format_value
from airunway.text.yaml_reading import load_data

if TYPE_CHECKING:
    import httpx_ws

_LIMITS = load_data(Path(__file__).with_name("limits.yaml"))
_REQUEST_SECONDS, _CONNECTIONS = int(_LIMITS["requestSeconds"]), int(_LIMITS["requestConnections"])
_TIMEOUT = "AIRUNWAY_REQUEST_TIMEOUT"
_UNAUTHORIZED = 401
_HEADER_MARKS = "!#$&'*+-.^_`|~"
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Access:
    """What a request needs: a client and the authentication headers."""

    client: httpx.AsyncClient
    headers: Headers = field(repr=False)
    credentials: Credentials


class Session:
    """Authenticated access to one API server; ``read`` is called again when credentials expire or are refused."""

    def __init__(self, read: Callable[[], Context], environment: Mapping[str, str], exits: AsyncExitStack) -> None:
        self._read, self._environment, self._exits = read, environment, exits
        self.timeout = request_timeout(environment)
        """Seconds that a request may take, including its retries."""
        self._context = read()
        self._access: Access | None = None
        self._lock = asyncio.Lock()

    @property
    def server(self) -> str:
        """The API server's address."""
        return str(self._context.cluster.server)

    async def send(
        self, method: str, path: str, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> httpx.Response:
        """Send a request and return the response, with renewed credentials if they are refused.

        Raises ``TimeoutError``, ``httpx.HTTPError``, ``InvalidResponseError``, and ``InputError`` without credentials.
        """
        access = await self.access()
        response = await self._send(access, method, path, query, headers)
        if response.status_code == _UNAUTHORIZED:
            renewed = await self.access(access)
            if renewed.credentials != access.credentials:
                response = await self._send(renewed, method, path, query, headers)
        return response

    @asynccontextmanager
    async def websocket(self, path: str, query: Mapping[str, Any]) -> AsyncIterator["httpx_ws.AsyncWebSocketSession"]:
        """Open a websocket to the server. Raises ``httpx_ws.HTTPXWSException`` and what ``send`` raises."""
        import httpx_ws  # from the extra `live`, which Pulumi components don't need

        access = await self.access()
        async with AsyncExitStack() as opened:
            async with asyncio.timeout(self.timeout):
                socket: httpx_ws.AsyncWebSocketSession = await opened.enter_async_context(
                    httpx_ws.aconnect_ws(path, access.client, params=query, headers=httpx.Headers(access.headers))
                )
            yield socket

    async def access(self, refused: Access | None = None) -> Access:
        """Return access for the next request, renewed if it expired or was ``refused``. Raises ``InputError``."""
        async with self._lock:
            if self._access is None:
                self._access = await self._create_access(self._context, None)
            elif self._access is refused or self._access.credentials.expired:
                context = self._read()
                same_cluster = context.cluster == self._context.cluster
                self._access = await self._create_access(context, self._access if same_cluster else None)
                self._context = context
            return self._access

    async def _send(
        self, access: Access, method: str, path: str, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> httpx.Response:
        """Send a request, retrying within the timeout if the server is busy or closes the connection."""
        all_headers = [*access.headers, *((name.encode(), value.encode()) for name, value in headers.items())]
        outcome: httpx.Response | httpx.HTTPError | None = None
        attempts = 0
        try:
            async with asyncio.timeout(self.timeout) as limit:
                deadline = limit.when() or 0.0
                while True:
                    attempts += 1
                    request = access.client.build_request(method, path, params=query, headers=all_headers)
                    try:
                        outcome = await bounded_answers.send(access.client, request)
                    except httpx.HTTPError as error:
                        outcome = error
                    pause = pause_before_retry(method, outcome, attempts)
                    if pause is None or asyncio.get_running_loop().time() + pause >= deadline:
                        if isinstance(outcome, httpx.HTTPError):
                            raise outcome
                        return outcome
                    await asyncio.sleep(pause)
        except TimeoutError:
            # What a busy server said before says more than that it did not answer again.
            if isinstance(outcome, httpx.Response):
                return outcome
            raise

    async def _create_access(self, context: Context, previous: Access | None) -> Access:
        credentials = await credentials_of(context, self._environment)
        client = (
            previous.client if previous and _certificate(previous.credentials) == _certificate(credentials) else None
        )
        if client is None:
            # The previous client stays open: requests and port forwards may still use it.
            client = await self._exits.enter_async_context(self._client(context, credentials))
        return Access(client, headers_of(credentials, context.user), credentials)

    def _client(self, context: Context, credentials: Credentials) -> httpx.AsyncClient:
        return client_of(context.cluster, credentials, self._environment, self.timeout / _CONNECTIONS)


def request_timeout(environment: Mapping[str, str]) -> int:
    """Return the seconds that a request may take. Raises ``InputError`` if the environment says no valid duration."""
    text = environment.get(_TIMEOUT, "")
    if not text:
        return _REQUEST_SECONDS
    if not is_duration(text) or not seconds(text):
        raise InputError([Problem(_TIMEOUT, f"{format_value(text)} given, must be a duration such as 10s or 2m")])
    return seconds(text)


def client_of(
    cluster: ClusterEntry, credentials: Credentials, environment: Mapping[str, str], connect_seconds: float
) -> httpx.AsyncClient:
    """Create a client for the cluster's server; callers set the other deadlines. Raises ``InputError``."""
    server = str(cluster.server)
    proxy = cluster.proxy_url or environment_proxy(server, environment)
    try:
        return httpx.AsyncClient(
            base_url=server,
            verify=tls_context(cluster, credentials) if server.startswith("https:") else False,
            proxy=proxy,
            trust_env=False,  # the proxy is selected above, and ~/.netrc must not apply
            timeout=httpx.Timeout(None, connect=connect_seconds),
        )
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InputError(
            [Problem(f"server '{server}'" + (", or its proxy" if proxy else ""), f"is not a URL: {error}")]
        ) from error


def headers_of(credentials: Credentials, user: UserEntry) -> Headers:
    """Return the authentication and impersonation headers. Raises ``InputError`` for invalid header values."""
    values: list[tuple[str, str]] = []
    if credentials.token:
        values.append(("Authorization", f"Bearer {credentials.token}"))
    elif credentials.basic:
        values.append(("Authorization", f"Basic {base64.b64encode(credentials.basic.encode()).decode()}"))
    if user.impersonated:
        values.append(("Impersonate-User", user.impersonated))
        values += [("Impersonate-Uid", user.impersonated_uid)] if user.impersonated_uid else []
        values += [("Impersonate-Group", group) for group in user.impersonated_groups or []]
        for key, texts in (user.impersonated_extra or {}).items():
            values += [(f"Impersonate-Extra-{quote(key, safe=_HEADER_MARKS)}", text) for text in texts]
    for name, value in values:
        if not value.isprintable():  # httpx would show the value
            raise InputError(
                [
                    Problem(
                        "the user's token" if name == "Authorization" else name,
                        "has characters that are invalid in a header",
                    )
                ]
            )
    return [(name.encode(), value.encode()) for name, value in values]


def _certificate(credentials: Credentials) -> tuple[bytes, bytes]:
    return credentials.certificate, credentials.key
