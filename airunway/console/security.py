"""Who may use the console: the browser that was given the one-time token, from this machine, from our own pages."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse

MAX_BODY = 1 << 20
"""Longest request body, in bytes."""
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

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """Middleware: Host and Origin of every request, token and cookie, size of the body, headers of every answer.

    ``hosts`` are the values of the Host header that mean this console. A page of another site can make the browser send
    requests here, and a name that it controls may lead here (DNS rebinding): neither gets past Host, Origin and a
    SameSite cookie.
    """

    def __init__(self, app: App, hosts: Iterable[str]) -> None:
        self._app, self._hosts = app, frozenset(hosts)
        self.token: str | None = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        sender = _with_headers(send)
        if isinstance(refusal, PlainTextResponse | RedirectResponse):
            await refusal(scope, receive, sender)
            return
        await self._app(scope, _limited(receive), sender)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> PlainTextResponse | RedirectResponse | None:
        host = headers.get("host", "")
        if host not in self._hosts:
            return PlainTextResponse("This console answers to its own address only.", 421)
        if scope["method"] not in _SAFE and headers.get("origin") != f"http://{host}":
            return PlainTextResponse("Changes are taken from the console's own pages only.", 403)
        length = headers.get("content-length", "")
        if length.isdecimal() and (len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY):
            return PlainTextResponse(f"More than {MAX_BODY} bytes are not taken.", 413)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if scope["method"] == "GET" and "token" in query:
            return self._admitted(host, scope["path"], query)
        if not hmac.compare_digest(
            cookie_parser(headers.get("cookie", "")).get(cookie_of(host), "").encode(), self._session.encode()
        ):
            return PlainTextResponse(
                "Open the address that `airunway console` printed; it works once. Start the console again for another.",
                403,
            )
        return None

    def _admitted(self, host: str, path: str, query: dict[str, str]) -> PlainTextResponse | RedirectResponse:
        """The cookie for the token, which is used up by it, and the same page without the token in its address."""
        given = query.pop("token")
        if self.token is None or not hmac.compare_digest(given.encode(), self.token.encode()):
            return PlainTextResponse("This address has been used already. Start the console again for another.", 403)
        self.token = None
        # Never "//host", which a browser takes for another site.
        answer = RedirectResponse(f"/{path.lstrip('/')}" + (f"?{urlencode(query)}" if query else ""), 303)
        answer.set_cookie(cookie_of(host), self._session, httponly=True, samesite="strict", path="/")
        return answer


def cookie_of(host: str) -> str:
    """The cookie's name for a value of the Host header: browsers tell cookies apart by host, not by port, consoles
    must.
    """
    return f"airunway_console_{host.rpartition(':')[2]}"


def _limited(receive: Receive) -> Receive:
    """The body up to its limit, whatever its length was said to be."""
    taken = 0

    async def limited() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY:
            raise BodyTooLargeError
        return message

    return limited


class BodyTooLargeError(Exception):
    """The body is longer than it was said to be."""


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
