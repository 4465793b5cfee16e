"""Access control of the console: a one-time token, the Host and Origin headers, and a session cookie."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse

MAX_BODY = 1 << 20
"""Maximum size of a request body, in bytes."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action"
    " 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"x-frame-options": b"DENY",
}
_SAFE = ("GET", "HEAD")
_ANOTHER = "for another one, press Enter in the console's terminal, or start the console again"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """Middleware that checks Host, Origin, token, cookie and body size, and adds security headers.

    ``hosts`` are the accepted values of the Host header. They stop DNS rebinding; Origin and a SameSite cookie stop
    requests from pages of other sites.
    """

    def __init__(self, app: App, hosts: Iterable[str]) -> None:
        self._app, self._hosts = app, frozenset(hosts)
        self.token: str | None = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)

    def renew_token(self) -> str:
        """Make the token of another address, and forget that of an address that nobody has used."""
        self.token = secrets.token_urlsafe(32)
        return self.token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close"})  # before it is accepted: the server answers 403
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        sender = _with_headers(send)
        if isinstance(refusal, PlainTextResponse | RedirectResponse):
            await refusal(scope, receive, sender)
            return
        await self._app(scope, _limit_body(receive), sender)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> PlainTextResponse | RedirectResponse | None:
        host = headers.get("host", "")
        if host not in self._hosts:
            return PlainTextResponse("This console only accepts its own address.", 421)
        if scope["method"] not in _SAFE and headers.get("origin") != f"http://{host}":
            return PlainTextResponse("Changes are only accepted from the console's own pages.", 403)
        length = headers.get("content-length", "")
        if length.isdecimal() and (len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY):
            return PlainTextResponse(f"Requests are limited to {MAX_BODY} bytes.", 413)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if scope["method"] == "GET" and "token" in query:
            return self._admit(host, scope["path"], query)
        if not hmac.compare_digest(
            cookie_parser(headers.get("cookie", "")).get(cookie_of(host), "").encode(), self._session.encode()
        ):
            return PlainTextResponse(
                f"Open the address that `airunway console` printed. It works once; {_ANOTHER}.",
                403,
            )
        return None

    def _admit(self, host: str, path: str, query: dict[str, str]) -> PlainTextResponse | RedirectResponse:
        """Exchange the one-time token for a session cookie, and redirect to the page without the token."""
        token = query.pop("token")
        if self.token is None or not hmac.compare_digest(token.encode(), self.token.encode()):
            return PlainTextResponse(f"This address is no longer good; {_ANOTHER}.", 403)
        self.token = None
        # Never "//host", which a browser treats as another site.
        answer = RedirectResponse(f"/{path.lstrip('/')}" + (f"?{urlencode(query)}" if query else ""), 303)
        answer.set_cookie(cookie_of(host), self._session, httponly=True, samesite="strict", path="/")
        return answer


def cookie_of(host: str) -> str:
    """Return the cookie's name for a Host header, with the port, which browsers ignore for cookies."""
    return f"airunway_console_{host.rpartition(':')[2]}"


def _limit_body(receive: Receive) -> Receive:
    """Limit the body's size, whatever its Content-Length says."""
    received = 0

    async def limited() -> MutableMapping[str, Any]:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY:
            raise BodyTooLargeError
        return message

    return limited


class BodyTooLargeError(Exception):
    """The body is larger than the limit."""


def _with_headers(send: Send) -> Send:
    async def sender(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            added = {**_HEADERS, b"content-security-policy": POLICY.encode()}
            message["headers"] = [
                *message["headers"],
                *((name, value) for name, value in added.items() if name not in present),
            ]
        await send(message)

    return sender
