"""Unit (in this process): who gets an answer of the console, and under which policy; no browser and no socket."""

import asyncio
import re
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.console.graph_page import policy_for
from airunway.console.security import MAX_BODY, Guard, cookie_of
from tests.unit.console_pages import COOKIE, HOST, Browser


def test_the_address_works_once_and_leaves_no_token_behind(guard: Guard) -> None:
    token = guard.token
    first = Browser(guard, admitted=False).get(f"/stacks/own/?token={token}&saved=1")
    assert (first.status_code, first.headers["location"]) == (303, "/stacks/own/?saved=1")
    again = Browser(guard, admitted=False).get(f"/stacks/own/?token={token}")
    assert (again.status_code, "set-cookie" in again.headers) == (403, False)


@pytest.mark.parametrize(
    "path", ["/", "/stacks/own/", "/stacks/own/status", "/static/console.js", "/stacks/own/events"]
)
def test_nothing_is_shown_without_the_cookie(guard: Guard, path: str) -> None:
    stranger = Browser(guard, admitted=False)
    assert stranger.get(path).status_code == 403
    assert stranger.get(f"{path}?token=wrong").status_code == 403
    for wrong in ("wrong", '"\\303"'):
        stranger.cookies = {COOKIE: wrong}
        assert stranger.get(path).status_code == 403


def test_other_programs_on_this_machine_and_other_consoles_share_the_browser(guard: Guard) -> None:
    browser = Browser(guard)
    browser.cookies = {"[odd]": "{1, 2}", cookie_of("127.0.0.1:1235"): "of another console", **browser.cookies}
    assert browser.get("/stacks/own/").status_code == 200


def test_a_token_never_leads_to_another_site(guard: Guard) -> None:
    location = (
        Browser(guard, admitted=False).get(f"http://{HOST}//evil.example/x?token={guard.token}").headers["location"]
    )
    assert location == "/evil.example/x"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:99", ""])
def test_another_host_name_that_leads_here_is_refused(guard: Guard, host: str) -> None:
    assert Browser(guard).get("/stacks/own/", Host=host).status_code == 421


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://127.0.0.1:1234", "http://127.0.0.1:99"]
)
def test_a_change_from_another_site_is_refused(guard: Guard, origin: str | None) -> None:
    browser = Browser(guard)
    for path in ("review", "save", "run", "cancel", "secret", "check"):
        assert browser.post(f"/stacks/own/{path}", {}, origin).status_code == 403


def test_every_answer_has_the_policy(guard: Guard) -> None:
    browser = Browser(guard)
    for path in (
        "/stacks/own/",
        "/stacks/own/new",
        "/stacks/own/providers",
        "/stacks/gone/",
        "/static/console.js",
        "/nowhere",
    ):
        answer = browser.get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_huge_body_is_refused_whatever_it_says_of_its_length(guard: Guard) -> None:
    browser = Browser(guard)
    assert browser.post("/stacks/own/check", {"name": "x" * (MAX_BODY + 1)}).status_code == 413

    async def pieces() -> Any:
        for _ in range(20):
            yield b"a=" + b"x" * (MAX_BODY // 10)

    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{HOST}"}
    assert browser.send("POST", "/stacks/own/check", headers, pieces()).status_code == 413


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/stacks/..%2f..%2fetc/", "/stacks/../own/"],
)
def test_no_path_leads_out(guard: Guard, path: str) -> None:
    answer = Browser(guard).get(path)
    assert answer.status_code in (303, 404) or "airunway</p>" in answer.text
    assert "import asyncio" not in answer.text


def test_what_comes_from_a_form_or_a_file_is_text(guard: Guard) -> None:
    evil = "<script>alert(1)</script>"
    browser = Browser(guard)
    checked = browser.post("/stacks/own/check", {"name": evil, "model.id": evil, "env": f"- name: '{evil}'"}).text
    assert evil not in checked
    assert "&lt;script&gt;" in checked
    assert evil not in browser.get(f"/stacks/own/edit/{evil}").text


def test_unknown_pages_and_actions_are_refused_in_words(guard: Guard) -> None:
    browser = Browser(guard)
    assert "no stack gone; valid: own" in browser.get("/stacks/gone/").text
    assert browser.get("/stacks/own/edit/gone").status_code == 404
    assert browser.post("/stacks/own/run", {"action": "destroy"}).status_code == 400
    assert browser.get("/stacks/own/events").status_code == 404


def test_the_policy_of_a_page_names_just_its_own_scripts() -> None:
    policy = policy_for("<style>a</style><script>b</script><script type='application/json'>c</script>")
    assert policy.count("'sha256-") == 4
    assert "unsafe" not in policy


def raw(guard: Guard, **scope: Any) -> list[Any]:
    """What the console sends to a request as a server hands it over, which need not be one that a client would send."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    base = {
        "type": "http",
        "method": "GET",
        "path": "/stacks/own/",
        "raw_path": b"/",
        "query_string": b"",
        "scheme": "http",
        "headers": [],
    }
    asyncio.run(
        guard({"asgi": {"version": "3.0"}, "http_version": "1.1", "root_path": "", **base, **scope}, receive, send)
    )
    return sent


def status(guard: Guard, *headers: tuple[bytes, bytes], **scope: Any) -> int:
    return int(raw(guard, headers=list(headers), **scope)[0]["status"])


GOOD_HOST, ORIGIN = (b"host", HOST.encode()), (b"origin", f"http://{HOST}".encode())


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"127.0.0.1:1234.evil.example",
        b"evil.example@127.0.0.1:1234",
        b"127.0.0.1:1234 ",
        b"\xff",
        b"127.0.0.1:1234,x",
        b"[::1]:1234",
    ],
)
def test_only_its_own_name_to_the_letter_is_its_own_name(guard: Guard, host: bytes) -> None:
    assert status(guard, (b"host", host)) == 421


def test_of_two_names_neither_lets_the_other_in(guard: Guard) -> None:
    assert status(guard, GOOD_HOST, (b"host", b"evil.example")) == 421
    assert status(guard) == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "get", "ODD"])
def test_whatever_is_not_reading_needs_our_own_origin(guard: Guard, method: str) -> None:
    assert status(guard, GOOD_HOST, method=method) == 403
    assert (
        status(guard, GOOD_HOST, (b"origin", b"null"), method=method, query_string=f"token={guard.token}".encode())
        == 403
    )


def test_the_token_is_taken_from_the_address_of_a_page_only(guard: Guard) -> None:
    for method in ("HEAD", "POST"):
        assert status(guard, GOOD_HOST, ORIGIN, method=method, query_string=f"token={guard.token}".encode()) == 403
    assert status(guard, GOOD_HOST, (b"cookie", f"{COOKIE}={guard.token}".encode())) == 403
    assert status(guard, GOOD_HOST, query_string=f"token={guard.token}".encode()) == 303
    assert status(guard, GOOD_HOST, query_string=b"token=None") == 403, "none is given any more"


paths = st.sampled_from(["/", "/stacks/own/", "/static/x", "//evil.example", "/\\evil.example", "/%0d%0aX"])


@given(st.binary(max_size=30), st.binary(max_size=30), paths)
def test_no_address_and_no_cookie_lets_a_stranger_in(query: bytes, cookie: bytes, path: str) -> None:
    guard = Guard(nobody, [HOST])
    assert status(guard, GOOD_HOST, (b"cookie", cookie), query_string=query, path=path) == 403
    assert guard.token is not None


async def nobody(*_: Any) -> None:
    pytest.fail("the application was asked")


@given(
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=5).filter(lambda k: k != "token"), st.text(max_size=5), max_size=2),
)
def test_the_way_on_from_the_token_is_a_path_of_this_console(path: str, query: dict[str, str]) -> None:
    guard = Guard(nobody, [HOST])
    text = urlencode({**query, "token": str(guard.token)})
    (start, *_) = raw(guard, headers=[GOOD_HOST], path=f"/{path}", query_string=text.encode())
    location = dict(start["headers"])[b"location"].decode("latin-1")
    assert (start["status"], str(guard.token)) == (303, "None")
    assert re.match(r"/(?![/\\])[!-~]*\Z", location), location
    assert urljoin(f"http://{HOST}/", location).startswith(f"http://{HOST}/")


@pytest.mark.parametrize(("kind", "sent"), [("websocket", [{"type": "websocket.close"}]), ("other", [])])
def test_a_websocket_is_refused_and_nothing_else_answered(guard: Guard, kind: str, sent: list[Any]) -> None:
    assert raw(guard, type=kind, headers=[GOOD_HOST]) == sent


@pytest.mark.parametrize("length", [b"99999999999999999999", str(MAX_BODY + 1).encode(), b"9" * 5000])
def test_a_body_that_is_said_to_be_huge_is_not_waited_for(guard: Guard, length: bytes) -> None:
    cookie = Browser(guard).cookies[COOKIE].encode()
    headers = (GOOD_HOST, ORIGIN, (b"cookie", COOKIE.encode() + b"=" + cookie), (b"content-length", length))
    assert status(guard, *headers, method="POST", path="/stacks/own/check") == 413


def test_two_consoles_have_tokens_and_cookies_of_their_own() -> None:
    one, other = Guard(nobody, [HOST]), Guard(nobody, [HOST])
    assert one.token != other.token
    assert len(str(one.token)) >= 40
    cookie = Browser(one, admitted=False).get(f"/?token={one.token}").headers["set-cookie"].split(";")[0]
    assert status(other, GOOD_HOST, (b"cookie", cookie.encode())) == 403
