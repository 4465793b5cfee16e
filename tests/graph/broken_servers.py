"""The ways in which an API server, or what stands before it, can be broken: one table."""

import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

from tests.graph.api_server import Answer, Rule
from tests.graph.live_commands import WORKSPACES, item

WORKSPACE = "/apis/kaito.sh/v1beta1/namespaces/default/workspaces/cpu"
IN_NAMESPACE = "/apis/kaito.sh/v1beta1/namespaces/default/workspaces"
SERVICE = "/api/v1/namespaces/default/services/cpu"
HARD = "no\x00pe\x1b[31m\r\n::error::forged\u2028##[error]x\ud800"
"""A text with what a terminal, a runner or a codec stumbles over."""

TOO_LONG = r"more than 33,554,432 bytes, the most that is read"
LOST = "can't be reached: "
NOT_KUBERNETES = "is not a Kubernetes API server: "
SHORT = b"Content-Length: 5"


@dataclass(frozen=True)
class Mode:
    """One way: what every path answers, and the error's pattern where the first answer or that about objects is so.

    It is empty where the command gets along with the answer.
    """

    name: str
    answer: Rule
    first: str
    later: str
    asked: int | None = None
    """How often the server is asked the same, where chance does not decide it."""
    slow: bool = False
    """Whether it takes all the time that a request has."""


def _told(name: str, answer: Rule, says: str, asked: int | None = 1, *, slow: bool = False) -> Mode:
    return Mode(name, answer, says, says, asked, slow or asked is None)


def _stalls(name: str, answer: Rule, asked: int | None = 1) -> Mode:
    return _told(name, answer, f"no response within 1 seconds|{LOST}", asked, slow=True)


def _busy(status: int, retry_after: str | None = None, date: datetime | None = None) -> Callable[[Any], Answer]:
    headers = {"Retry-After": retry_after} if retry_after else {}

    def answer(_: dict[str, str]) -> Answer:
        when = {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)} if date else {}
        return Answer({"kind": "Status", "message": "come again"}, status, headers | when)

    return answer


def _raw(*pieces: bytes, reset: bool = False) -> Answer:
    return Answer(raw=lambda: pieces, reset=reset)


def _forever(first: bytes, piece: bytes, pause: float = 0) -> Answer:
    def pieces() -> Iterator[bytes]:
        yield first
        while True:
            yield piece
            time.sleep(pause)

    return Answer(raw=pieces)


def _silent(first: bytes = b"") -> Answer:
    def pieces() -> Iterable[bytes]:
        yield first
        time.sleep(2)

    return Answer(raw=pieces)


def _reply(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"", body])


@cache
def _packed(mebibytes: int, times: int) -> bytes:
    """Spaces, packed as often as that."""
    packer = zlib.compressobj(1, wbits=31)
    data = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(mebibytes)) + packer.flush()
    for _ in range(times - 1):
        packer = zlib.compressobj(1, wbits=31)
        data = packer.compress(data) + packer.flush()
    return data


def _encoded(body: Callable[[], bytes], encoding: str) -> Callable[[Any], Answer]:
    return lambda _: Answer(body(), headers={"Content-Encoding": encoding})


ANSWERS = (
    # It says nothing, or never ends.
    _stalls("never answers", _silent()),
    _stalls("drips its status line", _forever(b"", b"H", 0.05), None),
    _stalls("drips its headers", _forever(b"HTTP/1.1 200 OK\r\nA: ", b"a", 0.05)),
    _stalls("drips its body", Answer(b"{" + b" " * 60, slowly=0.05)),
    _stalls("stalls in its body", _silent(_reply(b'{"git', b"Content-Length: 99"))),
    _stalls("says only to go on", _forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01)),
    _told("has headers without end", _forever(b"HTTP/1.1 200 OK\r\n", b"A: " + b"a" * 999 + b"\r\n"), LOST, None),
    _told("has a header without end", _forever(b"HTTP/1.1 200 OK\r\nA: ", b"a" * 9999), LOST, None),
    _told("has a body without end", _forever(_reply(b"", b""), b" " * 99_999), TOO_LONG),
    _told(
        "has chunks without end",
        _forever(_reply(b"", b"Transfer-Encoding: chunked"), b"2710\r\n" + b" " * 10_000 + b"\r\n"),
        TOO_LONG,
    ),
    _told("has a gigantic answer", lambda _: Answer(b" " * (34 << 20)), TOO_LONG),
    _told("packs a bomb", _encoded(lambda: _packed(256, 1), "gzip"), TOO_LONG),
    _told("packs a bomb twice", _encoded(lambda: _packed(256, 2), "gzip, gzip"), "encoding 'gzip, gzip', must be gzip"),
    # It refuses.
    Mode("refuses with a page", Answer(b"<html>\n<p>No", 403, kind="text/html"), "", "403 Forbidden: <html> <p>No"),
    Mode("finds nothing", Answer(b"404 page not found\n", 404, kind="text/plain"), NOT_KUBERNETES + "its /version", ""),
    _told(
        "fails with a page", Answer(b"<html>\n<p>No", 500, kind="text/html"), "500 Internal Server Error: <html> <p>No"
    ),
    _told(
        "is away, with a text",
        Answer(b"no\nbackend\n", 503, kind="text/plain"),
        "503 Service Unavailable: no back",
        None,
    ),
    _told(
        "does not know the account", Answer({"message": "who?"}, 401), "refused the credentials: 401 Unauthorized: who"
    ),
    _told("claims a charset that is no text", Answer(b"zz", 500, kind="text/html; charset=hex"), "500 Int.*: zz"),
    _told("refuses with a huge page", Answer(b"a " * 1_000_000, 500), "500 Internal Server Error: (a ){50,}"),
    _told("refuses with a huge Status", Answer({"message": "a" * 2_000_000}, 500), '500 Internal Server Error: {"mess'),
    _told("refuses in a hard text", Answer({"message": HARD}, 500), r"nope\[31m \| ::error::forged \| ## \[error\]x$"),
    _told("has a code that there is not", _raw(_reply(b"", SHORT, status=b"999 \x1b[31m")), f"999|{LOST}", None),
    _told("switches the protocol", _raw(_reply(b"", status=b"101 Switching Protocols")), f"101|{LOST}", None),
    _told("has nothing to say", Answer(b"", 204), "is not JSON|is a "),
    _told("has not changed", Answer(b"", 304), "refused: 304 Not Modified"),
    # It is busy: asked again where that can be in time.
    _told("is busy", _busy(429), "429 Too Many Requests: come again", None),
    _told("is busy for seconds", _busy(429, "4"), "429 Too Many Requests: come again"),
    _told("is busy for an hour", _busy(429, "3600"), "429 Too Many Requests: come again"),
    _told("is busy until a date", _busy(429, date=datetime.now(UTC)), "429 Too Many Requests: come again"),
    _told("is busy until yesterday", _busy(429, "Wed, 21 Oct 2015 07:28:00 GMT"), "429 Too Many", 11),
    _told("is busy until some day", _busy(429, "soon"), "429 Too Many Requests: come again", None),
    _told("is busy for longer than numbers reach", _busy(503, "9" * 400), "503 Service Unavailable: come again"),
    _told("is unavailable", _busy(503), "503 Service Unavailable: come again", None),
    _told("is unavailable for no time", _busy(503, "0"), "503 Service Unavailable: come again", 11),
    _told("is unavailable until a date", _busy(503, date=datetime.now(UTC)), "503 Service Unavailable: come again"),
    _told("has no backend", _busy(502), "502 Bad Gateway: come again", None),
    _told("has a slow backend", _busy(504), "504 Gateway Timeout: come again", None),
    # It sends elsewhere.
    _told("sends elsewhere", Answer({}, 302, {"Location": "http://127.0.0.1:1/version"}), "refused: 302 Found"),
    _told("sends to itself", Answer({}, 307, {"Location": "/version"}), "refused: 307 Temporary Redirect"),
    # The connection breaks.
    _told("closes before it answers", _raw(), LOST, None),
    _told("resets before it answers", _raw(reset=True), LOST, None),
    _told("resets in its answer", _raw(_reply(b'{"git', b"Content-Length: 99"), reset=True), LOST, None),
    _told("cuts its answer", Answer({"gitVersion": "v1"}, cut=True), LOST, None),
    _told("cuts its chunks", _raw(_reply(b"9\r\n{", b"Transfer-Encoding: chunked")), LOST, None),
    # It speaks HTTP badly, or something else.
    _told("says too short a length", _raw(_reply(b'{"gitVersion": "v1"}', SHORT)), "is not JSON"),
    _told("says no number as length", _raw(_reply(b"{}", b"Content-Length: nonsense")), LOST, None),
    _told("says a negative length", _raw(_reply(b"{}", b"Content-Length: -1")), LOST, None),
    _told("says two lengths", _raw(_reply(b"{}", b"Content-Length: 1", b"Content-Length: 2")), LOST, None),
    _told("has chunks of no size", _raw(_reply(b"zz\r\n{}", b"Transfer-Encoding: chunked")), LOST, None),
    _told("has a header without a colon", _raw(_reply(b"{}", b"nonsense")), LOST, None),
    _told("is an SSH server", _raw(b"SSH-2.0-OpenSSH_9.6\r\n"), LOST, None),
    _told("speaks TLS", _raw(b"\x15\x03\x01\x00\x02\x02\x46" * 9), LOST, None),
    _told("packs badly", _encoded(lambda: b"no gzip", "gzip"), "its answer is not gzip"),
    _told("cuts what it packed", _encoded(lambda: _packed(1, 1)[:-9], "gzip"), "its answer is cut off"),
    _told("packs in another way", _encoded(lambda: b"{}", "br"), "encoding 'br', must be gzip or none"),
    # What it says is no object.
    _told("says no JSON", Answer(b"<html>hello</html>", kind="text/html"), r"its response \(text/html\) is not JSON"),
    _told("says no UTF-8", Answer(b'{"gitVersion": "\xff"}'), "is not JSON"),
    _told("says a list", Answer([]), "a list, must be a map"),
    _told("says null", Answer(None), "a NoneType, must be a map"),
    _told("says a number", Answer(1), "a int, must be a map"),
    _told("says Infinity", Answer(b'{"gitVersion": Infinity}'), "is not JSON"),
    _told("says a number beyond numbers", Answer(b'{"gitVersion": 1e999}'), "is not JSON"),
    _told("says 5,000 digits", Answer(b"1" * 5000), "is not JSON"),
    _told("says deep JSON", Answer(b'{"a":' + b"[" * 200_000), "nested too deeply"),
    _told(
        "says more than fits", Answer(b'{"a": [' + b"[]," * 2_000_000 + b"[]]}"), "more than 2,000,000 values, the most"
    ),
)


@dataclass(frozen=True)
class Objects:
    """Answers by path that are odd only in what they say of objects, and the error's pattern by command.

    A command that is not there gets along.
    """

    name: str
    rules: Mapping[str, Rule]
    says: Mapping[str, str]


def _list(items: Any, **fields: Any) -> Mapping[str, Rule]:
    """A list that says so, and its first item as an object."""
    first = items[0] if isinstance(items, list) and items else {"metadata": {"name": "cpu", "namespace": "default"}}
    answer = Answer({"kind": "WorkspaceList", "metadata": {}, "items": items} | fields)
    return {WORKSPACES: answer, WORKSPACE: Answer(first)}


def _pages(token: Callable[[int], str], items: Callable[[], list[Any]] = list) -> Mapping[str, Rule]:
    count = [0]

    def page(_: dict[str, str]) -> Answer:
        count[0] += 1
        return Answer({"metadata": {"continue": token(count[0])}, "items": items()})

    return {WORKSPACES: page}


def _expiring(*, whole: bool) -> Mapping[str, Rule]:
    """Pages of which the second has expired, and a list without a limit that is ``whole`` or has pages all the same."""

    def page(query: dict[str, str]) -> Answer:
        if "continue" in query:
            return Answer({"kind": "Status", "reason": "Expired", "message": "too old"}, 410)
        more = {} if whole and "limit" not in query else {"continue": "next"}
        return Answer({"metadata": more, "items": [item(name="cpu")]})

    return {WORKSPACES: page}


def _everywhere(says: str) -> Mapping[str, str]:
    return dict.fromkeys(("status", "wait", "import", "endpoint"), says)


def _in_lists(says: str) -> Mapping[str, str]:
    return dict.fromkeys(("status", "wait", "import"), says)


BIG = json.loads("9" * 4000)
HARD_STATUS = {
    "state": HARD,
    "conditions": [{"type": HARD, "status": "False", "message": HARD, "reason": HARD, "lastTransitionTime": HARD}],
}

OBJECTS = (
    Objects("no items", _list(None), {}),
    Objects("items that are none", _list([None]), _everywhere("items.0.: input should be|NoneType, must be a map")),
    Objects("items without metadata", _list([{}]), _everywhere("metadata: field required")),
    Objects("items whose metadata is null", _list([{"metadata": None}]), _everywhere("metadata: input should be")),
    Objects("items of another kind", _list([item() | {"kind": "Pod"}]), _everywhere("kind: 'Pod' given, must be Work")),
    Objects(
        "items of another version",
        _list([item() | {"apiVersion": "kaito.sh/v9"}]),
        _everywhere("apiVersion: 'kaito.sh/v9' given, must be kaito.sh/v1beta1"),
    ),
    Objects("items that are a map", _list({}), _in_lists("items: input should be a valid list")),
    Objects("no metadata", _list([], metadata=None), {}),
    Objects("a Status for a list", {WORKSPACES: Answer({"kind": "Status"})}, _in_lists("items: field required")),
    Objects("a repeated token", _pages(lambda n: "same"), _in_lists("repeats a continue token")),
    Objects("tokens in a circle", _pages(lambda n: f"token-{n % 3}"), _in_lists("repeats a continue token")),
    Objects("pages without end", _pages(str), _in_lists("does not end within|did not answer within")),
    Objects(
        "large pages without end",
        _pages(str, lambda: [item() | {"spec": {"a": "x" * 9_000_000}}]),
        _in_lists("more than 134,217,728 bytes|did not answer within"),
    ),
    Objects("a token that expires", _expiring(whole=True), {}),
    Objects(
        "tokens that expire always", _expiring(whole=False), _in_lists("expires while it is read, even as a whole")
    ),
    Objects("numbers of 4,000 digits", _list([item(name="cpu", generation=BIG) | {"status": {"replicas": BIG}}]), {}),
    Objects("hard texts", _list([item(name="cpu") | {"status": HARD_STATUS}]), {}),
    Objects("hard names", _list([item(name=HARD, namespace=HARD, labels={HARD: HARD})]), {}),
)

READY_POD = item(name="cpu-0") | {
    "spec": {"containers": [{"name": "a"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
PORT_FORWARD = "/api/v1/namespaces/default/pods/cpu-0/portforward"
FORWARDED: Mapping[str, Rule] = {
    SERVICE: Answer(item(name="cpu") | {"spec": {"selector": {"a": "b"}, "ports": [{"port": 80, "targetPort": 5000}]}}),
    "/api/v1/namespaces/default/pods": Answer({"metadata": {}, "items": [READY_POD]}),
}
"""What is needed up to the request that is to become a port forward."""
